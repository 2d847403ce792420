"""A finished run as a paper cites it: commit, hashes of the data, seeds, prompts, versions, and the report's figures.

Nothing is computed anew: hashes and seeds are those of dvc.lock, figures those of the report's metrics.json.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasrm.datasets.origins import DataOrigin, OriginOf, read_origins
from reasrm.fingerprints.locked_versions import locked_versions
from reasrm.probes.measures_file import ProbeMeasures, read_all_measures
from reasrm.publishing.lineage import LockedFile, LockedStage, is_as_locked, lineage, read_lock
from reasrm.publishing.project_state import ProjectState, project_state
from reasrm.records.jsonl import BadRecordError, explain
from reasrm.records.unasked_prompts import IDENTITY
from reasrm.runtime.stage_main import StageError

METRICS = "data/report/metrics.json"
REPORT = "report"
"""The stage that writes it."""
CITED_DATA = ("pairs", "traces", "benchmarks", "checkpoints", "judgments", "probes")
"""Folders of data/ whose hashes are cited."""
CITED_LIBRARIES = ("torch", "transformers", "tokenizers", "trl", "accelerate", "peft", "datasets", "numpy", "scipy")
"""Of the locked ones those that compute figures; the lock files name all."""

NAMED = 3
"""Stages that are named where more are out of date."""


class CitedScore(BaseModel):
    """A benchmark's score, or the mean of several."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float
    n: int
    ci95: tuple[float, float] | None


class CitedModel(BaseModel):
    """One model in metrics.json."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    average: CitedScore | None
    benchmarks: dict[str, CitedScore]


class CitedFigures(BaseModel):
    """What is cited of the report's metrics.json."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str
    configuration: str
    benchmark_labels: dict[str, str]
    ladder: tuple[str, ...]
    models: dict[str, CitedModel] = Field(min_length=1)


class CitedPrompt(BaseModel):
    """With which prompt a model judged; no instruction's hash where it scores and reads none."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    instruction: str
    """Hash of its text; empty without one."""


@dataclass(frozen=True)
class CitedRun:
    """Everything that is cited of one run."""

    figures: CitedFigures
    labels: dict[str, str]
    """Names of models for readers."""
    repository: str
    """Address of the code; empty where params.yaml names none."""
    version: str
    """Of this program."""
    state: ProjectState
    figures_as_locked: bool
    """Whether metrics.json holds the bytes that dvc.lock names."""
    data: tuple[LockedFile, ...]
    seeds: dict[str, tuple[int, ...]]
    """By dotted key; several values where stages ran with different ones."""
    prompts: dict[str, CitedPrompt]
    """By model."""
    versions: dict[str, str]
    probes: dict[str, ProbeMeasures]
    """By model; empty where none was probed."""
    origins: dict[OriginOf, tuple[DataOrigin, ...]]
    """Data that others published."""

    def label(self, model: str) -> str:
        """The model's name for readers."""
        return self.labels.get(model, model)

    def doubts(self) -> list[str]:
        """What a reader of the citation must know, each a clause; empty where the run is clean."""
        found = []
        if not self.state.commit:
            found.append("the project is not in git, so no commit is named")
        if self.state.has_edits:
            found.append("files differ from the commit that is named")
        if not self.figures_as_locked:
            found.append(f"{METRICS} is not the one that dvc.lock names")
        if self.state.stale:
            first, more = list(self.state.stale)[:NAMED], len(self.state.stale) - NAMED
            found.append(f"out of date: {', '.join(first)}{f' and {more} more stages' if more > 0 else ''}")
        return found


def cited_run(root: Path) -> CitedRun:
    """Read what is cited of the run in the project `root`.

    Raises:
        StageError: there is no finished run, or its files cannot be read; says which.
        BadRecordError: a file is not what its stage writes.
    """
    figures = _figures(root / METRICS)
    stages = lineage(read_lock(root), REPORT)
    report = next((stage for stage in stages if stage.name == REPORT), None)
    if report is None:
        raise StageError(f"dvc.lock knows no run of the stage {REPORT}; `reasrm run` makes one")
    page = report.params.get("report", {})
    judgments = root / "data/judgments"
    return CitedRun(
        figures=figures,
        labels={str(name): str(label) for name, label in page.get("models", {}).items()},
        repository=str(page.get("repository", "")),
        version=metadata.version("reasrm"),
        state=project_state(root, REPORT, scored=False),
        figures_as_locked=is_as_locked(root, stages, METRICS),
        data=tuple(_data(root, stages)),
        seeds=_seeds(stages),
        prompts={model: _prompt(judgments / model / IDENTITY) for model in figures.ladder},
        versions=_versions(root),
        probes=read_all_measures(root / "data/probes"),
        origins=read_origins(root / "data"),
    )


def _figures(file: Path) -> CitedFigures:
    if not file.is_file():
        raise StageError(f"{file}: not there, so there is no finished run to cite; `reasrm run` makes one")
    try:
        return CitedFigures.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: not what `report` writes: {explain(error)}; run `dvc repro report`") from error


def _data(root: Path, stages: list[LockedStage]) -> Iterator[LockedFile]:
    """The outputs of `stages` that are cited and there; dvc.lock may name those of other settings besides."""
    for kind in CITED_DATA:
        for stage in stages:
            yield from (
                out
                for out in stage.outputs
                if PurePosixPath(out.path).is_relative_to(f"data/{kind}") and (root / out.path).exists()
            )


def _seeds(stages: list[LockedStage]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for stage in stages:
        for key, seed in _seeds_in(stage.params, ""):
            found.setdefault(key, set()).add(seed)
    return {key: tuple(sorted(seeds)) for key, seeds in sorted(found.items())}


def _seeds_in(params: Mapping[str, Any], above: str) -> Iterator[tuple[str, int]]:
    for key, value in params.items():
        if key == "seed" and isinstance(value, int):
            yield above, value
        elif isinstance(value, Mapping):
            yield from _seeds_in(value, f"{above}.{key}" if above else str(key))


def _prompt(file: Path) -> CitedPrompt:
    if not file.is_file():
        raise StageError(f"{file}: not there, though metrics.json has that model; `reasrm run --to report`")
    identity = orjson.loads(file.read_bytes())
    form = identity.get("form", {})
    return CitedPrompt(prompt=str(form.get("prompt", "")), instruction=str(form.get("instruction", "")))


def _versions(root: Path) -> dict[str, str]:
    locked = locked_versions(root / "locks")
    return {name: " and ".join(locked[name]) for name in CITED_LIBRARIES if name in locked}
