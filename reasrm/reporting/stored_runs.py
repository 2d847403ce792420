"""Figures measured outside this run and stored with the code: other training seeds, and ladders of other settings.

They cannot be outputs of the same pipeline run (other parameters, other seeds), so they stand in two JSON files with
the command that reproduces each of them. The page marks them as stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

FINGERPRINTED_FILES = ("other_seeds.json", "other_ladders.json")
"""Files beside this module whose content is part of its meaning."""


class StoredRun(BaseModel):
    """The accuracy of one model of one ladder and training seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ladder: str
    """Which ladder: the configuration as `report.configuration` names it, or what is other than in the miniature."""
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
    settings: str = ""
    """Hash of the settings that it was trained and judged with (`run_settings.settings_hash`); empty for a run of other
    settings than any that it is shown beside."""


class OtherLadder(BaseModel):
    """A ladder of other settings, to be shown beside this run's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    text: str
    """What is other than in this run, and what follows, in a sentence or two."""
    runs: tuple[StoredRun, ...] = Field(min_length=1)


_RUNS = TypeAdapter(tuple[StoredRun, ...])
_LADDERS = TypeAdapter(tuple[OtherLadder, ...])


def other_seeds() -> tuple[StoredRun, ...]:
    """Ladders trained from other seeds; the page shows those of its own configuration and settings."""
    return _RUNS.validate_json(Path(__file__).with_name(FINGERPRINTED_FILES[0]).read_bytes())


def other_ladders() -> tuple[OtherLadder, ...]:
    """The miniature with other settings; empty until it is measured."""
    return _LADDERS.validate_json(Path(__file__).with_name(FINGERPRINTED_FILES[1]).read_bytes())


@dataclass(frozen=True)
class StoredRow:
    """The models of one ladder and seed, as one row of a table."""

    name: str
    seed: int
    command: str
    measured_on: str
    n: int
    accuracies: dict[str, StoredRun]
    """By name of the model."""


def stored_sources(runs: Sequence[StoredRun]) -> tuple[tuple[int, str, str], ...]:
    """Questions, day and machine, and command behind the runs, each once."""
    return tuple(dict.fromkeys((run.n, run.measured_on, run.command) for run in runs))


def stored_rows(runs: Sequence[StoredRun]) -> tuple[StoredRow, ...]:
    """The runs grouped by ladder, seed, command and day, in their order."""
    grouped: dict[tuple[str, int, str, str, int], dict[str, StoredRun]] = {}
    for run in runs:
        grouped.setdefault((run.ladder, run.seed, run.command, run.measured_on, run.n), {})[run.model] = run
    return tuple(StoredRow(*key, accuracies) for key, accuracies in grouped.items())
