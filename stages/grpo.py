"""Reinforce right verdicts with GRPO: the paper's second stage (section 3.3), and its ablations as variants.

`full` starts from the distilled checkpoint; the `cold_start` variants start from the base (paper, table 2).

Reads:   data/pairs/reinforce.jsonl, data/checkpoints/<start>
Writes:  data/checkpoints/grpo-<variant>, data/curves/grpo-<variant>
Run:     python -m stages.grpo full      (or: dvc repro grpo@full)
"""

import sys
from pathlib import Path
from typing import ClassVar

from reasrm.records.comparison import hashed_side, show
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage
from reasrm.runtime.work_folder import resume_folder
from reasrm.training.checkpoint import load_tokenizer
from reasrm.training.determinism import make_repeatable
from reasrm.training.grpo import GrpoSettings, train_grpo
from reasrm.training.sft import Places

PAIRS = Path("data/pairs/reinforce.jsonl")
FINGERPRINT = Path("data/fingerprints/grpo.json")
CHECKPOINTS = Path("data/checkpoints")
CURVES = Path("data/curves")


class GrpoParams(StageParams, GrpoSettings):
    """Section `grpo` of params.yaml, with the variant's own keys laid over it."""

    section: ClassVar[str] = "grpo"

    start: str
    """The checkpoint under data/checkpoints that is reinforced."""


def main(variant: str) -> str:
    """Load the parameters and pairs, reinforce, write the checkpoint."""
    params = GrpoParams.load(variant)
    name, start = f"grpo-{variant}", CHECKPOINTS / params.start
    inputs = [path for path in (PAIRS, start, FINGERPRINT) if path.exists()]
    work = resume_folder(name, params.model_dump(mode="json"), inputs)
    make_repeatable(params.seed, params.threads)
    pairs = list(read_records(PAIRS, PreferencePair))
    comparisons = [show(pair, hashed_side(pair, params.seed)) for pair in pairs]
    places = Places(work, CHECKPOINTS / name, CURVES / name)
    prompts, last = train_grpo(name, start, load_tokenizer(start), comparisons, params, places)
    return f"{prompts} prompts, {params.steps} steps, reward {last.get('reward', float('nan')):.3f}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m stages.grpo VARIANT (a key of `grpo_variants` in params.yaml)")
    chosen_variant = sys.argv[1]
    run_stage(f"grpo-{chosen_variant}", lambda: main(chosen_variant))
