"""The miniature's oracle: the fake vendor's server with the replies of `oracle_replies`.

Run:     python -m reasrm.miniature.oracle_server --port 8765 [--settings FILE.json]
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reasrm.fake_vendor.server import serve
from reasrm.fake_vendor.settings import FakeVendorSettings
from reasrm.miniature.oracle_replies import oracle_reply


@contextmanager
def local_oracle(settings: FakeVendorSettings | None = None) -> Iterator[str]:
    """Run the server as a child for the length of the block and give its address (`http://127.0.0.1:port`).

    The child ends when its standard input closes, so it never outlives its parent, however the parent ends.
    """
    command = [sys.executable, "-m", "reasrm.miniature.oracle_server", "--port", "0", "--with-parent"]
    if settings is not None:
        command += ["--settings-json", settings.model_dump_json()]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        first_line = child.stdout.readline()
        if not first_line:
            raise RuntimeError(f"the local oracle did not start (exit status {child.wait()}); its message is above")
        yield f"http://127.0.0.1:{json.loads(first_line)['port']}"
    finally:
        assert child.stdin is not None
        child.stdin.close()
        child.kill()
        child.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="The miniature's oracle on loopback, for both vendors' SDKs.")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one; the first line of output names it")
    parser.add_argument("--settings", type=Path, help="JSON file of limits, latency, prices and faults")
    parser.add_argument("--settings-json", help="the same as text")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    arguments = parser.parse_args()
    text = arguments.settings.read_text() if arguments.settings else arguments.settings_json or "{}"
    settings = FakeVendorSettings.model_validate_json(text)
    try:
        asyncio.run(serve(settings, oracle_reply, arguments.port, with_parent=arguments.with_parent))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
