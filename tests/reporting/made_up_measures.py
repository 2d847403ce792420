"""Measures of made-up probes, in the probes' own records: shares, differences, another unit, refusals, variants."""

import random
from pathlib import Path
from typing import Any

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measures_file import MEASURES, ProbedBy, ProbeMeasures
from reasrm.probes.probe_run import ProbeCost
from reasrm.probes.question_values import QUESTION_VALUES, MeasuredQuestions, QuestionValues
from reasrm.runtime.outputs import write_json
from reasrm.scoring.intervals import Interval

PROBED = ("base", "sft", "grpo-full", "scalar_rm")
SHAKY = {"base": 0.3, "sft": 0.15, "grpo-full": 0.05, "scalar_rm": 0.0}
"""Share of flips."""


def measure(name: str, value: float, half: float, **given: Any) -> Measure:
    """A measure whose interval is `half` to both sides, cut off where shares end."""
    lowest = -1.0 if given.get("null") == 0 else 0.0
    highest = 1000.0 if given.get("unit") else 1.0
    bounds = {"low": max(lowest, value - half), "high": min(highest, value + half)}
    made = {"name": name, "value": value, "interval": Interval.BOOTSTRAP, "units": 240, "questions": 120}
    return Measure.model_validate(made | bounds | given)


def order(model: str) -> ProbedBy:
    """The probe of the order of answers, by its own names."""
    flips, tests = SHAKY[model], {"null": 0.5, "p": 0.2 + SHAKY[model], "detectable": 0.05}
    measures = [
        measure("consistent_accuracy", 0.9 - 2 * flips, 0.03, good=Good.HIGHER),
        measure("flip_rate", flips, 0.03, good=Good.LOWER, left_out=4),
        measure("picked_a", 0.5 + flips / 5, 0.02, **tests),
    ]
    return probed("Order of the answers", "Does the verdict follow the answer?", measures)


def variants(model: str) -> ProbedBy:
    """A probe with variants, a difference and another unit; it refuses a judge that scores."""
    if model == "scalar_rm":
        return probed("Made-up variants", "What changes a verdict?", [], refused="the judge writes no replies")
    dice = random.Random(model)
    shares = [measure("moved", dice.random(), 0.1, variant=f"edit_{at}") for at in range(9)]
    gap = measure("net_change", -0.12, 0.05, null=0.0, p=0.0004, detectable=0.07, good=Good.LOWER)
    steps = measure("steps_until_decided", 3.25, 0.5, unit="steps")
    return probed("Made-up variants", "What changes a verdict?", [*shares, gap, steps], unknown_words=7)


def grounding(model: str) -> ProbedBy:
    """Quotations that are found; less often the more a model flips."""
    if model == "scalar_rm":
        return probed("Made-up grounding", "Are quotations real?", [], refused="the judge writes no replies")
    return probed("Made-up grounding", "Are quotations real?", [measure("grounded", 1 - 2 * SHAKY[model], 0.03)])


def question_values(model: str) -> QuestionValues:
    """Whether the quotation of each of a hundred questions is found."""
    found = round(100 * (1 - 2 * SHAKY[model]))
    values = [float(at < found) for at in range(100)]
    grounded = MeasuredQuestions(probe="grounding", name="grounded", variant="", places=[*range(100)], values=values)
    return QuestionValues(questions=[f"question {at}" for at in range(100)], measures=[grounded])


def probed(title: str, question: str, measures: list[Measure], refused: str = "", unknown_words: int = 0) -> ProbedBy:
    """A probe in the file."""
    names = dict.fromkeys(one.name for one in measures)
    return ProbedBy(
        title=title, question=question, source="Somebody (2026), section 1", settings={}, refused=refused, queries=30,
        definitions={name: f"What {name} is, in words." for name in names}, unknown_words=unknown_words,
        measures=measures,
    )  # fmt: skip


def made_up_measures(model: str) -> ProbeMeasures:
    """All measures of a model."""
    cost = ProbeCost(judgments=360, margins=90, prompt_tokens=4000, completion_tokens=3000)
    return ProbeMeasures(
        questions=120, plain_judgments=300, cost=cost, resamples=100, seed=0, judge={},
        probes={"order": order(model), "variants": variants(model), "grounding": grounding(model)},
    )  # fmt: skip


def write_probes(folder: Path) -> None:
    """The files of all probed models."""
    for model in PROBED:
        write_json(folder / "probes" / model / MEASURES, made_up_measures(model).model_dump(mode="json"))
        write_json(folder / "probes" / model / QUESTION_VALUES, question_values(model).model_dump(mode="json"))
