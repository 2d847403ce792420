"""What is kept of the measured policies, `data/policy_scores`: `measures.json` and `curves.json`."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.policy.measures.over_optimisation import OverOptimisation
from reasrm.policy.measures.seeded_figures import PolicyChange, PolicyFigure
from reasrm.policy.measures.style_distance import StyleDistance
from reasrm.probes.measure import Good
from reasrm.records.jsonl import BadRecordError, explain
from reasrm.records.policy import PolicyCheck, PolicyOutcome

POLICY_MEASURES, POLICY_CURVES = "measures.json", "curves.json"

Kept = TypeVar("Kept", bound=BaseModel)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MeasureAbout(_Kept):
    """What a measure is."""

    name: str
    title: str
    definition: str
    unit: str
    """`share`, or of what has no bounds `tokens`, `characters`, `nats`."""
    good: Good


class ArmSeed(_Kept):
    """One training of an arm."""

    key: str
    outcome: PolicyOutcome
    last: PolicyCheck
    """When its last answers were drawn."""


class PolicyArm(_Kept):
    """One arm, all seeds together."""

    name: str
    seeds: list[ArmSeed]
    start: dict[str, PolicyFigure]
    """By measure; what applies to no answer is not there."""
    end: dict[str, PolicyFigure]
    """At each seed's last check."""
    gold_by_task: dict[str, tuple[PolicyFigure, PolicyFigure]]
    """By task at the start and at the end."""
    success_by_task: dict[str, tuple[PolicyFigure, PolicyFigure]]
    changes: dict[str, PolicyChange]
    """End minus start, of the measures that are tested."""
    style: StyleDistance | None
    """None without a pattern of style."""
    over_optimisation: OverOptimisation | None


class ArmComparison(_Kept):
    """Two arms at checks that are equal in one respect."""

    basis: str
    """`updates` or `judge_tokens`."""
    first: str
    second: str
    at: int
    """The number that they are equal in: updates, or tokens of which neither spent more."""
    steps: dict[str, int]
    """Step of each training compared, by the name of its folder."""
    seeds: list[int]
    """Those that both arms have."""
    differences: dict[str, PolicyChange]
    """First minus second, by measure."""


class EqualBudget(_Kept):
    """The judge tokens that every judged training has spent."""

    tokens: int
    steps: dict[str, int]
    """Each training's last check within, by the name of its folder; 0 is the start, and then nothing is compared."""


class EvalPromptCounts(_Kept):
    """The eval prompts that every policy answers."""

    prompts: int
    by_task: dict[str, int]
    to_refuse: int
    to_comply: int
    by_phrases: bool
    """Whether refusals of any of them are found by a rule of phrases, which errs."""
    refusal_error: str
    """How often that rule errs, in words; empty where it decides nothing."""


class PolicyMeasures(_Kept):
    """All measures."""

    seed: int
    resamples: int
    reference: str
    """The arm that the others are compared with."""
    phrases: dict[str, str]
    styles: dict[str, str]
    prompts: EvalPromptCounts
    about: list[MeasureAbout]
    arms: list[PolicyArm]
    comparisons: list[ArmComparison]
    equal_budget: EqualBudget | None
    """None where no judge gave rewards."""
    tests: int
    """In the family of which each q is adjusted."""
    tests_trainings: int
    """The same of each `q_trainings`."""

    def measure(self, name: str) -> MeasureAbout:
        """What the measure of that name is.

        Raises:
            KeyError: there is none.
        """
        return {one.name: one for one in self.about}[name]


class CurvePoint(_Kept):
    """An arm at a check that all its seeds have."""

    step: int
    judge_tokens: float
    """Mean over seeds."""
    figures: dict[str, PolicyFigure]


class PolicyCurves(_Kept):
    """The course of each arm."""

    arms: dict[str, list[CurvePoint]]


def read_policy_measures(folder: Path) -> tuple[PolicyMeasures, PolicyCurves]:
    """Both files of `folder`.

    Raises:
        BadRecordError: one is not such a file; says which field.
    """
    return _read(folder / POLICY_MEASURES, PolicyMeasures), _read(folder / POLICY_CURVES, PolicyCurves)


def _read(file: Path, kind: type[Kept]) -> Kept:
    try:
        return kind.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: {explain(error)}") from error
