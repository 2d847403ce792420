"""Baseline: learn the verdict alone from the same pairs, without any reasoning (the paper's "Instruct + SFT", table 3).

Reads:   data/pairs/{distill,reinforce}.jsonl, data/checkpoints/base
Writes:  data/checkpoints/answer_sft, data/curves/answer_sft
Run:     python -m stages.answer_sft      (or: dvc repro answer_sft)
"""

from pathlib import Path
from typing import ClassVar

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import hashed_side, show
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage
from reasrm.runtime.work_folder import resume_folder
from reasrm.training.checkpoint import load_language_model, load_tokenizer
from reasrm.training.determinism import make_repeatable
from reasrm.training.sft import Places, SftSettings, train_sft
from reasrm.training.training_rows import Example

PAIRS = (Path("data/pairs/distill.jsonl"), Path("data/pairs/reinforce.jsonl"))
BASE = Path("data/checkpoints/base")
FINGERPRINT = Path("data/fingerprints/answer_sft.json")
OUT = Path("data/checkpoints/answer_sft")
CURVES = Path("data/curves/answer_sft")


class AnswerSftParams(StageParams, SftSettings):
    """Section `answer_sft` of params.yaml."""

    section: ClassVar[str] = "answer_sft"


def examples_of(pairs: list[PreferencePair], seed: int) -> list[Example]:
    """Each pair in its hashed order, answered by nothing but the right verdict."""
    examples = []
    for pair in pairs:
        comparison = show(pair, hashed_side(pair, seed))
        prompt = judge_prompt(comparison, PromptVariant.ANSWER_ONLY)
        examples.append(Example(prompt, f"<answer>[[{comparison.better.value}]]</answer>"))
    return examples


def main() -> str:
    """Load the parameters and pairs, train, write the checkpoint."""
    params = AnswerSftParams.load()
    inputs = [path for path in (*PAIRS, BASE, FINGERPRINT) if path.exists()]
    work = resume_folder("answer_sft", params.model_dump(mode="json"), inputs)
    make_repeatable(params.seed, params.threads)
    pairs = [pair for path in PAIRS for pair in read_records(path, PreferencePair)]
    model, tokenizer = load_language_model(BASE), load_tokenizer(BASE)
    examples = examples_of(pairs, params.seed)
    trained = train_sft("answer_sft", model, tokenizer, examples, params, Places(work, OUT, CURVES))
    return f"{trained.rows} pairs, {trained.steps} steps, loss {trained.last_loss:.3f}, {trained.too_long} too long"


if __name__ == "__main__":
    run_stage("answer_sft", main)
