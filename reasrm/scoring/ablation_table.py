"""A table of an ablation: each row's figures over training seeds, and each step between two rows as paired difference.

`python -m reasrm.scoring.ablation_table` reads an `AblationRequest` as JSON on standard input and prints the table as
JSON: a program of its own, since the flows that run the trainings reach no numerical library.
"""

import math
import sys
from enum import StrEnum
from typing import Any

import numpy as np
from pydantic import ValidationError

from reasrm.benchmarks.registry import display_names
from reasrm.benchmarks.scoring_rule import OutcomeError
from reasrm.records.harmless_text import json_text
from reasrm.records.jsonl import BadRecordError, explain
from reasrm.records.wilson_interval import wilson
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import guard_streams, say_error, say_json
from reasrm.scoring.ablation_figures import Figures, official_scores, question_accuracies
from reasrm.scoring.ablation_judgments import AblationRequest, read_judged, subsets
from reasrm.scoring.intervals import Share, difference_interval
from reasrm.scoring.judged_items import JudgedItem
from reasrm.scoring.paired_differences import ROUNDING, holm
from reasrm.scoring.seed_intervals import (
    COVERS_BOTH,
    COVERS_QUESTIONS,
    LEVEL,
    SeededFigure,
    SeedEstimate,
    mean_figure,
    seed_estimate,
)
from reasrm.scoring.shift import Part

AVERAGE, ACCURACY = "average", "accuracy"
TESTED = (AVERAGE, ACCURACY)
"""The figures whose steps are tested, each over all steps of the table by Holm's rule."""
GAP = "gap"
MEANING = {
    AVERAGE: "mean of the official scores of the benchmarks in `headline`, each with the same weight; a "
    "question that several of them ask is drawn for all of them",
    ACCURACY: "share of right verdicts over the questions of these benchmarks, each question counting once",
    Part.COVERED.value: "accuracy over the questions from slices of the world that the oracle's traces cover",
    Part.SHIFT.value: "accuracy over the questions from all other slices",
    GAP: "the step on the shift minus the step on what the traces cover",
    "reply_tokens": "tokens of a judgment's reply, mean over judgments and seeds; null of judges that only score",
    "value": "mean over seeds",
    "ci95_questions": "other questions, these very trainings: percentiles of a bootstrap over questions, each drawn "
    "for all seeds and both rows",
    "seeds": "each seed's own figure",
    "spread": "standard deviation over seeds",
    "p": "two-sided, of the difference being zero: the least level at which an interval made like ci95 leaves zero out "
    "(of one seed, by the variance over questions alone)",
    "p_holm": "p adjusted by Holm's rule for looking at all steps of the table at once",
    "finding": "shown: ci95 above zero and p_holm below 0.05; reversed: ci95 below zero and p_holm below 0.05; "
    "not_after_holm: ci95 without zero, but p_holm not below 0.05; not_shown: ci95 holds zero",
}


class StepFinding(StrEnum):
    """What a step's interval and its adjusted p say together."""

    SHOWN = "shown"
    REVERSED = "reversed"
    NOT_AFTER_HOLM = "not_after_holm"
    NOT_SHOWN = "not_shown"


def finding(low: float, high: float, p_holm: float) -> StepFinding:
    """The finding of a difference with the interval from `low` to `high`."""
    if low <= 0 <= high:
        return StepFinding.NOT_SHOWN
    if p_holm >= LEVEL:
        return StepFinding.NOT_AFTER_HOLM
    return StepFinding.SHOWN if low > 0 else StepFinding.REVERSED


def ablation_table(request: AblationRequest) -> dict[str, Any]:
    """The table as JSON: `rows` by name, `steps` in their order, and what the figures mean.

    Raises:
        OutcomeError: judgments are missing, are about different items, or cannot be scored.
        BadRecordError: a line is no record.
    """
    judged, settings = read_judged(request), request.settings()
    benchmarks = official_scores(request.headline, judged, settings)
    some = next(iter(judged.values()))[0]
    questions = len({one.item.group for one in some})
    averages = {row: mean_figure([figures[row] for figures in benchmarks.values()], questions) for row in judged}
    parts = subsets(request, judged)
    figures = {AVERAGE: averages, **question_accuracies(judged, {ACCURACY: lambda _: True, **parts}, settings)}
    steps = [
        {
            "first": first,
            "second": second,
            **{name: _tested(_step(of, first, second)) for name, of in figures.items()},
            "benchmarks": {name: _tested(_step(of, first, second)) for name, of in benchmarks.items()},
            **({GAP: _tested(_shift(figures, first, second))} if parts else {}),
        }
        for first, second in request.steps
    ]
    _test(steps)
    seeds = len(request.rows[0].judgments)
    return {
        "rows": {
            row: {name: _row(of[row]).as_json() for name, of in figures.items()}
            | {"benchmarks": {name: _row(of[row]).as_json() for name, of in benchmarks.items()}}
            | {"reply_tokens": _reply_tokens(judged[row])}
            for row in judged
        },
        "steps": steps,
        "n": {
            "seeds": seeds,
            "questions": questions,
            "comparisons": len({one.item[:2] for one in some}),
            "judgments_per_judge": len(some),
        },
        "titles": display_names(request.rows[0].benchmarks[0]),
        "headline": list(request.headline),
        "covered": list(request.covered) if request.covered is not None and parts else None,
        "resamples": request.resamples,
        "meaning": MEANING | {"ci95": f"covers {COVERS_BOTH if seeds > 1 else COVERS_QUESTIONS}"},
    }


def _reply_tokens(by_seed: list[list[JudgedItem]]) -> float | None:
    """What a judge writes on average, over all seeds; None where it writes nothing."""
    written = [one.completion_tokens for items in by_seed for one in items if one.completion_tokens is not None]
    return float(np.mean(written)) if written else None


def _row(figure: SeededFigure) -> SeedEstimate:
    mean = float(figure.values.mean())
    return seed_estimate(figure, lambda: wilson(mean * figure.questions, figure.questions), (0.0, 1.0))


def _step(figures: Figures, first: str, second: str) -> SeedEstimate:
    """One row minus another in one figure."""
    one, other = figures[first], figures[second]
    gap = one.minus(other)

    def without_spread() -> tuple[float, float]:
        if np.abs(gap.values).max() < ROUNDING:  # they agree on every question
            return 0.0, 0.0
        shares = (Share(float(figure.values.mean()), figure.questions) for figure in (one, other))
        return difference_interval(gap.samples.mean(axis=0), *shares)

    return seed_estimate(gap, without_spread, (-1.0, 1.0))


def _shift(figures: dict[str, Figures], first: str, second: str) -> SeedEstimate:
    """By how much a step is larger where no trace was."""
    gaps = [figures[name][first].minus(figures[name][second]) for name in (Part.SHIFT, Part.COVERED)]

    def without_spread() -> tuple[float, float]:
        shift, covered = (_step(figures[name], first, second) for name in (Part.SHIFT, Part.COVERED))
        down = math.hypot(shift.value - shift.low_questions, covered.high_questions - covered.value)
        up = math.hypot(shift.high_questions - shift.value, covered.value - covered.low_questions)
        return shift.value - covered.value - down, shift.value - covered.value + up

    both = SeededFigure(
        gaps[0].values - gaps[1].values, gaps[0].samples - gaps[1].samples, sum(gap.questions for gap in gaps)
    )
    return seed_estimate(both, without_spread, (-2.0, 2.0))


def _tested(step: SeedEstimate) -> dict[str, Any]:
    return step.as_json() | {"p": step.p}


def _test(steps: list[dict[str, Any]]) -> None:
    """Adjust the p of all steps by Holm's rule, figure by figure, and say what each step shows."""
    for name in TESTED:
        adjusted = holm({f"{place:03}": step[name]["p"] for place, step in enumerate(steps)})
        for step, p_holm in zip(steps, adjusted.values(), strict=True):
            low, high = step[name]["ci95"]
            step[name] |= {"p_holm": p_holm, "finding": finding(low, high, p_holm)}


def main() -> None:
    """Print the table that standard input asks for."""
    guard_streams()
    try:
        request = AblationRequest.model_validate_json(sys.stdin.buffer.read())
        say_json(json_text(ablation_table(request)))
    except ValidationError as error:
        say_error("ablation", explain(error))
        sys.exit(int(ExitCode.FAILED))
    except (OutcomeError, BadRecordError, OSError) as error:
        say_error("ablation", error)
        sys.exit(int(ExitCode.FAILED))


if __name__ == "__main__":
    main()
