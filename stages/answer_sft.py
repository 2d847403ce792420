"""Baseline: learn the verdict alone from the same pairs, without any reasoning (the paper's "Instruct + SFT", table 3).

Reads:   data/pairs/{distill,reinforce}.jsonl, data/checkpoints/base; data/pairs/dev.jsonl, to judge on while training
Writes:  data/checkpoints/answer_sft, data/curves/answer_sft
Run:     python -m stages.answer_sft      (or: dvc repro answer_sft)
"""

from pathlib import Path
from typing import ClassVar

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.params import StageParams
from reasrm.training.checkpoint import load_language_model
from reasrm.training.launch import run_training_stage
from reasrm.training.monitoring.dev_judging import dev_set
from reasrm.training.sft import train_sft, verdict_examples
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_run import begin_training, outcome_note

PAIRS = (Path("data/pairs/distill.jsonl"), Path("data/pairs/reinforce.jsonl"))
BASE = Path("data/checkpoints/base")
FINGERPRINT = Path("data/fingerprints/answer_sft.json")
OUT = Path("data/checkpoints/answer_sft")
CURVES = Path("data/curves/answer_sft")


class AnswerSftParams(StageParams, SftSettings):
    """Section `answer_sft` of params.yaml."""

    section: ClassVar[str] = "answer_sft"


def main() -> str:
    """Train the base on the right verdicts; return the summary line."""
    params = AnswerSftParams.load()
    dev = dev_set(params.dev, params.seed, PromptVariant.ANSWER_ONLY)
    run = begin_training("answer_sft", params, (*PAIRS, BASE, FINGERPRINT), OUT, CURVES, dev)
    examples = verdict_examples((pair for path in PAIRS for pair in read_records(path, PreferencePair)), params.seed)
    result = train_sft(run, lambda: load_language_model(BASE, params), load_tokenizer(BASE), examples, params)
    return result.summary("pairs") + outcome_note(run)


if __name__ == "__main__":
    run_training_stage("answer_sft", AnswerSftParams.load, main)
