"""A training of some seconds that is watched, and what it left."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.miniature.world import Split, training_pairs
from reasrm.training.checkpoint import load_language_model
from reasrm.training.monitoring.dev_judging import DevSet
from reasrm.training.monitoring.settings import Housekeeping
from reasrm.training.scalar import load_scalar_model, train_scalar
from reasrm.training.sft import train_sft, verdict_examples
from reasrm.training.trainer_settings import EpochSettings, SftSettings
from reasrm.training.training_run import NOT_CONFIGURED, TrainingRun
from tests.training.stage_runs import PARAMS

SHAPE = {"hidden_size": 32, "layers": 1, "heads": 1, "intermediate_size": 64}
SHORT = {"epochs": 1, "learning_rate": 1e-2, "warmup_steps": 0, "batch_size": 16, "save_every": 4, "log_every": 1}
PAIRS = training_pairs(Split.TRAIN, 160, 0)
DEV = training_pairs(Split.DEV, 24, 0)


class Trained(NamedTuple):
    """What a training left."""

    weights: dict[str, torch.Tensor]
    run: TrainingRun
    log: list[dict[str, Any]]
    """The dev figures of each step that was judged."""
    kept_step: int


def settings(model: Any, section: str, every: int, **changes: Any) -> Any:
    dev = PARAMS[section]["dev"] | {"every": every, "pairs": 20} | ({"orders": "both"} if section == "sft" else {})
    values = {name: PARAMS[section][name] for name in model.model_fields}
    return model.model_validate(values | SHORT | {"dev": dev} | changes)


def train(
    base: Path, folder: Path, chosen: EpochSettings, dev: DevSet | None, keeping: Housekeeping = NOT_CONFIGURED
) -> Trained:
    work, out = folder / "work/trained/key", folder / "checkpoint"
    run = TrainingRun("trained", work, out, folder / "curves", dev, chosen.keep, keeping)
    tokenizer = load_tokenizer(base)
    torch.manual_seed(0)
    if isinstance(chosen, SftSettings):
        train_sft(run, lambda: load_language_model(base, chosen), tokenizer, verdict_examples(PAIRS, 0), chosen)
    else:
        train_scalar(run, lambda: load_scalar_model(base, tokenizer, chosen), tokenizer, PAIRS, chosen)
    steps: dict[int, dict[str, Any]] = {}
    for file in sorted((run.curves / "plots/metrics/dev").glob("*.tsv")):
        for line in file.read_text().splitlines()[1:]:
            step, value = line.split("\t")
            steps.setdefault(int(step), {"step": int(step)})[f"dev/{file.stem}"] = float(value)
    kept = json.loads((run.curves / "training.json").read_text())["kept_step"]
    return Trained(load_file(run.checkpoint / "model.safetensors"), run, list(steps.values()), kept)
