"""The miniature's policy before it is rewarded: the base model, taught to answer its world's questions.

The base of the miniature writes judgments alone. It learns to work a reasoning question out in a thought, to name the
right result in a set share of its answers, and to plant set shortcuts in a few. A published chat model answers already
and needs no such stage.

Reads:   data/checkpoints/<start>
Writes:  data/checkpoints/policy_start-<variant>, data/curves/policy_start-<variant>
Run:     python -m stages.policy_start half      (or: dvc repro policy_start@half)
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.miniature.policy_documents import StartAnswers, policy_documents
from reasrm.runtime.params import StageParams
from reasrm.training.checkpoint import load_language_model
from reasrm.training.launch import run_training_stage
from reasrm.training.sft import TrainingExample, train_sft
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_run import begin_training, outcome_note

FINGERPRINT = Path("data/fingerprints/policy_start.json")
CHECKPOINTS = Path("data/checkpoints")
CURVES = Path("data/curves")


class PolicyStartParams(StageParams, SftSettings):
    """Section `policy_start` of params.yaml, with the variant's own keys laid over it."""

    section: ClassVar[str] = "policy_start"

    start: str
    """The checkpoint under data/checkpoints that is trained: the miniature's base."""
    documents: int = Field(gt=0)
    """Answers that are learnt from."""
    answers: StartAnswers
    """How the policy answers then."""

    @model_validator(mode="after")
    def _judges_nothing(self) -> Self:
        if self.dev is not None:
            raise ValueError("policy_start trains a model that answers and judges nothing: dev must be null")
        return self


def main(variant: str) -> str:
    """Train the variant's policy; return the summary line."""
    params = PolicyStartParams.load(variant)
    name, start = f"policy_start-{variant}", CHECKPOINTS / params.start
    run = begin_training(name, params, (start, FINGERPRINT), CHECKPOINTS / name, CURVES / name)
    documents = policy_documents(params.documents, params.answers, params.seed)
    examples = [TrainingExample(document.prompt, document.completion) for document in documents]
    result = train_sft(run, lambda: load_language_model(start, params), load_tokenizer(start), examples, params)
    planted = Counter(document.shortcut for document in documents if document.shortcut)
    said = ", ".join(f"{shortcut} {count}" for shortcut, count in sorted(planted.items())) or "none"
    return f"{result.summary('answers')}; planted shortcuts: {said}{outcome_note(run)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Teach the miniature's base to answer.")
    parser.add_argument("variant", help="a key of `policy_start_variants` in params.yaml")
    chosen = parser.parse_args().variant
    run_training_stage(f"policy_start-{chosen}", lambda: PolicyStartParams.load(chosen), lambda: main(chosen))
