"""vLLM's own HTTP server on loopback, for tests: started for a checkpoint, and gone with all its processes."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MODEL_NAME = "judge"
START_SECONDS = 1800
"""A busy machine is no fault of the code."""
ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_CPU_KVCACHE_SPACE": "1"}


@contextmanager
def vllm_server(checkpoint: Path, context: int, log: Path) -> Iterator[str]:
    """Serve `checkpoint`, which has `context` positions; yields the base URL.

    Raises:
        AssertionError: it did not come up (says what it wrote to `log`), or left a process behind.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The console script asks for the package `vllm` by name and so fails with `vllm-cpu`; the module does not.
    words = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(checkpoint)]
    words += ["--served-model-name", MODEL_NAME, "--host", "127.0.0.1", "--port", str(port)]
    words += ["--dtype", "float32", "--max-model-len", str(context), "--enforce-eager", "--seed", "0"]
    with log.open("wb") as output:
        server = subprocess.Popen(words, env=os.environ | ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT)
    family: list[psutil.Process] = []
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, log)
        family = psutil.Process(server.pid).children(recursive=True)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=300)
    _, alive = psutil.wait_procs(family, timeout=300)
    assert not alive


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the server answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"vLLM's server did not come up:\n{log.read_text(errors='replace')[-4000:]}")
