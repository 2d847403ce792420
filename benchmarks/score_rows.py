"""Score generated outcomes with `reasrm score` and measure rows per CPU second and peak memory of the process.

Run:  python benchmarks/score_rows.py [--benchmark rm_bench] [--rows 100000 1000000]

Each size runs in a process of its own (`python -m reasrm.cli score`), start of Python and imports included.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import orjson

from reasrm.benchmarks.reward_bench import SECTION_OF
from reasrm.benchmarks.rm_bench import SECTION_OF as DOMAINS
from reasrm.benchmarks.rmb import CATEGORIES

Row = dict[str, str | int]


def reward_bench(rng: random.Random) -> Iterator[Row]:
    """Rows of ever new ids."""
    subsets = list(SECTION_OF)
    number = 0
    while True:
        number += 1
        yield {"subset": rng.choice(subsets), "id": number, "correct": int(rng.random() < 0.9)}


def rm_bench(rng: random.Random) -> Iterator[Row]:
    """The nine cells of ever new prompts, the cells of one prompt far apart."""
    domains = list(DOMAINS)
    start = 0
    while True:
        prompts = [(f"p{start + n}", rng.choice(domains)) for n in range(10_000)]
        start += len(prompts)
        for i, j in product(range(3), range(3)):
            for number, domain in prompts:
                styles = {"chosen_style": i, "rejected_style": j}
                yield {"id": number, "domain": domain, **styles, "correct": int(rng.random() < 0.8)}


def rmb(rng: random.Random) -> Iterator[Row]:
    """Pairs and best-of-N groups of two losers by turns."""
    categories = list(CATEGORIES)
    number = 0
    while True:
        number += 1
        shared = {"category": rng.choice(categories), "uid": str(number)}
        yield {"kind": "pair", **shared, "correct": int(rng.random() < 0.8)}
        for loser in range(2):
            yield {"kind": "bon", **shared, "loser": loser, "correct": int(rng.random() < 0.8)}


ROWS_OF = {"reward_bench": reward_bench, "rm_bench": rm_bench, "rmb": rmb}


def measure(benchmark: str, rows: int) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of scoring `rows` rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.jsonl"
        with file.open("wb") as out:
            for row in islice(ROWS_OF[benchmark](random.Random(0)), rows):
                out.write(orjson.dumps(row) + b"\n")
        started = time.perf_counter()
        command = [sys.executable, "-m", "reasrm.cli", "score", "--benchmark", benchmark, "--outcomes", str(file)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            sys.exit(f"the command failed with status {os.waitstatus_to_exitcode(status)}")
        return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", choices=list(ROWS_OF), default="rm_bench")
    parser.add_argument("--rows", type=int, nargs="+", default=[90_000, 1_080_000], help="rm_bench: multiples of 90000")
    given = parser.parse_args()
    for rows in given.rows:
        seconds, cpu, memory = measure(given.benchmark, rows)
        speed = f"{seconds:.1f} s; {cpu:.1f} s of CPU, {rows / cpu:,.0f} rows per CPU second"
        print(f"{given.benchmark} {rows} rows: {speed}, peak {memory:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
