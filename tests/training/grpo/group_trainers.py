"""A GroupTrainer on a very small model, and prompts of which some earn signal: for tests in one process and in two."""

import os
from pathlib import Path
from typing import Any

from reasrm.miniature.tiny_model import TinyShape, new_model
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.comparison import Comparison, Side, show
from reasrm.training.grpo.group_trainer import GroupTrainer
from reasrm.training.grpo.rollout_samples import rollout_samples
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.grpo.training import grpo_config, prompt_rows
from reasrm.training.training_run import TrainingRun, make_repeatable
from tests.fixtures.world import documents, tokenizer_of
from tests.training.stage_runs import PARAMS

SHAPE = {"hidden_size": 32, "layers": 1, "heads": 1, "intermediate_size": 64}


def settings(**changes: Any) -> GrpoSettings:
    """The released ones in small."""
    small = {"prompt_variant": "full", "rewards": {"verdict": 1.0}, "batch_size": 12, "replies_per_prompt": 4}
    short = {"max_reply_tokens": 5, "kl_weight": 0.1, "save_every": 1, "log_every": 1}
    return GrpoSettings.model_validate(PARAMS["grpo"] | small | short | changes)


def comparisons(count: int) -> list[Comparison]:
    return [show(pair, Side.A) for pair in training_pairs(Split.TRAIN, count, 0)]


def lively(prompt: Any) -> bool:
    """Whether replies to a prompt earn differently: so do those to a third of prompts, in either order."""
    return sum(prompt[-1]["content"].encode()) % 3 == 0


def earned(completion_ids: Any, prompts: Any, **_: Any) -> list[float]:
    """A reward that follows from the reply's tokens where the prompt is lively, and is 1 elsewhere."""
    pairs = zip(completion_ids, prompts, strict=True)
    return [float(sum(at * token for at, token in enumerate(ids, 1))) if lively(at) else 1.0 for ids, at in pairs]


def trainer(folder: Path, chosen: GrpoSettings, prompts: int = 40) -> GroupTrainer:
    """One that is ready to sample, on a model that its seed makes."""
    from datasets import Dataset

    make_repeatable(0, 1)
    tokenizer = tokenizer_of(documents(20))
    shape = TinyShape.model_validate(PARAMS["base_model"]["shape"] | SHAPE)
    rows, _ = prompt_rows(tokenizer, comparisons(prompts), chosen)
    start = folder / f"start-{os.environ.get('RANK', '0')}"
    new_model(tokenizer, shape, 0).save_pretrained(start)
    made = GroupTrainer(
        chosen,
        rollout_samples(folder, chosen, comparisons(prompts), tokenizer, ""),
        model=str(start),
        args=grpo_config(chosen, TrainingRun("grpo", folder / "work", folder / "out", folder / "curves")),
        reward_funcs=[earned],
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    made.model.train()
    made.current_gradient_accumulation_steps = chosen.accumulate
    return made
