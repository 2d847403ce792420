"""Baseline: a scalar reward model (Bradley-Terry) trained on the same pairs.

Reads:   data/pairs/{distill,reinforce}.jsonl, data/checkpoints/base; data/pairs/dev.jsonl, to judge on while training
Writes:  data/checkpoints/scalar_rm, data/curves/scalar_rm
Run:     python -m stages.scalar_rm      (or: dvc repro scalar_rm)
"""

from pathlib import Path
from typing import ClassVar

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.params import StageParams
from reasrm.training.launch import run_training_stage
from reasrm.training.monitoring.dev_judging import dev_set
from reasrm.training.monitoring.settings import DevSettings
from reasrm.training.scalar import load_scalar_model, train_scalar
from reasrm.training.trainer_settings import EpochSettings
from reasrm.training.training_run import begin_training, outcome_note

PAIRS = (Path("data/pairs/distill.jsonl"), Path("data/pairs/reinforce.jsonl"))
BASE = Path("data/checkpoints/base")
FINGERPRINT = Path("data/fingerprints/scalar_rm.json")
OUT = Path("data/checkpoints/scalar_rm")
CURVES = Path("data/curves/scalar_rm")


class ScalarRmParams(StageParams, EpochSettings):
    """Section `scalar_rm` of params.yaml."""

    section: ClassVar[str] = "scalar_rm"

    dev: DevSettings | None


def main() -> str:
    """Train the base with a scalar head on the pairs; return the summary line."""
    params = ScalarRmParams.load()
    dev = dev_set(params.dev, params.seed, None)
    run = begin_training("scalar_rm", params, (*PAIRS, BASE, FINGERPRINT), OUT, CURVES, dev)
    pairs = [pair for path in PAIRS for pair in read_records(path, PreferencePair)]
    tokenizer = load_tokenizer(BASE)
    result = train_scalar(run, lambda: load_scalar_model(BASE, tokenizer, params), tokenizer, pairs, params)
    return result.summary("pairs") + outcome_note(run)


if __name__ == "__main__":
    run_training_stage("scalar_rm", ScalarRmParams.load, main)
