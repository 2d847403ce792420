"""The model before it learns to judge: the miniature trained from scratch, a local folder, or a hub model.

The miniature's base reads judge's prompts and has the skills of its world, and as a judge it has habits: it often goes
by layout where it could work the problem out. On text from outside the world (`pairs`) it learns the form of a verdict.

Reads:   data/pairs/{distill,reinforce}.jsonl (source `pairs`), or the model's folder (source `folder`)
Writes:  data/checkpoints/base, data/curves/base
Run:     python -m stages.base_model      (or: dvc repro base_model)
"""

from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from reasrm.miniature.habits import Habits
from reasrm.miniature.pretraining_documents import random_verdict_documents, world_documents
from reasrm.miniature.tiny_model import TinyShape, new_model, train_tokenizer
from reasrm.miniature.vocabulary import vocabulary_texts, world_phrases
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage
from reasrm.training.published_model import copy_from_folder, fetch_from_hub, require_trainable
from reasrm.training.sft import TrainingExample, train_sft
from reasrm.training.trainer_settings import SftSettings, Strategy
from reasrm.training.training_run import begin_training, outcome_note

PAIRS = (Path("data/pairs/distill.jsonl"), Path("data/pairs/reinforce.jsonl"))
FINGERPRINT = Path("data/fingerprints/base_model.json")
OUT = Path("data/checkpoints/base")
CURVES = Path("data/curves/base")


class BaseModelSource(StrEnum):
    """Where the base model comes from."""

    WORLD = "world"
    """The miniature, on documents of its world."""
    PAIRS = "pairs"
    """The miniature, on the texts of the preference pairs, with random verdicts."""
    FOLDER = "folder"
    HUB = "hub"


class BaseModelParams(StageParams, SftSettings):
    """Section `base_model` of params.yaml."""

    section: ClassVar[str] = "base_model"

    source: BaseModelSource
    model: str
    """Folder, or hub id; empty for the miniature."""
    revision: str
    """Full commit id of a hub model; empty otherwise."""
    reads: Path
    """What dvc.yaml lets the stage depend on beside its fingerprint: the model's folder or the pairs, so that an edit
    of them reruns it. DVC knows no dependency that may be left out, so for the miniature's world and for the hub, where
    the commit says all, it is the fingerprint once more."""
    shape: TinyShape
    """The miniature's size."""
    documents: int = Field(gt=0)
    """Training documents of the miniature."""
    habits: Habits
    """How the miniature judges before it learns to, on problems of its world."""

    @model_validator(mode="after")
    def _is_trained_whole_and_alone(self) -> Self:
        """The miniature is small, and an adapter beside random weights learns nothing."""
        if self.lora is not None or self.launch.strategy is not Strategy.SINGLE or self.dev is not None:
            raise ValueError(
                "base_model trains the miniature alone, which cannot judge yet: lora and dev must be null, launch "
                "{processes: 1, strategy: single}"
            )
        return self

    @model_validator(mode="after")
    def _reads_what_it_is_made_from(self) -> Self:
        made_from = {BaseModelSource.FOLDER: Path(self.model), BaseModelSource.PAIRS: PAIRS[0].parent}
        expected = made_from.get(self.source, FINGERPRINT)
        if self.reads != expected:
            raise ValueError(
                f"reads is {self.reads}, but with source {self.source} the base model is made from {expected}: `reads` "
                f"names it, so that an edit of it reruns the stage"
            )
        return self


def copy_published_model(params: BaseModelParams) -> str:
    """Copy the named model as it is; its curves are empty."""
    if params.source is BaseModelSource.HUB:
        fetch_from_hub(params.model, params.revision, OUT)
    else:
        require_trainable(Path(params.model), params.model)
        copy_from_folder(Path(params.model), OUT)
    with new_folder(CURVES) as folder:
        (folder / "metrics.json").write_text("{}\n", encoding="utf-8")
    return f"{params.model} {params.revision}".strip()


def pretrain_miniature(params: BaseModelParams) -> str:
    """Train the miniature's tokenizer and model from scratch."""
    run = begin_training("base_model", params, (*PAIRS, FINGERPRINT), OUT, CURVES)
    if params.source is BaseModelSource.WORLD:
        documents = world_documents(params.documents, params.habits, params.seed)
        texts, phrases = vocabulary_texts(documents), world_phrases()
    else:
        pairs = [pair for path in PAIRS for pair in read_records(path, PreferencePair)]
        documents = random_verdict_documents(pairs, params.documents, params.seed)
        texts, phrases = [text for pair in pairs for text in (pair.question, pair.chosen, pair.rejected)], ()
    tokenizer = train_tokenizer(texts, params.shape.vocabulary, phrases)

    def untrained() -> Any:
        import torch

        model = new_model(tokenizer, params.shape, params.seed)
        model.set_attn_implementation(params.attention.value)
        return model.to(getattr(torch, params.dtype.value))

    examples = [TrainingExample(document.prompt, document.completion) for document in documents]
    return train_sft(run, untrained, tokenizer, examples, params).summary("documents") + outcome_note(run)


def main() -> str:
    """Provide the base model; return the summary line."""
    params = BaseModelParams.load()
    published = params.source in {BaseModelSource.FOLDER, BaseModelSource.HUB}
    return copy_published_model(params) if published else pretrain_miniature(params)


if __name__ == "__main__":
    run_stage("base_model", main)
