"""Supervised fine-tuning on the oracle's traces: the distillation stage of the paper (section 2.2, eq. 6).

Reads:   data/traces/kept.jsonl, data/checkpoints/base; data/pairs/dev.jsonl, to judge on while training
Writes:  data/checkpoints/sft, data/curves/sft
Run:     python -m stages.sft      (or: dvc repro sft)
"""

from pathlib import Path
from typing import ClassVar

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import read_records
from reasrm.records.trace import KeptTrace
from reasrm.runtime.params import StageParams
from reasrm.training.checkpoint import load_language_model
from reasrm.training.launch import run_training_stage
from reasrm.training.monitoring.dev_judging import dev_set
from reasrm.training.sft import trace_examples, train_sft
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_run import begin_training, outcome_note

TRACES = Path("data/traces/kept.jsonl")
BASE = Path("data/checkpoints/base")
FINGERPRINT = Path("data/fingerprints/sft.json")
OUT = Path("data/checkpoints/sft")
CURVES = Path("data/curves/sft")


class SftParams(StageParams, SftSettings):
    """Section `sft` of params.yaml."""

    section: ClassVar[str] = "sft"

    prompt_variant: PromptVariant
    """What the model is asked; the hint of the second oracle pass is never in it."""


def main() -> str:
    """Train the base on the kept traces; return the summary line."""
    params = SftParams.load()
    dev = dev_set(params.dev, params.seed, params.prompt_variant)
    run = begin_training("sft", params, (TRACES, BASE, FINGERPRINT), OUT, CURVES, dev)
    examples = trace_examples(read_records(TRACES, KeptTrace), params.prompt_variant)
    result = train_sft(run, lambda: load_language_model(BASE, params), load_tokenizer(BASE), examples, params)
    return result.summary("traces") + outcome_note(run)


if __name__ == "__main__":
    run_training_stage("sft", SftParams.load, main)
