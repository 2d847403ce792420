"""Which words of a training's settings transformers and TRL would refuse, found without a model, data or the machine.

Names of optimisers and schedules, and what `trl` passes through, are checked by the libraries themselves when a
training begins. `refused_words` asks them before: it builds the training's own config, with those settings put aside
that are a matter of the machine (attention, devices). Only words beyond the usual ones cost the import.
"""

import inspect
import tempfile
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.training.grpo.group_settings import GroupSettings
from reasrm.training.trainer_settings import (
    EpochSettings,
    LaunchSettings,
    SftSettings,
    Strategy,
    TrainerSettings,
    TrainingAttention,
)
from reasrm.training.training_run import TrainingRun
from reasrm.training.trl_arguments import TrlArgumentError, epoch_arguments, trl_config

KNOWN_OPTIMISERS = frozenset({"adamw_torch", "adamw_torch_fused"})
KNOWN_SCHEDULES = {
    "constant": frozenset[str](),
    "constant_with_warmup": frozenset[str](),
    "linear": frozenset[str](),
    "cosine": frozenset({"num_cycles"}),
    "cosine_with_min_lr": frozenset({"min_lr", "min_lr_rate", "num_cycles"}),
}
"""What these take; they need no look into transformers, which takes seconds."""
KNOWN_BETAS = frozenset({"adam_beta1", "adam_beta2"})
GIVEN_BY_THE_TRAINER = frozenset({"optimizer", "num_warmup_steps", "num_training_steps", "last_epoch"})
PLAIN_OPTIMISER = "adamw_torch"


class RefusedWord(NamedTuple):
    """A setting that the libraries do not take."""

    key: str
    value: str
    problem: str


def refused_words(settings: object, name: str) -> list[RefusedWord]:
    """The words among `settings` that transformers or TRL does not know, or refuses.

    Args:
        settings: of one training; those of anything else have none.
        name: of the training, for messages of the libraries.
    """
    if not isinstance(settings, TrainerSettings):
        return []
    return [*_optimiser(settings), *_schedule(settings), *_trl(settings, name)]


def _optimiser(settings: TrainerSettings) -> Iterator[RefusedWord]:
    if settings.optim in KNOWN_OPTIMISERS:
        return
    from transformers.training_args import OptimizerNames

    names = [one.value for one in OptimizerNames]
    if settings.optim not in names:
        near = get_close_matches(settings.optim, names) or names
        yield RefusedWord("optim", settings.optim, f"transformers has no such optimiser; it has {', '.join(near)}")


def _schedule(settings: TrainerSettings) -> Iterator[RefusedWord]:
    name, given = settings.lr_scheduler_type, set(settings.lr_scheduler_kwargs)
    if name in KNOWN_SCHEDULES and given <= KNOWN_SCHEDULES[name]:
        return
    from transformers.optimization import TYPE_TO_SCHEDULER_FUNCTION

    functions = {str(kind.value): function for kind, function in TYPE_TO_SCHEDULER_FUNCTION.items()}
    if name not in functions:
        known = ", ".join(functions)
        yield RefusedWord("lr_scheduler_type", name, f"transformers has no such schedule; there are {known}")
        return
    taken = set(inspect.signature(functions[name]).parameters) - GIVEN_BY_THE_TRAINER
    for key in sorted(given - taken):
        problem = f"the schedule {name} takes no such argument, only {', '.join(sorted(taken)) or 'none'}"
        yield RefusedWord(f"lr_scheduler_kwargs.{key}", str(settings.lr_scheduler_kwargs[key]), problem)


def _trl(settings: TrainerSettings, name: str) -> Iterator[RefusedWord]:
    """What is wrong with each argument of `trl` by itself; if nothing is, with all of them together."""
    if not settings.trl or _only_betas(settings.trl):
        return
    alone = [(f"trl.{key}", {key: value}) for key, value in settings.trl.items()]
    found = list(_refusals(settings, name, alone))
    yield from found or _refusals(settings, name, [("trl", settings.trl)])


def _only_betas(arguments: dict[str, Any]) -> bool:
    """Whether there is nothing but Adam's betas, in their range: they need no look into TRL."""
    return arguments.keys() <= KNOWN_BETAS and all(
        isinstance(value, float) and 0 <= value < 1 for value in arguments.values()
    )


def _refusals(settings: TrainerSettings, name: str, tries: list[tuple[str, Any]]) -> Iterator[RefusedWord]:
    for key, arguments in tries:
        try:
            _build(_without_machine(settings, arguments), name)
        except TrlArgumentError as error:
            problem = str(error).removeprefix(f"{name}: ").removeprefix(f"`{key}` ")
            yield RefusedWord(key, str(next(iter(arguments.values())) if len(arguments) == 1 else arguments), problem)


def _without_machine(settings: TrainerSettings, trl: dict[str, Any]) -> TrainerSettings:
    single = LaunchSettings(processes=1, strategy=Strategy.SINGLE)
    machine = {"attention": TrainingAttention.EAGER, "optim": PLAIN_OPTIMISER, "launch": single, "lora": None}
    schedule = {"lr_scheduler_type": "constant", "lr_scheduler_kwargs": {}}
    return settings.model_copy(update={**machine, **schedule, "micro_batch_size": None, "trl": trl})


def _build(settings: TrainerSettings, name: str) -> None:
    """Build the training's TRL config, and drop it.

    Raises:
        TrlArgumentError: TRL refused.
    """
    with tempfile.TemporaryDirectory(prefix="reasrm-settings-") as folder:
        run = TrainingRun(name, Path(folder, "resume"), Path(folder, "checkpoint"), Path(folder, "curves"))
        if isinstance(settings, GroupSettings):
            from reasrm.training.grpo.training import grpo_config

            grpo_config(settings, run)
        elif isinstance(settings, SftSettings):
            from reasrm.training.sft import sft_config

            sft_config(settings, run)
        elif isinstance(settings, EpochSettings):
            from trl import RewardConfig

            trl_config(RewardConfig, epoch_arguments(settings, run.resume_from), settings, name)
