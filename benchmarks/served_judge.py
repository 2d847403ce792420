"""`reasrm serve-judge` under load: comparisons a second and latency by number of clients, then a kill under load.

Each client sends one pair after the other, each pair once, as a training does that waits for its rewards. A pair is two
comparisons. Then as many clients send pairs while the service is killed (SIGKILL) and started again on the same ledger:
every pair must be answered, and no judgment may stand in the ledger twice.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.served_judge [--clients 1 8 64] [--seconds 20]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.judge_reference import print_table
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.serving.judge_client import JudgeClient

COMPARISONS = 2
"""Of a pair."""
PORT = 8791


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="data/checkpoints/grpo-full")
    parser.add_argument("--pairs", type=Path, default=Path("data/pairs/reinforce.jsonl"))
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    pairs = iter(list({one.id: one for one in read_records(options.pairs, PreferencePair)}.values()))
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "judged.jsonl"
        service = start(options.model, ledger)
        rows = [under_load(pairs, clients, options.seconds) for clients in options.clients]
        print_table(["clients", "pairs", "comparisons/s", "p50 ms", "p95 ms", "mean batch"], rows)
        killed_under_load(service, options.model, ledger, pairs, max(options.clients))


def start(model: str, ledger: Path) -> "subprocess.Popen[bytes]":
    """The service, ready."""
    command = [sys.executable, "-m", "reasrm.cli", "serve-judge", "--model", model, "--ledger", str(ledger)]
    service = subprocess.Popen([*command, "--port", str(PORT)], stdout=subprocess.DEVNULL)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5).close()
        except OSError:
            if service.poll() is not None:
                raise SystemExit("the service did not start") from None
            time.sleep(0.2)
        else:
            return service


def under_load(pairs: Iterator[PreferencePair], clients: int, seconds: float) -> list[str]:
    """A row of the table: clients that send pairs for some seconds."""
    before, began = batches(), time.monotonic()
    until = began + seconds
    with ThreadPoolExecutor(clients) as senders:
        latencies = [
            one for sent in [senders.submit(client, pairs, until) for _ in range(clients)] for one in sent.result()
        ]
    took, after = time.monotonic() - began, batches()
    cut = quantiles(latencies, n=20, method="inclusive")
    size = (after["sum"] - before["sum"]) / max(1, after["count"] - before["count"])
    rate = COMPARISONS * len(latencies) / took
    return [
        str(clients),
        f"{len(latencies):,}",
        f"{rate:.1f}",
        f"{1000 * cut[9]:.0f}",
        f"{1000 * cut[18]:.0f}",
        f"{size:.1f}",
    ]


def client(pairs: Iterator[PreferencePair], until: float) -> list[float]:
    """The seconds that each pair took which one client sent until then."""
    judge, latencies = JudgeClient(f"http://127.0.0.1:{PORT}"), []
    while time.monotonic() < until and (pair := next(pairs, None)) is not None:
        began = time.monotonic()
        ask(judge, pair)
        latencies.append(time.monotonic() - began)
    return latencies


def ask(judge: JudgeClient, pair: PreferencePair) -> dict[str, Any]:
    """The service's reply about one pair."""
    return judge.compare([turn.model_dump(mode="json") for turn in pair.prompt], [pair.chosen, pair.rejected])


def batches() -> dict[str, float]:
    """Number and sum of the sizes of the batches so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    found = dict(line.split(" ") for line in lines if line.startswith("reasrm_batch_comparisons_") and "{" not in line)
    return {name: float(found[f"reasrm_batch_comparisons_{name}"]) for name in ("sum", "count")}


def killed_under_load(
    service: "subprocess.Popen[bytes]", model: str, ledger: Path, pairs: Iterator[PreferencePair], clients: int
) -> None:
    """Kill the service while clients ask, start it again, and count what was answered and judged."""
    asked = [pair for pair, _ in zip(pairs, range(3 * clients), strict=False)]
    kept_before = ledger.read_bytes().count(b"\n")
    with ThreadPoolExecutor(clients) as senders:
        sent = [senders.submit(ask, JudgeClient(f"http://127.0.0.1:{PORT}"), pair) for pair in asked]
        while ledger.read_bytes().count(b"\n") < kept_before + len(asked) // 2:
            time.sleep(0.01)
        service.send_signal(signal.SIGKILL)
        service.wait()
        kept_at_kill = ledger.read_bytes().count(b"\n")
        service = start(model, ledger)
        replies = [one.result() for one in sent]
    service.send_signal(signal.SIGTERM)
    status = service.wait(60)
    keys = Counter(json.loads(line)["key"] for line in ledger.read_bytes().splitlines())
    print(
        f"killed under load: {len(replies)} of {len(asked)} pairs answered to {clients} clients; "
        f"{kept_at_kill - kept_before} judgments kept at the kill, {len(keys) - kept_before} of "
        f"{COMPARISONS * len(asked)} in the end, {sum(keys.values()) - len(keys)} judged twice; "
        f"ended by SIGTERM with status {status}; load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
