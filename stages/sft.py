"""Learn the oracle's traces: the distillation stage of the paper (section 3.2, eq. 6).

Reads:   data/traces/kept.jsonl, data/checkpoints/base
Writes:  data/checkpoints/sft, data/curves/sft
Run:     python -m stages.sft      (or: dvc repro sft)
"""

from pathlib import Path
from typing import ClassVar

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.jsonl import read_records
from reasrm.records.trace import KeptTrace
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage
from reasrm.runtime.work_folder import resume_folder
from reasrm.training.checkpoint import load_language_model, load_tokenizer
from reasrm.training.determinism import make_repeatable
from reasrm.training.sft import Places, SftSettings, train_sft
from reasrm.training.training_rows import Example

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


def examples_of(traces: list[KeptTrace], variant: PromptVariant) -> list[Example]:
    """What is shown and what is learnt, per trace."""
    return [Example(judge_prompt(trace.comparison, variant), trace.text) for trace in traces]


def main() -> str:
    """Load the parameters and traces, train, write the checkpoint."""
    params = SftParams.load()
    inputs = [path for path in (TRACES, BASE, FINGERPRINT) if path.exists()]
    work = resume_folder("sft", params.model_dump(mode="json"), inputs)
    make_repeatable(params.seed, params.threads)
    examples = examples_of(list(read_records(TRACES, KeptTrace)), params.prompt_variant)
    model, tokenizer = load_language_model(BASE), load_tokenizer(BASE)
    trained = train_sft("sft", model, tokenizer, examples, params, Places(work, OUT, CURVES))
    return f"{trained.rows} traces, {trained.steps} steps, loss {trained.last_loss:.3f}, {trained.too_long} too long"


if __name__ == "__main__":
    run_stage("sft", main)
