"""A stage that writes what real ones write: steps and raw metrics, questions and dollars, curves, a report."""

import sys
import time
from pathlib import Path

name, out = sys.argv[1:]
Path(out).mkdir(parents=True, exist_ok=True)
if name == "train":
    for step in range(1, 10):
        print(f"train: step {step}/9, loss {1 / step:.3f}, {9 - step} s left", flush=True)
        print("{'loss': '0.4', 'grad_norm': '1.2', 'epoch': '1'}", flush=True)
        time.sleep(1)
    rows = "\n".join(f"{step}\t{1 / step}" for step in range(1, 10))
    metrics = Path(out, "plots/metrics/train")
    metrics.mkdir(parents=True)
    (metrics / "loss.tsv").write_text(f"step\tloss\n{rows}\n")
    print("train: 9 steps, loss `0.111` <img src=x>", flush=True)
elif name == "ask":
    print("distill_traces@first: 3/4, ok 100%, right 100%, 1 in flight, $1.25, 1 s left", flush=True)
    time.sleep(7)
    if Path("fail").exists():
        print("distill_traces@first: the key is wrong", flush=True)
        print("{'loss': '0.4', 'grad_norm': '1.2', 'epoch': '1'}", flush=True)
        sys.exit(1)
    print("distill_traces@first: first: 4 pairs asked, $1.50", flush=True)
elif name == "flood":
    for number in range(5000):
        print(f"flood: line {number}", flush=True)
else:
    Path(out, "index.html").write_text("<!doctype html><title>Report</title><h1>The judges</h1>")
    Path(out, "metrics.json").write_text('{"models": {}}')
