"""Toy stages of a project whose judges are right by chance, so that an ablation has real judgments to measure.

toy_judging.py benchmarks OUT         60 items of reward_bench, half of the slice `easy`, half `hard`
toy_judging.py train SEED OUT         a "checkpoint": the seed
toy_judging.py judge NAME SKILL FROM OUT
                                      draws verdicts, unless its ledger has them, as the real judge's replies

A file `driver` beside this script changes what is drawn, unseen by DVC; `judge-exit` holds the status of a judge that
stops.
"""

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.judgment import Judgment
from reasrm.records.pair import Message, PreferencePair
from reasrm.runtime.kept_folders import ledger_file

SUBSETS = ("alpacaeval-easy", "llmbar-natural", "donotanswer", "math-prm")
ITEMS = 60
PROJECT = Path(__file__).resolve().parent


def items() -> list[BenchmarkItem]:
    return [
        BenchmarkItem(
            benchmark="reward_bench",
            item_id=f"{SUBSETS[n % 4]}/{n}",
            group=f"g{n}",
            pair=PreferencePair(
                source="toy",
                prompt=(Message(role="user", content=f"question {n}"),),
                chosen="yes",
                rejected="no",
            ),
            keys={"subset": SUBSETS[n % 4], "id": n, "slice": "easy" if n < ITEMS // 2 else "hard"},
        )
        for n in range(ITEMS)
    ]


def write(path: Path, records: list[BenchmarkItem] | list[Judgment]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(record.model_dump_json() + "\n" for record in records))


def replies(name: str, skill: float, checkpoint: str) -> Iterator[bool]:
    """Whether each reply is right: those of the ledger, if it was asked the same before."""
    ledger = ledger_file(f"judge-{name}", paid=True)
    asked = [name, skill, checkpoint]
    known = [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    for entry in known:
        if entry["asked"] == asked:
            return iter(entry["right"])
    driver = (PROJECT / "driver").read_text() if (PROJECT / "driver").exists() else ""
    chance = random.Random(f"{name} {checkpoint}{driver}")
    right = [chance.random() < skill for _ in range(2 * ITEMS)]
    ledger.parent.mkdir(exist_ok=True)
    with ledger.open("a") as file:
        file.write(json.dumps({"asked": asked, "right": right}) + "\n")
    return iter(right)


def main() -> None:
    what, *words, out = sys.argv[1:]
    with Path("stages.run").open("a") as runs:
        runs.write(f"{what} {' '.join(words)}\n")
    if what == "benchmarks":
        write(Path(out) / "reward_bench.jsonl", items())
    elif what == "train":
        if Path("hang").exists():
            while "collect_benchmarks" not in (Path("dvc.lock").read_text() if Path("dvc.lock").exists() else ""):
                time.sleep(0.1)  # it runs beside this stage: what is ended then is to be this one alone
            Path("hangs").write_text(str(os.getpid()))
            time.sleep(1000)
        if Path("exit").exists():
            sys.exit(int(Path("exit").read_text()))
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_text(words[0])
    else:
        name, skill, checkpoint = words
        if (PROJECT / "judge-exit").exists():
            sys.exit(int((PROJECT / "judge-exit").read_text()))
        right = replies(name, float(skill), Path(checkpoint).read_text())
        judged = [
            Judgment(
                benchmark=item.benchmark,
                item_id=item.item_id,
                better=better,
                verdict=better if next(right) else better.other,
            )
            for item in items()
            for better in Side
        ]
        write(Path(out) / "reward_bench.jsonl", judged)
    print(f"{what}: wrote {out}")


if __name__ == "__main__":
    main()
