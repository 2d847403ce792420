"""The model before any judging is learnt: the miniature trained from scratch, a local folder, or a hub model.

The miniature's base reads judge's prompts and has the skills of its world, and is uninformed about which answer is
better: the verdicts in its training documents are random. On foreign text (`pairs`) it learns the form of a reply.

Reads:   data/pairs/{distill,reinforce}.jsonl (source `pairs` only)
Writes:  data/checkpoints/base, data/curves/base
Run:     python -m stages.base_model      (or: dvc repro base_model)
"""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.miniature.exercises import Document, base_documents, vocabulary_texts
from reasrm.miniature.tiny_model import TinyShape, new_model, train_tokenizer
from reasrm.miniature.traces import answer_tag
from reasrm.records.comparison import hashed_side, show
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage
from reasrm.runtime.work_folder import resume_folder
from reasrm.training.checkpoint import attention
from reasrm.training.determinism import make_repeatable
from reasrm.training.published_model import copy_from_folder, fetch_from_hub
from reasrm.training.sft import Places, SftSettings, Trained, train_sft
from reasrm.training.training_rows import Example

PAIRS = (Path("data/pairs/distill.jsonl"), Path("data/pairs/reinforce.jsonl"))
FINGERPRINT = Path("data/fingerprints/base_model.json")
OUT = Path("data/checkpoints/base")
CURVES = Path("data/curves/base")


class Source(StrEnum):
    """Where the base model comes from."""

    WORLD = "world"
    """The miniature, on documents of its world."""
    PAIRS = "pairs"
    """The miniature, on the texts of the preference pairs: real text, form only."""
    FOLDER = "folder"
    HUB = "hub"


class BaseModelParams(StageParams, SftSettings):
    """Section `base_model` of params.yaml."""

    section: ClassVar[str] = "base_model"

    source: Source
    model: str
    """Folder, or hub id; empty for the miniature."""
    revision: str
    """Full commit id of a hub model; empty otherwise."""
    shape: TinyShape
    """The miniature's size."""
    documents: int = Field(gt=0)
    """Training documents of the miniature."""


def foreign_documents(pairs: list[PreferencePair], count: int, seed: int) -> list[Document]:
    """Judge's prompts of real pairs, answered by a verdict that is random with respect to the label."""
    return [
        Document(judge_prompt(show(pair, hashed_side(pair, seed)), variant), answer_tag(hashed_side(pair, seed + 1)))
        for pair, variant in zip(pairs[:count], _alternating(count), strict=False)
    ]


def grow(params: BaseModelParams, work: Path) -> Trained:
    """Train the miniature from scratch."""
    make_repeatable(params.seed, params.threads)
    if params.source is Source.WORLD:
        documents = base_documents(params.documents, params.seed)
        texts = vocabulary_texts(documents)
    else:
        pairs = [pair for path in PAIRS for pair in read_records(path, PreferencePair)]
        documents = foreign_documents(pairs, params.documents, params.seed)
        texts = [text for pair in pairs for text in (pair.question, pair.chosen, pair.rejected)]
    tokenizer = train_tokenizer(texts, params.shape.vocabulary)
    model = new_model(tokenizer, params.shape, params.seed)
    model.set_attn_implementation(attention())
    examples = [Example(document.prompt, document.completion) for document in documents]
    return train_sft("base_model", model, tokenizer, examples, params, Places(work, OUT, CURVES))


def main() -> str:
    """Load the parameters, provide the model, write it."""
    params = BaseModelParams.load()
    if params.source in {Source.FOLDER, Source.HUB}:
        if params.source is Source.HUB:
            fetch_from_hub(params.model, params.revision, OUT)
        else:
            copy_from_folder(Path(params.model), OUT)
        with new_folder(CURVES) as folder:
            (folder / "metrics.json").write_text("{}\n", encoding="utf-8")
        return f"{params.model} {params.revision}".strip()
    inputs = [path for path in (*PAIRS, FINGERPRINT) if path.exists()]
    trained = grow(params, resume_folder("base_model", params.model_dump(mode="json"), inputs))
    return f"{trained.rows} documents, {trained.steps} steps, loss {trained.last_loss:.3f}, {trained.too_long} too long"


def _alternating(count: int) -> list[PromptVariant]:
    variants = (PromptVariant.FULL, PromptVariant.PLAIN, PromptVariant.ANSWER_ONLY)
    return [variants[number % len(variants)] for number in range(count)]


if __name__ == "__main__":
    run_stage("base_model", main)
