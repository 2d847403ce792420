"""One measured run of the oracle command (or another client) against one local oracle with stated faults.

Everything is measured from outside: what the server billed and when, what the client's process used, what its output
file holds.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasrm.fake_vendor.settings import FakeVendorSettings
from reasrm.miniature.oracle_server import local_oracle
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.jsonl import write_records

MODEL = "miniature-lazy-20261101"
PRICES = "3,15"


@dataclass
class Run:
    """What one client process did."""

    status: int
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    log: str


def make_pairs(folder: Path, count: int) -> Path:
    """A file of `count` pairs of the miniature's world, made once per folder."""
    path = folder / f"pairs-{count}.jsonl"
    if not path.exists():
        write_records(path, training_pairs(Split.TRAIN, count, 0))
    return path


def environment(url: str) -> dict[str, str]:
    """The SDKs' own variables, pointing to the local oracle."""
    keys = {"ANTHROPIC_API_KEY": "bench", "OPENAI_API_KEY": "bench"}
    return {**os.environ, **keys, "ANTHROPIC_BASE_URL": url, "OPENAI_BASE_URL": f"{url}/v1"}


def command(vendor: str, pairs: Path, out: Path, *more: str) -> list[str]:
    """The oracle command over `pairs`."""
    base = [sys.executable, "-m", "reasrm.cli", "oracle", "--pass", "first", "--max-tokens", "1024"]
    what = ["--provider", vendor, "--model", MODEL, "--prices", PRICES, "--pairs", str(pairs)]
    return [*base, *what, "--out", str(out), "--summary", str(out.with_suffix(".summary.json")), *more]


def measure(
    arguments: list[str], url: str, kill_after_replies: int | None = None, kill_after_seconds: float = 1800
) -> Run:
    """Run a client to its end, or to kill -9: when the server has billed so many replies, or after so many seconds."""
    log = Path("/tmp") / f"oracle-bench-{os.getpid()}.log"
    began = time.monotonic()
    with log.open("wb") as sink:
        child = subprocess.Popen(arguments, env=environment(url), stdout=sink, stderr=sink)
        peak_mb = 0.0
        while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
            peak_mb = max(peak_mb, resident_peak_mb(child.pid))
            enough = kill_after_replies is not None and request_log(url)["billed"] >= kill_after_replies
            if enough or time.monotonic() - began > kill_after_seconds:
                os.kill(child.pid, signal.SIGKILL)
            time.sleep(0.05)
    wall = time.monotonic() - began
    _, status, used = ended
    cpu = used.ru_utime + used.ru_stime
    child.returncode = os.waitstatus_to_exitcode(status)
    return Run(child.returncode, wall, cpu, peak_mb, log.read_text(errors="replace")[-4000:])


def resident_peak_mb(process: int) -> float:
    """Highest resident memory of `process` so far, as the kernel notes it; 0 once it has ended.

    Not `ru_maxrss`: between fork and exec a child counts what its parent holds.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def request_log(url: str) -> dict[str, Any]:
    """What the server counted and billed."""
    with urllib.request.urlopen(f"{url}/request-log") as response:
        return dict(json.load(response))


def outcomes(out: Path) -> Counter[str]:
    """Lines of the output by outcome."""
    if not out.exists():
        return Counter()
    with out.open() as file:
        return Counter(json.loads(line)["outcome"] for line in file)


def fresh(folder: Path, name: str) -> Path:
    """An output path without an earlier run's output or ledger."""
    for old in folder.glob(f"{name}.*"):
        old.unlink()
    return folder / f"{name}.jsonl"


__all__ = [
    "FakeVendorSettings",
    "Run",
    "command",
    "fresh",
    "local_oracle",
    "make_pairs",
    "measure",
    "outcomes",
    "request_log",
]
