"""What the reward terms beside the verdict do to a judge: order consistency, grounded quotations, short replies.

Each run trains the demo's SFT checkpoint with the released settings but for rewards and orders, and is judged on the
dev pairs, greedily and in both orders. One line of JSON per run is appended to the results; runs in it are not run
again. Compared is each term with the same training without it: `consistency` needs both orders in one group, so its
baseline has them too, and that baseline is compared with the released orders.

Intervals are of a bootstrap over dev pairs, the same pairs drawn for both sides of a difference; they do not hold the
spread between seeds, so each seed's accuracy is shown.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.reward_terms --data data --results reward_terms.jsonl [--seeds 0 1]
      python -m benchmarks.reward_terms --results reward_terms.jsonl --table
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.grpo_runs import (
    RESAMPLES,
    consistent_by_pair,
    difference_of_sides,
    read_demo,
    read_results,
    right_by_pair,
    run_missing,
    values_of_sides,
)
from benchmarks.judge_reference import print_table
from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import percentiles
from reasrm.scoring.paired_differences import holm

WEIGHT = 0.2
"""Of each term, beside 1 for the verdict, which lies between -1 and 1."""
ARMS: dict[str, dict[str, Any]] = {
    "verdict": {"orders": "hashed", "rewards": {"verdict": 1.0}},
    "verdict + grounded": {"orders": "hashed", "rewards": {"verdict": 1.0, "grounded": WEIGHT}},
    "verdict + concise": {"orders": "hashed", "rewards": {"verdict": 1.0, "concise": WEIGHT}},
    "verdict, both orders": {"orders": "both_in_group", "rewards": {"verdict": 1.0}},
    "verdict + consistency, both orders": {
        "orders": "both_in_group", "rewards": {"verdict": 1.0, "consistency": WEIGHT}
    },
}  # fmt: skip
CONTRASTS = (
    ("verdict + grounded", "verdict"),
    ("verdict + concise", "verdict"),
    ("verdict, both orders", "verdict"),
    ("verdict + consistency, both orders", "verdict, both orders"),
)
"""The first minus the second."""
Run = Mapping[str, Any]


def right(run: Run) -> list[float]:
    """By pair, the share of its two orders that were judged right."""
    return right_by_pair(run["dev"])


def consistent(run: Run) -> list[float]:
    """By pair, whether both orders have the same answer preferred."""
    return consistent_by_pair(run["dev"])


def grounded(run: Run) -> list[float]:
    """By pair, the share of the replies to its two orders that are grounded."""
    return [(int(one) + int(two)) / 2 for one, two in zip(*run["grounded"].values(), strict=True)]


def tokens(run: Run) -> list[float]:
    """By pair, the tokens of a reply."""
    return list(run["reply_tokens"])


def run_all(data: Path, results: Path, seeds: Sequence[int], pairs: int, steps: int | None) -> None:
    """Run what the results lack, all arms with one seed before the next seed."""
    fixed: dict[str, Any] = {"dev": None, "rollout_samples": None} | ({"steps": steps} if steps else {})
    planned = ((name, seed, changes | fixed | {"seed": seed}) for seed in seeds for name, changes in ARMS.items())
    run_missing(planned, read_demo(data, pairs), results)


def print_tables(lines: Sequence[Run]) -> None:
    """All arms, then the differences, in Markdown."""
    failed = {line["name"]: line["failed"] for line in lines if "failed" in line}
    runs = {name: [line for line in lines if line["name"] == name] for name in ARMS if name not in failed}
    runs = {name: several for name, several in runs.items() if several}
    head = ["rewards", "dev accuracy [95 %]", "by seed", "same answer in both orders", "grounded replies"]
    print_table([*head, "reply tokens", "without signal", "CPU s"], [_arm_row(*arm) for arm in runs.items()])
    for name, why in failed.items():
        print(f"\n{name}: {why}")
    print()
    found = [sides for sides in CONTRASTS if all(name in runs for name in sides)]
    accuracy = [difference_of_sides(runs, [[name] for name in sides], right) for sides in found]
    adjusted = holm({" - ".join(sides): one.test.p for sides, one in zip(found, accuracy, strict=True)})
    rows = [
        [
            name,
            *(_share(runs, sides, values) for values in (right, consistent, grounded)),
            _tokens(runs, sides),
            f"{p:.3g}",
        ]
        for sides, (name, p) in zip(found, adjusted.items(), strict=True)
    ]
    head = ["difference", "dev accuracy", "same answer in both orders", "grounded replies", "reply tokens"]
    print_table([*head, "p of accuracy (sign test, Holm)"], rows)


def _arm_row(name: str, runs: Sequence[Run]) -> list[str]:
    by_pair = np.mean([right(run) for run in runs], axis=0)
    low, high = percentiles(bootstrap_means(by_pair, RESAMPLES, 0))
    by_seed = ", ".join(f"{run['accuracy']:.3f}" for run in runs)
    means = [f"{np.mean([values(run) for run in runs]):.3f}" for values in (consistent, grounded)]
    length, lost, cpu = (
        np.mean(one)
        for one in zip(
            *((np.mean(tokens(run)), run["without_signal"], run["cpu_seconds"]) for run in runs), strict=True
        )
    )
    return [
        name,
        f"{by_pair.mean():.3f} [{low:.3f}, {high:.3f}]",
        by_seed,
        *means,
        f"{length:.1f}",
        f"{lost:.3f}",
        f"{cpu:.0f}",
    ]


def _share(runs: Mapping[str, Sequence[Run]], sides: Sequence[str], values: Any) -> str:
    one = difference_of_sides(runs, [[name] for name in sides], values)
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"


def _tokens(runs: Mapping[str, Sequence[Run]], sides: Sequence[str]) -> str:
    first, second = values_of_sides(runs, [[name] for name in sides], tokens)
    deltas = np.subtract(first, second)
    low, high = percentiles(bootstrap_means(deltas, RESAMPLES, 0))
    return f"{deltas.mean():+.1f} [{low:+.1f}, {high:+.1f}]"


def main() -> None:
    """Run what is missing, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="a finished demo's data folder")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1))
    parser.add_argument("--pairs", type=int, default=300, help="dev pairs that each run is judged on")
    parser.add_argument("--steps", type=int, help="of every run, for a trial with results of its own")
    parser.add_argument("--table", action="store_true", help="print what is in the results; run nothing")
    given = parser.parse_args()
    if given.table:
        return print_tables(read_results(given.results))
    return run_all(given.data, given.results, given.seeds, given.pairs, given.steps)


if __name__ == "__main__":
    main()
