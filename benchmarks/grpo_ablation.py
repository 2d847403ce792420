"""Which of GRPO's choices matter for a judge: loss, groups without signal, both orders in a group, clip-higher.

Each run trains the demo's SFT checkpoint with the released settings but for the named ones, and is judged on the dev
pairs, greedily and in both orders. One line of JSON per run is appended to the results; runs in it are not run again.

The full factorial (3 losses x 3 ways with groups without signal x 2 orders x 2 clips x 2 seeds) has 72 runs. These
28 cover each factor and the one interaction that is expected, since the losses divide by different things:

- `signal`: loss (grpo, dapo, dr_grpo without scaling) x groups without signal (keep, drop, replace), full, orders
  hashed, clip 0.2, one step per generation: 18 runs with the seeds 0 and 1.
- `orders`: both_in_group for each way with groups without signal, loss dapo: 6 runs, each against the run of `signal`
  that differs in the orders alone.
- `clip`: epsilon_high 0.2 and 0.28, loss dapo, keep, hashed: 4 runs. With one step per generation the ratio is 1 and no
  clip acts, so both arms take 4 steps per generation (48 steps of the same batch, 12 generations of 512 replies) and
  are compared with each other only; the share of clipped tokens is in the results.

Not covered: interactions of orders or clip with the loss. `replace` samples more replies for the same steps: their
number is in the table. Intervals are of a bootstrap over dev pairs, the same pairs drawn for both sides of a
difference; they do not hold the spread between seeds, so each seed's accuracy is shown.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.grpo_ablation --data data --results grpo_ablation.jsonl [--parts signal]
      python -m benchmarks.grpo_ablation --results grpo_ablation.jsonl --table
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.grpo_runs import (
    RESAMPLES,
    consistent_by_pair,
    difference_of_sides,
    read_demo,
    read_results,
    right_by_pair,
    run_missing,
    unreadable_share,
)
from benchmarks.judge_reference import print_table
from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import percentiles
from reasrm.scoring.paired_differences import holm

SEEDS = (0, 1)
LOSSES = ("grpo", "dapo", "dr_grpo")
SIGNALS = ("keep", "drop", "replace")
EXTRA = 4
"""`most_extra_generations` where groups are replaced."""
MINI_BATCHES = 4


class Arm(NamedTuple):
    """One combination of settings; run with each seed."""

    part: str
    loss: str = "dapo"
    signal: str = "keep"
    orders: str = "hashed"
    epsilon_high: float = 0.2

    def changes(self, seed: int) -> dict[str, Any]:
        """What is laid over the released settings."""
        mini = {"steps_per_generation": MINI_BATCHES, "steps": 48} if self.part == "clip" else {}
        return mini | {
            "loss_type": self.loss,
            "scale_rewards": "none" if self.loss == "dr_grpo" else "group",
            "zero_signal_groups": self.signal,
            "most_extra_generations": EXTRA if self.signal == "replace" else 0,
            "orders": self.orders,
            "epsilon_high": self.epsilon_high,
            "seed": seed,
        }

    def name(self) -> str:
        """For tables and results."""
        return f"{self.part}: {self.loss}, {self.signal}, {self.orders}, {self.epsilon_high}"


ARMS = (
    *(Arm("signal", loss, signal) for loss in LOSSES for signal in SIGNALS),
    *(Arm("orders", signal=signal, orders="both_in_group") for signal in SIGNALS),
    *(Arm("clip", epsilon_high=high) for high in (0.2, 0.28)),
)


def contrasts() -> Iterator[tuple[str, list[Arm], list[Arm]]]:
    """What is compared: a name, the arms on the one side and on the other; both sides differ in one factor alone."""
    for loss in LOSSES:
        if loss != "dapo":
            sides = ([Arm("signal", one, signal) for signal in SIGNALS] for one in (loss, "dapo"))
            yield f"loss: {loss} - dapo, mean of keep, drop and replace", *sides
    for signal in SIGNALS[1:]:
        sides = ([Arm("signal", loss, one) for loss in LOSSES] for one in (signal, "keep"))
        yield f"groups without signal: {signal} - keep, mean of the losses", *sides
        for loss in LOSSES:
            yield f"the same under {loss}", [Arm("signal", loss, signal)], [Arm("signal", loss, "keep")]
    both = [Arm("orders", signal=signal, orders="both_in_group") for signal in SIGNALS]
    yield (
        "orders: both_in_group - hashed, mean of keep, drop and replace",
        both,
        [Arm("signal", "dapo", signal) for signal in SIGNALS],
    )
    for arm, signal in zip(both, SIGNALS, strict=True):
        yield f"the same under {signal}", [arm], [Arm("signal", "dapo", signal)]
    yield "clip: epsilon_high 0.28 - 0.2, 4 steps per generation", [ARMS[-1]], [ARMS[-2]]


def run_all(
    data: Path, results: Path, parts: Sequence[str], seeds: Sequence[int], pairs: int, steps: int | None
) -> None:
    """Run what the results lack, all arms with one seed before the next seed."""
    planned = (
        (arm.name(), seed, arm.changes(seed) | ({"steps": steps} if steps else {}))
        for seed in seeds
        for arm in ARMS
        if arm.part in parts
    )
    run_missing(planned, read_demo(data, pairs), results)


def print_tables(lines: Sequence[Mapping[str, Any]]) -> None:
    """All arms, then the differences, in Markdown."""
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        runs.setdefault(line["name"], []).append(line)
    head = ["arm: loss, groups without signal, orders, epsilon_high", "dev accuracy [95 %]", "by seed"]
    head += ["same answer in both orders", "unreadable", "reward at the end", "without signal", "clipped"]
    print_table([*head, "replies sampled", "CPU s"], [_arm_row(name, several) for name, several in runs.items()])
    print()
    whole = {name: several for name, several in runs.items() if not any("failed" in one for one in several)}
    found = [
        (name, *(difference_of_sides(whole, _names(sides), values) for values in (_right, _consistent)))
        for name, *sides in contrasts()
        if all(arm in whole for side in _names(sides) for arm in side)
    ]
    adjusted = holm({f"{name} {at}": one.test.p for at, (name, one, _) in enumerate(found)})
    rows = [
        [name, *(f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]" for one in (accuracy, same)), f"{p:.3g}"]
        for (name, accuracy, same), p in zip(found, adjusted.values(), strict=True)
    ]
    print_table(["difference", "dev accuracy", "same answer in both orders", "p of accuracy (sign test, Holm)"], rows)


def _right(run: Mapping[str, Any]) -> list[float]:
    return right_by_pair(run["dev"])


def _consistent(run: Mapping[str, Any]) -> list[float]:
    return consistent_by_pair(run["dev"])


def _names(sides: Sequence[Sequence[Arm]]) -> list[list[str]]:
    return [[arm.name() for arm in side] for side in sides]


def _arm_row(name: str, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    whole = [run for run in runs if "failed" not in run]
    if not whole:
        return [name, *(run["failed"] for run in runs[:1]), *[""] * 8]
    right = np.mean([right_by_pair(run["dev"]) for run in whole], axis=0)
    low, high = percentiles(bootstrap_means(right, RESAMPLES, 0))
    means = [
        ("same", np.mean([consistent_by_pair(run["dev"]) for run in whole])),
        ("unreadable", np.mean([unreadable_share(run["dev"]) for run in whole])),
        ("reward", np.mean([run["reward"] for run in whole])),
        ("without", np.mean([run["without_signal"] for run in whole])),
        ("clipped", np.mean([run["clipped"] for run in whole])),
    ]
    by_seed = ", ".join(f"{run['accuracy']:.3f}" if "failed" not in run else "stopped" for run in runs)
    sampled, cpu = (np.mean([run[key] for run in whole]) for key in ("replies_sampled", "cpu_seconds"))
    first = [name, f"{right.mean():.3f} [{low:.3f}, {high:.3f}]", by_seed]
    return [*first, *(f"{value:.3f}" for _, value in means), f"{sampled:,.0f}", f"{cpu:.0f}"]


def main() -> None:
    """Run what is missing, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="a finished demo's data folder")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument(
        "--parts", nargs="+", choices=("signal", "orders", "clip"), default=["signal", "orders", "clip"]
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--pairs", type=int, default=300, help="dev pairs that each run is judged on")
    parser.add_argument("--steps", type=int, help="of every run, for a trial with results of its own")
    parser.add_argument("--table", action="store_true", help="print what is in the results; run nothing")
    given = parser.parse_args()
    if given.table:
        return print_tables(read_results(given.results))
    return run_all(given.data, given.results, given.parts, given.seeds, given.pairs, given.steps)


if __name__ == "__main__":
    main()
