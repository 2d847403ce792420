"""The score files as the report reads them: `data/scores/<model>.json`, written by the stage `score`.

Only what the page shows is read here; a score file may hold more.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from reasrm.records.jsonl import BadRecordError, explain


class Figure(BaseModel):
    """A share with what it rests on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    value: Annotated[float, Field(validation_alias=AliasChoices("score", "accuracy", "value"))]
    n: int = 0
    ci95: tuple[float, float] | None = None

    def as_metrics(self, name: str) -> dict[str, Any]:
        """The figure under `name` with n and interval."""
        return {name: self.value, "n": self.n, "ci95": None if self.ci95 is None else list(self.ci95)}


class BenchmarkScore(BaseModel):
    """One benchmark's official score, its sections, and RM-Bench's cells."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float
    n: int
    ci95: tuple[float, float]
    unreadable_rule: str
    """What an unreadable verdict is worth in this score, in words."""
    sections: dict[str, Figure] = Field(default_factory=dict)
    sections_missing: tuple[str, ...] = ()
    """Official sections without a single judgment: the score is then not the whole benchmark's."""
    notes: tuple[str, ...] = ()
    """What must be known with the score: a rule that is not the official one, rows that are not there."""
    matrix: dict[str, dict[str, Figure]] = Field(default_factory=dict)
    """RM-Bench only: by domain (and `all`), by cell `ij`: style of the chosen, style of the rejected answer."""
    difficulties: dict[str, Figure] = Field(default_factory=dict)

    def as_metrics(self) -> dict[str, Any]:
        """Score, n and interval of the benchmark, its sections and its difficulties."""
        parts = {"sections": self.sections, "difficulties": self.difficulties}
        return self.figure.as_metrics("score") | {
            part: {name: figure.as_metrics("score") for name, figure in figures.items()}
            for part, figures in parts.items()
            if figures
        }

    @property
    def figure(self) -> Figure:
        """The headline."""
        return Figure(value=self.score, n=self.n, ci95=self.ci95)


class ReportedDifference(BaseModel):
    """A model's accuracy minus another's, on the same items."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    value: float
    n: int
    """Questions that both judged."""
    ci95: tuple[float, float]
    better: int
    """Questions on which the first is better."""
    worse: int
    p: float
    """Of the exact McNemar test over questions."""


class PartShift(BaseModel):
    """Two judges on a part of the questions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    earlier: float
    """Accuracy of the earlier judge."""
    later: float
    difference: ReportedDifference
    """The later judge minus the earlier one."""


class ReportedShift(BaseModel):
    """Two judges on the slices that traces cover and on the others, as `reasrm.scoring.shift` compares them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    covered: PartShift
    shift: PartShift
    slices: dict[str, ReportedDifference]
    gap: float
    """The gain on the shift minus that on what is covered."""
    gap_ci95: tuple[float, float] | None


class TokenCost(BaseModel):
    """What 1,000 judgments of a judge that writes cost."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt_tokens: float
    completion_tokens: float
    dollars: float | None
    """None where `score.prices` has no price."""


class ModelScores(BaseModel):
    """One model's scores."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    accuracy: float
    n: int
    ci95: tuple[float, float]
    flip_rate: float | None
    families: dict[str, Figure]
    slices: dict[str, Figure] = Field(default_factory=dict)
    """Parts of the families; empty where the rows name none."""
    benchmarks: dict[str, BenchmarkScore]
    average: Figure | None
    """Mean of the headline benchmarks; None if one of them was not judged."""
    unreadable_rate: float
    unreadable: dict[str, int]
    """Judgments without a verdict, by cause."""
    picked_a: float | None
    """Share of readable verdicts that name A."""
    better_is_a: float | None
    """Share of readable verdicts whose better answer is A: what `picked_a` is to be held against."""
    both_orders_right: float | None
    judged: int
    """Judgments."""
    longer: Figure | None
    """Accuracy where the better answer is the longer one."""
    shorter: Figure | None
    differences: dict[str, ReportedDifference]
    """Against each other model."""
    per_1000: TokenCost | None = None
    """None for a judge that scores."""
    token_budgets: dict[int, Figure] = Field(default_factory=dict)
    """Accuracy within so many tokens of reasoning; empty where no budget was asked for."""

    def as_metrics(self) -> dict[str, Any]:
        """The figures of `metrics.json`; cells and categories stay in the score file."""
        return {
            "accuracy": self.accuracy,
            "n": self.n,
            "ci95": list(self.ci95),
            "flip_rate": self.flip_rate,
            "unreadable_rate": self.unreadable_rate,
            "picked_a": self.picked_a,
            "average": None if self.average is None else self.average.as_metrics("score"),
            "families": {name: figure.as_metrics("accuracy") for name, figure in self.families.items()},
            "slices": {name: figure.as_metrics("accuracy") for name, figure in self.slices.items()},
            "token_budgets": {str(b): figure.as_metrics("accuracy") for b, figure in self.token_budgets.items()},
            "benchmarks": {name: score.as_metrics() for name, score in self.benchmarks.items()},
        }

    @property
    def length_gap(self) -> float | None:
        """How much more often it is right where the better answer is the longer one."""
        return None if self.longer is None or self.shorter is None else self.longer.value - self.shorter.value

    @property
    def figure(self) -> Figure:
        """Accuracy over all judgments."""
        return Figure(value=self.accuracy, n=self.n, ci95=self.ci95)


def read_scores(file: Path) -> ModelScores:
    """Read one score file.

    Raises:
        BadRecordError: it is not what `score` writes; says file and field.
    """
    try:
        return ModelScores.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: not a score file: {explain(error)}; run `dvc repro score` again") from error
