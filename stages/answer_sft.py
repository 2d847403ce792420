"""Baseline: learn the verdict alone, without any reasoning; which pairs and from which checkpoint is a variant's.

`all` is the paper's "Instruct + SFT" on all pairs (table 3). The overlay `table3` has the one on the distilled pairs
alone, and the one that goes on from the checkpoint that has learnt the traces.

Reads:   data/pairs/*.jsonl, as `pairs` says, data/checkpoints/<start>; data/pairs/dev.jsonl, to judge on while training
Writes:  data/checkpoints/answer_sft-<variant>, data/curves/answer_sft-<variant>
Run:     python -m stages.answer_sft all      (or: dvc repro answer_sft@all)
"""

import argparse
from pathlib import Path
from typing import ClassVar

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.runtime.params import StageParams
from reasrm.training.checkpoint import load_language_model
from reasrm.training.launch import run_training_stage
from reasrm.training.monitoring.dev_judging import dev_set
from reasrm.training.sft import train_sft, verdict_examples
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_pairs import TrainingPairs, pair_files, read_pairs
from reasrm.training.training_run import begin_training, outcome_note

FINGERPRINT = Path("data/fingerprints/answer_sft.json")
CHECKPOINTS = Path("data/checkpoints")
CURVES = Path("data/curves")


class AnswerSftParams(StageParams, SftSettings):
    """Section `answer_sft` of params.yaml, with the variant's own keys laid over it."""

    section: ClassVar[str] = "answer_sft"

    start: str
    """The checkpoint under data/checkpoints that is trained: the base, or one that has learnt the traces."""
    pairs: TrainingPairs
    """Whose right verdicts are learnt."""

    def inputs(self) -> tuple[Path, ...]:
        """What the training reads beside dev pairs; a killed run resumes where these are unchanged."""
        return (*pair_files(self.pairs), CHECKPOINTS / self.start, FINGERPRINT)


def main(variant: str) -> str:
    """Train the variant's starting checkpoint on the right verdicts; return the summary line."""
    params = AnswerSftParams.load(variant)
    name, start = f"answer_sft-{variant}", CHECKPOINTS / params.start
    dev = dev_set(params.dev, params.seed, PromptVariant.ANSWER_ONLY)
    run = begin_training(name, params, params.inputs(), CHECKPOINTS / name, CURVES / name, dev)
    examples = verdict_examples(read_pairs(params.pairs), params.seed)
    result = train_sft(run, lambda: load_language_model(start, params), load_tokenizer(start), examples, params)
    return result.summary("pairs") + outcome_note(run)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learn the right verdicts alone.")
    parser.add_argument("variant", help="a key of `answer_sft_variants` in params.yaml")
    chosen = parser.parse_args().variant
    run_training_stage(f"answer_sft-{chosen}", lambda: AnswerSftParams.load(chosen), lambda: main(chosen))
