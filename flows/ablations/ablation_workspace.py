"""The workspace of one configuration of an ablation with one training seed."""

from dataclasses import dataclass
from pathlib import Path

from flows.workspaces.workspace import Workspace

ABLATIONS = Path("work/ablations")


@dataclass(frozen=True)
class AblationWorkspace(Workspace):
    """One configuration with one training seed."""

    configuration: str
    further: int
    """What is added to the project's training seeds."""
    judges: tuple[str, ...]
    """What is judged in it, by keys of `judge_variants`."""


def ablation_workspace(
    project: Path, configuration: str, further: int, judges: tuple[str, ...], params: str
) -> AblationWorkspace:
    """The workspace that runs up to the judgments of `judges`."""
    folder = ABLATIONS / f"{configuration}-seed-{further}"
    targets = tuple(f"judge@{judge}" for judge in judges)
    return AblationWorkspace(project, folder, targets, params, configuration, further, judges)
