"""Baseline: a scalar reward model (Bradley-Terry) trained on the same pairs.

Reads:   data/pairs/{distill,reinforce}.jsonl, data/checkpoints/base
Writes:  data/checkpoints/scalar_rm, data/curves/scalar_rm
Run:     python -m stages.scalar_rm      (or: dvc repro scalar_rm)
"""

from pathlib import Path
from typing import ClassVar

from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage
from reasrm.runtime.work_folder import resume_folder
from reasrm.training.checkpoint import load_tokenizer
from reasrm.training.determinism import make_repeatable
from reasrm.training.scalar import ScalarSettings, load_scalar_model, train_scalar
from reasrm.training.sft import Places

PAIRS = (Path("data/pairs/distill.jsonl"), Path("data/pairs/reinforce.jsonl"))
BASE = Path("data/checkpoints/base")
FINGERPRINT = Path("data/fingerprints/scalar_rm.json")
OUT = Path("data/checkpoints/scalar_rm")
CURVES = Path("data/curves/scalar_rm")


class ScalarRmParams(StageParams, ScalarSettings):
    """Section `scalar_rm` of params.yaml."""

    section: ClassVar[str] = "scalar_rm"


def main() -> str:
    """Load the parameters and pairs, train, write the checkpoint."""
    params = ScalarRmParams.load()
    inputs = [path for path in (*PAIRS, BASE, FINGERPRINT) if path.exists()]
    work = resume_folder("scalar_rm", params.model_dump(mode="json"), inputs)
    make_repeatable(params.seed, params.threads)
    pairs = [pair for path in PAIRS for pair in read_records(path, PreferencePair)]
    tokenizer = load_tokenizer(BASE)
    model = load_scalar_model(BASE, tokenizer)
    trained = train_scalar("scalar_rm", model, tokenizer, pairs, params, Places(work, OUT, CURVES))
    return f"{trained.rows} pairs, {trained.steps} steps, loss {trained.last_loss:.3f}, {trained.too_long} too long"


if __name__ == "__main__":
    run_stage("scalar_rm", main)
