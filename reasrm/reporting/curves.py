"""Training curves as DVCLive wrote them, and which of them the report draws.

DVCLive writes one TSV file per metric under `data/curves/<run>/plots/metrics/`: a column `step` and a column with the
metric's name.
"""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from reasrm.records.wilson_interval import wilson


class BadCurveError(ValueError):
    """A curve file is not what DVCLive writes; says file, line and value."""


@dataclass(frozen=True)
class Curve:
    """One metric of one run, step by step."""

    run: str
    metric: str
    """Path of the metric below `plots/metrics`, without a leading `train/`."""
    steps: tuple[float, ...]
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...] = ()
    """95 % interval of each value; empty where it is not said what a value rests on."""
    n: int | None = None
    """Out of how many the last value is."""


@dataclass(frozen=True)
class Panel:
    """One small plot: which metric it shows and how to read it."""

    metrics: tuple[str, ...]
    """Names under which trainers log it; the first one found counts."""
    title: str
    unit: str
    reading: str
    """One sentence for a reader who sees such a curve for the first time."""
    warn_above: float | None = None
    """From here on something is usually wrong; drawn as a line."""
    counted_by: str = ""
    """Metric that says out of how many a share is; then it has an interval (Wilson)."""
    counted: str = ""
    """What is counted, in the plural."""
    over: str = "step"
    """What lies on the horizontal axis."""


DEV_ACCURACY = Panel(
    ("dev/accuracy",),
    "Dev accuracy",
    "share",
    "Share of right verdicts on pairs that nothing is trained on, given while it trained and read as the benchmarks' "
    "are; a reply without a verdict is wrong.",
    counted_by="dev/pairs",
    counted="pairs",
)
"""Drawn for every run that was judged while it trained."""

REINFORCEMENT = (
    Panel(
        ("groups/reward", "reward"),
        "Reward",
        "",
        "Mean reward of the sampled replies: the weighted sum of the terms that grpo_variants names (exact "
        "parameters, page Data). Term verdict: +1 if right, else -1; consistency: 1, 0 or -1; all others: from 0 to 1. "
        "So where the terms differ, compare slopes, not levels.",
    ),
    DEV_ACCURACY,
    Panel(
        ("kl",),
        "KL to the starting checkpoint",
        "nats per token",
        "How far the policy has moved from where it began. A sudden rise often comes before a collapse.",
    ),
    Panel(
        ("entropy",),
        "Entropy",
        "nats per token",
        "How undecided the policy is at each token. At zero it no longer explores.",
    ),
    Panel(
        ("completions/mean_length", "completion_length"),
        "Reply length",
        "tokens",
        "Mean length of the sampled replies.",
    ),
    Panel(
        ("groups/without_signal", "frac_reward_zero_std"),
        "Groups without spread",
        "share",
        "Share of groups whose replies all got the same reward: they teach nothing. It rises as the task is solved.",
        0.9,
    ),
    Panel(
        ("completions/clipped_ratio",),
        "Replies cut off",
        "share",
        "Share of replies that reached the token limit before they ended.",
        0.1,
    ),
    Panel(
        ("verdict_a_share",),
        "Verdicts for A",
        "share",
        "Share of readable verdicts that name answer A. Far from one half means that position decides.",
    ),
    Panel(
        ("readable",),
        "Readable replies",
        "share",
        "Share of sampled replies that hold a verdict.",
    ),
    Panel(
        ("loss",),
        "Policy loss",
        "",
        "Says little: advantages are centred in each group, so what is left is the length of the better replies and "
        "the KL term. Read the reward.",
    ),
)
"""What is drawn for runs that log a reward (GRPO)."""

SUPERVISED = (
    Panel(("loss",), "Loss", "nats per token", "Mean loss on the part of the text that is trained on."),
    DEV_ACCURACY,
    Panel(("eval_loss",), "Loss on held-out text", "nats per token", "The same on text that is not trained on."),
    Panel(
        ("mean_token_accuracy",),
        "Token accuracy",
        "share",
        "Share of tokens of the training text that the model would have put first.",
    ),
)
"""What is drawn for runs that learn to write text."""

PREFERENCE_PAIRS = (
    Panel(("loss",), "Loss", "nats per pair", "Mean Bradley-Terry loss; 0.693 without any preference."),
    DEV_ACCURACY,
    Panel(
        ("accuracy",),
        "Pair accuracy in training",
        "share",
        "Share of training pairs whose better answer gets the higher score.",
    ),
    Panel(("margin",), "Margin", "score", "Mean difference of the scores of the better and the worse answer."),
)
"""What is drawn for runs that learn to score answers."""


def read_curves(folder: Path) -> tuple[Curve, ...]:
    """All curves of all runs below `folder` (one subfolder per run), ordered by run and metric.

    Raises:
        BadCurveError: a file is not a TSV of steps and numbers.
    """
    return tuple(
        _read_curve(run.name, file, file.relative_to(run / "plots" / "metrics"))
        for run in sorted(path for path in folder.iterdir() if path.is_dir())
        for file in sorted((run / "plots" / "metrics").rglob("*.tsv"))
    )


def read_warnings(folder: Path) -> tuple[tuple[str, str], ...]:
    """What each run's `training.json` warns of, as run and text; nothing for a run without such a file.

    Raises:
        BadCurveError: such a file is not what a training writes.
    """
    found: list[tuple[str, str]] = []
    for file in sorted(folder.glob("*/training.json")):
        try:
            warnings = json.loads(file.read_text(encoding="utf-8"))["warnings"]
            found += [(file.parent.name, str(warning["text"])) for warning in warnings]
        except (ValueError, KeyError, TypeError) as error:
            raise BadCurveError(f"{file}: not what a training writes ({error!r}); train that stage again") from error
    return tuple(found)


def is_reinforcement(curves: tuple[Curve, ...], run: str) -> bool:
    """Whether `run` was trained on a reward."""
    return any(curve.run == run and curve.metric == "reward" for curve in curves)


def learns_from_pairs(curves: tuple[Curve, ...], run: str) -> bool:
    """Whether `run` learned to score the answers of preference pairs."""
    return any(curve.run == run and curve.metric == "margin" for curve in curves)


def panel_curves(curves: tuple[Curve, ...], panel: Panel, runs: tuple[str, ...]) -> tuple[Curve, ...]:
    """The curves of `panel`, at most one per run, in the order of `runs`."""
    found = {(curve.run, curve.metric): curve for curve in curves}
    picked = (next((found[run, name] for name in panel.metrics if (run, name) in found), None) for run in runs)
    return tuple(
        _with_intervals(curve, found.get((curve.run, panel.counted_by)))
        for curve in picked
        if curve is not None and curve.steps
    )


def _with_intervals(curve: Curve, counts: Curve | None) -> Curve:
    """`curve`, which is a share, with the interval that the `counts` at the same steps give it."""
    if counts is None or counts.steps != curve.steps:
        return curve
    shares = zip(curve.values, counts.values, strict=True)
    found = tuple(wilson(round(share * n), round(n)) for share, n in shares)
    return replace(curve, intervals=found, n=round(counts.values[-1]))


def _read_curve(run: str, file: Path, name: Path) -> Curve:
    points = tuple(_points(file))
    metric = name.with_suffix("").as_posix().removeprefix("train/")
    return Curve(run, metric, tuple(step for step, _ in points), tuple(value for _, value in points))


def _points(file: Path) -> Iterator[tuple[float, float]]:
    with file.open(encoding="utf-8", newline="") as text:
        reader = csv.reader(text, delimiter="\t")
        header = next(reader, [])
        if "step" not in header or len(header) < 2:
            raise BadCurveError(f"{file} line 1: expected a column `step` and one more, found {header}")
        step_at = header.index("step")
        value_at = len(header) - 1 if step_at != len(header) - 1 else 0
        for number, row in enumerate(reader, start=2):
            try:
                point = float(row[step_at]), float(row[value_at])
            except (ValueError, IndexError) as error:
                raise BadCurveError(f"{file} line {number}: expected numbers, found {row}") from error
            if all(map(math.isfinite, point)):
                yield point
