"""Everything that a model card says of a checkpoint, read from what the pipeline left; nothing is guessed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasrm.benchmarks.registry import display_names
from reasrm.inference.checkpoint_loading import SCALAR_ARCHITECTURES
from reasrm.inference.checkpoints.checkpoint_folder import read_config
from reasrm.inference.checkpoints.weight_files import stored_dtype
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.publishing.base_facts import BaseFacts, base_facts
from reasrm.publishing.lineage import LockedStage, is_as_locked
from reasrm.publishing.project_state import ProjectState
from reasrm.records.judge_kind import JudgeKind
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import read_yaml

TRAINING_STAGES = ("base_model", "sft", "grpo", "answer_sft", "scalar_rm")
BASE_STAGE = "base_model"
MINIATURE = "miniature"
"""`source` of pairs and benchmarks that are the miniature's own; its oracle's `endpoint` is `local`."""


@dataclass(frozen=True)
class JudgeUse:
    """How the pipeline judges with a checkpoint: an entry of `judge_variants` in params.yaml."""

    name: str
    prompt: PromptVariant
    has_published_prompt: bool
    """It is asked by the prompt file of a published judge."""
    max_new_tokens: int
    max_context_tokens: int


@dataclass(frozen=True)
class CardFacts:
    """What the card of one checkpoint is made of."""

    name: str
    kind: JudgeKind
    architecture: str
    dtype: str
    """Of the weights as the pipeline wrote them."""
    base: BaseFacts
    stages: tuple[LockedStage, ...]
    """Its lineage, the stage that made it last."""
    state: ProjectState
    uses: tuple[JudgeUse, ...]
    scores: Mapping[str, Mapping[str, Any]]
    """The score files by the names of `uses`; only those that are of these weights."""
    benchmark_labels: Mapping[str, str]
    curves: Mapping[str, float]
    """Last values by dotted name."""
    pairs: Mapping[str, Any]
    """`funnel.json` of the pairs, empty where none were used or other ones are there now."""
    traces: Mapping[str, Any]
    revisions: Mapping[str, Any]
    """Commits of the sets that were read from the hub."""

    @property
    def is_miniature(self) -> bool:
        """Whether its pairs are the miniature's synthetic ones."""
        return self.locked("collect_pairs", "collect_pairs").get("source") == MINIATURE

    def locked(self, stage: str, section: str) -> Mapping[str, Any]:
        """A section of params.yaml as it was when a stage of the lineage ran; empty if there is none."""
        found = next((one for one in self.stages if one.name.partition("@")[0] == stage), None)
        return {} if found is None else found.params.get(section, {})


def card_facts(root: Path, name: str, stages: list[LockedStage], state: ProjectState) -> CardFacts:
    """The facts of the checkpoint `name`, made by the last of `stages`.

    Raises:
        StageError: the checkpoint, or a file that the pipeline wrote, cannot be read.
    """
    data = root / "data"
    checkpoint, params = data / "checkpoints" / name, read_yaml(root / "params.yaml")
    config = read_config(checkpoint)
    architecture = str(next(iter(config.get("architectures") or ()), "unknown"))
    uses = judge_uses(params, name)
    base = next((stage for stage in stages if stage.name == BASE_STAGE), None)
    if base is None:
        raise StageError(f"dvc.lock: {name} was not made from a base model of the stage {BASE_STAGE}")
    if not is_as_locked(root, stages, f"data/checkpoints/{name}"):
        raise StageError(
            f"data/checkpoints/{name} is not what dvc.lock says that {stages[-1].name} wrote, so nothing is known of "
            f"how it was made: `dvc checkout {stages[-1].name}` brings that back, `reasrm run --to {stages[-1].name}` "
            f"makes it anew"
        )

    def written(path: str, file: str) -> dict[str, Any]:
        """A JSON file of the output `path`, as long as that is what the lineage made."""
        return _json(root / file) if is_as_locked(root, stages, path) else {}

    scored = [use for use in uses if state.scores_are_current and (data / "scores" / f"{use.name}.json").is_file()]
    return CardFacts(
        name=name,
        kind=JudgeKind.SCALAR if architecture.endswith(SCALAR_ARCHITECTURES) else JudgeKind.GENERATIVE,
        architecture=architecture,
        dtype=stored_dtype(checkpoint),
        base=base_facts(root, base.params.get(BASE_STAGE, {})),
        stages=tuple(stages),
        state=state,
        uses=uses,
        scores={use.name: _json(data / "scores" / f"{use.name}.json") for use in scored},
        benchmark_labels=display_names(data / "benchmarks"),
        curves=dict(_numbers(written(f"data/curves/{name}", f"data/curves/{name}/metrics.json"))),
        pairs=written("data/pairs", "data/pairs/funnel.json"),
        traces=written("data/traces/funnel.json", "data/traces/funnel.json"),
        revisions=written("data/pairs", "revisions/pairs.json"),
    )


def judge_uses(params: Mapping[str, Any], name: str) -> tuple[JudgeUse, ...]:
    """The entries of `judge_variants` that judge with the checkpoint `name`."""
    common, variants = params.get("judge", {}), params.get("judge_variants", {})
    found = {key: {**common, **own} for key, own in variants.items() if own.get("checkpoint", "").endswith(f"/{name}")}
    return tuple(
        JudgeUse(
            key,
            PromptVariant(values["prompt"]),
            values.get("published_prompt") is not None,
            int(values["max_new_tokens"]),
            int(values["max_context_tokens"]),
        )
        for key, values in found.items()
    )


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        raise StageError(f"{file}: is no JSON ({error}); `reasrm run` makes it again") from error
    return found if isinstance(found, dict) else {}


def _numbers(value: Any, name: str = "") -> list[tuple[str, float]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _numbers(inner, f"{name}.{key}" if name else str(key))]
    return [(name, value)] if isinstance(value, int | float) and not isinstance(value, bool) else []
