"""A toy stage: concatenates its inputs; a file `<name>.mode` says fail, stop, busy, killed, or hang with a grandchild.

What a file `<name>.salt` says is added to its output, as another kind of processor would: DVC does not know of it.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

name, seconds, out, *inputs = sys.argv[1:]
text = "".join(Path(file).read_text() for file in inputs)
mode = Path(f"{name}.mode").read_text().strip() if Path(f"{name}.mode").exists() else ""
with Path(f"{name}.runs").open("a") as runs:
    runs.write("ran\n")
if mode == "fail":
    print(f"{name}: the disk is made of cheese [bold]x[/bold]\x1b]0;owned\x07\x9b2J\u202e", file=sys.stderr)
    sys.exit(1)
if mode in {"stop", "busy"}:
    print(f"{name}: {'the budget is spent' if mode == 'stop' else 'another run writes'}", file=sys.stderr)
    sys.exit(3 if mode == "stop" else 4)
if mode == "killed":
    print(f"{name}: step 3 of 9", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "hang":
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    Path(f"{name}.pids").write_text(f"{os.getpid()} {child.pid}")
    time.sleep(1000)
time.sleep(float(seconds))
Path(out).parent.mkdir(exist_ok=True)
salt = Path(f"{name}.salt").read_text() if Path(f"{name}.salt").exists() else ""
Path(out).write_text(text + name + salt + "\n")
print(f"{name}: wrote {out}", flush=True)
