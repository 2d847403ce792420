"""The prompts that policies are trained on, and others that they are measured on: of the miniature, or of the pairs.

Reads:   data/pairs and the safety files below the folder given with --files (source `pairs`); nothing (source `world`)
Writes:  data/policy_prompts/<set>/{train,eval}.jsonl
Run:     python -m stages.policy_prompts world --files data/raw      (or: dvc repro policy_prompts@world)
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from reasrm.miniature.slices import Family
from reasrm.miniature.world import Split
from reasrm.policy.prompts.pair_prompts import drawn, pair_prompts, safety_prompts
from reasrm.policy.prompts.world_prompts import world_prompts
from reasrm.policy.safety_files import SafetySource
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.pair import PreferencePair
from reasrm.records.policy import PolicyPrompt
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.training.training_pairs import PAIRS, TrainingPairs, read_pairs

OUTPUT = Path("data/policy_prompts")


class PromptSource(StrEnum):
    """Where the prompts come from."""

    WORLD = "world"
    """The miniature's questions."""
    PAIRS = "pairs"
    """The conversations of the pairs, and safety files beside them."""


class PromptUse(StrEnum):
    """What prompts are for; no prompt is for both."""

    TRAIN = "train"
    EVAL = "eval"
    """To measure on."""


Prompts = dict[PromptUse, list[PolicyPrompt]]


class PolicyPromptsParams(StageParams):
    """Section `policy_prompts` of params.yaml, with the variant's own keys laid over it."""

    section: ClassVar[str] = "policy_prompts"

    source: PromptSource
    seed: int
    counts: dict[PromptUse, dict[Family, Annotated[int, Field(ge=0)]]]
    """Prompts of each family; of source world only. Of `safe` every second is harmful."""
    pairs: TrainingPairs
    """Whose conversations are trained on; those of `dev` are measured on. Of source pairs only."""
    limits: dict[PromptUse, Annotated[int, Field(gt=0)]]
    """The most conversations of pairs; absent means all. Of source pairs only."""
    safety_files: dict[SafetySource, Path]
    """Files below the folder given with --files whose prompts are measured on, too; of source pairs only."""
    safety_limit: int | None = Field(gt=0)
    """The most prompts of each safety file; None means all."""

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if self.source is PromptSource.PAIRS:
            return self
        if empty := [use.value for use in PromptUse if not any(self.counts.get(use, {}).values())]:
            raise ValueError(f"`counts` must ask for a prompt to {' and to '.join(empty)} with")
        if self.safety_files:
            raise ValueError("`safety_files` belong to source pairs; the world has its own safety requests (`safe`)")
        return self


def from_world(params: PolicyPromptsParams) -> Prompts:
    """Questions of the world's split for training and of the one for tests."""
    splits = {PromptUse.TRAIN: Split.TRAIN, PromptUse.EVAL: Split.TEST}
    return {use: world_prompts(split, params.counts[use], params.seed) for use, split in splits.items()}


def from_pairs(params: PolicyPromptsParams, files: Path) -> Prompts:
    """Conversations of the pairs; those to measure on, of safety files among them, are taken out of those to train on.

    Raises:
        StageError: there are none to train on or to measure on, or a safety file cannot be used.
    """
    dev = list(read_records(PAIRS / "dev.jsonl", PreferencePair))
    measured = drawn(pair_prompts(dev), params.limits.get(PromptUse.EVAL), params.seed)
    safety = safety_prompts(files, params.safety_files, params.safety_limit, params.seed)
    known = {prompt.id for prompt in (*pair_prompts(dev), *safety)}
    trained = [prompt for prompt in pair_prompts(read_pairs(params.pairs)) if prompt.id not in known]
    names = {prompt.id for prompt in safety}
    found = {
        PromptUse.TRAIN: drawn(trained, params.limits.get(PromptUse.TRAIN), params.seed),
        PromptUse.EVAL: [*(prompt for prompt in measured if prompt.id not in names), *safety],
    }
    if empty := [use.value for use, prompts in found.items() if not prompts]:
        raise StageError(f"{PAIRS} holds no prompt for {' and '.join(empty)}: see data/pairs/funnel.json for why")
    return found


def summary(prompts: Mapping[PromptUse, Sequence[PolicyPrompt]]) -> str:
    """How many prompts there are, and what is known of them."""
    parts = []
    for use, own in prompts.items():
        known = Counter(f"verifier {prompt.verifier}" for prompt in own)
        known.update(f"safety {prompt.safety}" for prompt in own if prompt.safety is not None)
        parts.append(f"{len(own)} to {use} ({', '.join(f'{what} {count}' for what, count in sorted(known.items()))})")
    return "; ".join(parts)


def main(variant: str, files: Path) -> str:
    """Write the variant's prompts; return the summary line."""
    params = PolicyPromptsParams.load(variant)
    prompts = from_world(params) if params.source is PromptSource.WORLD else from_pairs(params, files)
    with new_folder(OUTPUT / variant) as folder:
        for use, own in prompts.items():
            write_records(folder / f"{use.value}.jsonl", own)
    return summary(prompts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Collect the prompts that policies answer.")
    parser.add_argument("variant", help="a key of `policy_prompts_variants` in params.yaml")
    parser.add_argument("--files", type=Path, required=True, help="folder in which the safety files lie")
    arguments = parser.parse_args()
    run_stage(f"policy_prompts-{arguments.variant}", lambda: main(arguments.variant, arguments.files))
