"""Reinforce right verdicts with GRPO: the paper's second stage (section 2.3), and its ablations as variants.

`full` starts from the distilled checkpoint; the `cold_start` variants start from the base (paper, table 2).

Reads:   data/pairs/*.jsonl (or a later version of them, `reads`), as `pairs` says, data/checkpoints/<start>;
         data/pairs/dev.jsonl, to judge on while training
Writes:  data/checkpoints/grpo-<variant>, data/curves/grpo-<variant>
Run:     python -m stages.grpo full      (or: dvc repro grpo@full)
"""

import argparse
from pathlib import Path
from typing import ClassVar

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.records.comparison import hashed_side, show
from reasrm.runtime.params import StageParams
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.grpo.training import train_grpo
from reasrm.training.launch import run_training_stage
from reasrm.training.monitoring.dev_judging import dev_set
from reasrm.training.training_pairs import TrainingPairs, pair_files, read_pairs
from reasrm.training.training_run import begin_training, outcome_note

FINGERPRINT = Path("data/fingerprints/grpo.json")
CHECKPOINTS = Path("data/checkpoints")
CURVES = Path("data/curves")


class GrpoParams(StageParams, GrpoSettings):
    """Section `grpo` of params.yaml, with the variant's own keys laid over it."""

    section: ClassVar[str] = "grpo"

    start: str
    """The checkpoint under data/checkpoints that is trained."""
    pairs: TrainingPairs
    """Whose prompts are sampled: those to reinforce, and of a cold start those to distill too, which it learns from in
    no other way."""
    reads: Path
    """The folder of these pairs: data/pairs, or a version that `extend_pairs` made."""

    def inputs(self) -> tuple[Path, ...]:
        """What the training reads beside dev pairs; a killed run resumes where these are unchanged."""
        return (*pair_files(self.pairs, self.reads), CHECKPOINTS / self.start, FINGERPRINT)


def main(variant: str) -> str:
    """Train the variant's starting checkpoint on the pairs; return the summary line."""
    params = GrpoParams.load(variant)
    name, start = f"grpo-{variant}", CHECKPOINTS / params.start
    dev = dev_set(params.dev, params.seed, params.prompt_variant)
    run = begin_training(name, params, params.inputs(), CHECKPOINTS / name, CURVES / name, dev)
    comparisons = [show(pair, hashed_side(pair, params.seed)) for pair in read_pairs(params.pairs, params.reads)]
    prompts, left_out, reward = train_grpo(run, start, load_tokenizer(start), comparisons, params)
    return f"{prompts} prompts, {params.steps} steps, reward {reward:.3f}, {left_out.summary()}{outcome_note(run)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Reinforce right verdicts with GRPO.")
    parser.add_argument("variant", help="a key of `grpo_variants` in params.yaml")
    chosen = parser.parse_args().variant
    run_training_stage(f"grpo-{chosen}", lambda: GrpoParams.load(chosen), lambda: main(chosen))
