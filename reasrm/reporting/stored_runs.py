"""Figures measured outside this run and stored with the code: the second ladder and other training seeds.

They cannot be outputs of the same pipeline run (other parameters, other seeds), so they stand in two JSON files with
the command that reproduces each of them. The page marks them as stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from reasrm.reporting.display_text import percent, points

FINGERPRINTED_FILES = ("second_ladder.json", "other_seeds.json")
"""Files beside this module whose content is part of its meaning."""


class StoredRun(BaseModel):
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
    """Questions behind the accuracy."""
    ci95: tuple[float, float]
    command: str
    """What to type to measure it again."""
    measured_on: str
    """Date and kind of machine."""


_RUNS = TypeAdapter(tuple[StoredRun, ...])


def second_ladder() -> tuple[StoredRun, ...]:
    """The ladder whose oracle has no planted laziness; empty until it is measured."""
    return _read("second_ladder.json")


def other_seeds() -> tuple[StoredRun, ...]:
    """The same ladder trained from other seeds; empty until it is measured."""
    return _read("other_seeds.json")


@dataclass(frozen=True)
class StoredLadder:
    """The models of one ladder and seed, as one row of a table."""

    name: str
    seed: int
    command: str
    measured_on: str
    n: int
    accuracies: dict[str, StoredRun]
    """By name of the model."""


def stored_ladders(runs: Sequence[StoredRun]) -> tuple[StoredLadder, ...]:
    """The runs grouped by ladder, seed, command and day, in their order."""
    grouped: dict[tuple[str, int, str, str, int], dict[str, StoredRun]] = {}
    for run in runs:
        grouped.setdefault((run.ladder, run.seed, run.command, run.measured_on, run.n), {})[run.model] = run
    return tuple(StoredLadder(*key, accuracies) for key, accuracies in grouped.items())


def stored_gain(runs: Sequence[StoredRun], earlier: str, later: str, label: str) -> str:
    """What the later training stage gains or loses in `runs`, as a sentence; empty if either is not there.

    Args:
        runs: of one ladder and one seed.
        earlier: name of the earlier stage's model.
        later: name of the later stage's model.
        label: the later model's name for readers.
    """
    accuracy = {run.model: run.accuracy for run in runs}
    if earlier not in accuracy or later not in accuracy:
        return ""
    difference = accuracy[later] - accuracy[earlier]
    verb = "gains" if difference > 0 else "loses"
    return (
        f"Here {label} {verb}: {percent(accuracy[later])} against {percent(accuracy[earlier])} before, "
        f"{points(difference)} points."
    )


def _read(name: str) -> tuple[StoredRun, ...]:
    return _RUNS.validate_json(Path(__file__).with_name(name).read_bytes())
