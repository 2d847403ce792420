"""Figures measured outside this run and kept with the code: the second ladder and other training seeds.

They cannot be outputs of the same pipeline run (other parameters, other seeds), so they stand in two JSON files with
the command that reproduces each of them.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

FINGERPRINTED_FILES = ("second_ladder.json", "other_seeds.json")
"""Files beside this module whose content is part of its meaning."""


class MeasuredRun(BaseModel):
    """The accuracy of one model of one ladder and training seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ladder: str
    """Which ladder: the name of the configuration in words."""
    seed: int
    """Training seed."""
    model: str
    """Name of the model as in `data/scores/`."""
    accuracy: float = Field(ge=0, le=1)
    n: int = Field(gt=0)
    """Judgments behind the accuracy."""
    ci95: tuple[float, float]
    command: str
    """What to type to measure it again."""
    measured_on: str
    """Date and kind of machine."""


_RUNS = TypeAdapter(tuple[MeasuredRun, ...])


def second_ladder() -> tuple[MeasuredRun, ...]:
    """The ladder whose headroom is not planted; empty until it is measured."""
    return _read("second_ladder.json")


def other_seeds() -> tuple[MeasuredRun, ...]:
    """The same ladder trained from other seeds; empty until it is measured."""
    return _read("other_seeds.json")


def _read(name: str) -> tuple[MeasuredRun, ...]:
    return _RUNS.validate_json(Path(__file__).with_name(name).read_bytes())
