"""Settings as arguments of a TRL config class, with `trl`'s further arguments laid over and checked by that class."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from reasrm.records.jsonl import explain
from reasrm.runtime.stage_main import StageError
from reasrm.training.row_order import TokenRow, batches_of_similar_length
from reasrm.training.trainer_settings import EpochSettings, Precision, TrainerSettings, TrainingAttention

OUR_NAME = {
    "bf16": "precision",
    "fp16": "precision",
    "beta": "kl_weight",
    "gradient_accumulation_steps": "batch_size` and `micro_batch_size",
    "generation_batch_size": "batch_size` and `steps_per_generation",
    "logging_steps": "log_every",
    "max_completion_length": "max_reply_tokens",
    "max_length": "max_tokens",
    "max_steps": "steps",
    "model_init_kwargs": "dtype` and `attention",
    "num_generations": "replies_per_prompt",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "micro_batch_size",
    "reward_weights": "rewards",
    "save_steps": "save_every",
    "seed": "seed",
    "use_vllm": "rollouts",
    "vllm_enable_sleep_mode": "rollouts",
    "vllm_gpu_memory_utilization": "rollouts",
    "vllm_importance_sampling_cap": "rollouts",
    "vllm_importance_sampling_clip_max": "rollouts",
    "vllm_importance_sampling_clip_min": "rollouts",
    "vllm_importance_sampling_correction": "rollouts",
    "vllm_importance_sampling_mode": "rollouts",
    "vllm_max_model_length": "rollouts",
    "vllm_mode": "rollouts",
    "vllm_server_base_url": "rollouts",
    "vllm_server_host": "rollouts",
    "vllm_server_port": "rollouts",
    "vllm_server_timeout": "rollouts",
    "vllm_tensor_parallel_size": "rollouts",
}
"""TRL's arguments that a setting of ours with another name decides."""
NOT_OPEN = {
    "code of others never runs here": ("trust_remote_code",),
    "how a stage saves and resumes is not a setting": (
        "auto_find_batch_size", "enable_jit_checkpoint", "ignore_data_skip", "load_best_model_at_end", "output_dir",
        "restore_callback_states_from_checkpoint", "resume_from_checkpoint", "save_on_each_node", "save_only_model",
        "save_strategy", "save_total_limit",
    ),
    "nothing is uploaded or reported by a training": (
        "hub_always_push", "hub_model_id", "hub_private_repo", "hub_revision", "hub_strategy", "hub_token",
        "log_completions_hub_repo", "project", "push_to_hub", "report_to", "run_name", "trackio_bucket_id",
        "trackio_space_id", "trackio_static_space_id",
    ),
    "tokens and template are the checkpoint's": ("chat_template_path", "eos_token", "pad_token"),
    "no data are there to evaluate on": (
        "do_eval", "do_predict", "eval_on_start", "eval_packing", "eval_steps", "eval_strategy",
    ),
    "a killed run would go on with another reference model than it had": (
        "ref_model_mixup_alpha", "ref_model_sync_steps", "sync_ref_model",
    ),
    "rows hold what a training reads and nothing else": ("remove_unused_columns",),
    "the launch decides it": ("deepspeed", "fsdp", "fsdp_config", "local_rank", "parallelism_config", "use_cpu"),
}  # fmt: skip
"""Arguments that `trl` may not set, by the reason."""


class TrlArgumentError(StageError):
    """`trl` names what TRL does not know, or what is set elsewhere, or TRL refuses a value; says which."""


def trl_config(config_class: Any, arguments: dict[str, Any], settings: TrainerSettings, name: str) -> Any:
    """The config of a training: `arguments`, which are ours, and those of `settings.trl`.

    Args:
        config_class: SFTConfig, GRPOConfig or RewardConfig of TRL.
        arguments: keyword arguments that settings of ours decide.
        settings: the training's settings.
        name: of the training, for errors.

    Raises:
        TrlArgumentError: `trl` cannot be taken as it is.
    """
    types = get_type_hints(config_class)
    known = {field.name for field in fields(config_class) if field.init}
    further: dict[str, Any] = {}
    for argument, value in settings.trl.items():
        if reason := _refusal(argument, known, arguments):
            raise TrlArgumentError(f"{name}: `trl.{argument}` {reason}")
        try:
            further[argument] = TypeAdapter(types[argument]).validate_python(value)
        except ValidationError as error:
            raise TrlArgumentError(f"{name}: `trl.{argument}` of {config_class.__name__}: {explain(error)}") from error
    with refused_in_one_line(name):
        return config_class(**arguments, **further)


@contextmanager
def refused_in_one_line(name: str) -> Iterator[None]:
    """Turn what TRL says of settings that it does not take together into one line.

    Raises:
        TrlArgumentError: TRL refused.
    """
    try:
        yield
    except (ValueError, ImportError, NotImplementedError) as error:
        said = " ".join(str(error).split())
        raise TrlArgumentError(f"{name}: refused by the trainer: {said}") from error


def _refusal(argument: str, known: set[str], arguments: dict[str, Any]) -> str:
    """Why `trl` may not set `argument`; empty if it may."""
    for reason, names in NOT_OPEN.items():
        if argument in names:
            return f"cannot be set: {reason}"
    if argument not in known:
        return "is no argument of this training's config class in TRL"
    if argument in OUR_NAME:
        return f"is decided by `{OUR_NAME[argument]}` of the same section: set that"
    if argument in arguments:
        return f"is decided by `{argument}` of the same section, or follows from its other settings"
    return ""


def shared_arguments(settings: TrainerSettings, folder: Path) -> dict[str, Any]:
    """The keyword arguments that every TRL config gets; checkpoints to resume from go to `folder`.

    Raises:
        StageError: the machine lacks what a setting needs.
    """
    import torch

    require_attention(settings.attention)
    require_optimiser(settings.optim)
    return {
        "output_dir": str(folder),
        "optim": settings.optim,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.lr_scheduler_type,
        "lr_scheduler_kwargs": dict(settings.lr_scheduler_kwargs),
        "warmup_steps": settings.warmup_steps,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "per_device_train_batch_size": settings.sequences_at_once,
        "gradient_accumulation_steps": settings.accumulate,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "bf16": settings.precision is Precision.BFLOAT16,
        "ddp_find_unused_parameters": False,
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "steps",
        "save_steps": settings.save_every,
        "logging_steps": settings.log_every,
        "logging_nan_inf_filter": False,  # it logs 0, or the mean of other steps, where a loss is not a number
        "seed": settings.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }


def epoch_arguments(settings: EpochSettings, folder: Path) -> dict[str, Any]:
    """The keyword arguments for rows that lie in their order of training already, all epochs in one sequence."""
    return {
        **shared_arguments(settings, folder),
        "num_train_epochs": 1,
        "train_sampling_strategy": "sequential",
        "max_length": None,
    }


def ordered_dataset(rows: Sequence[TokenRow], lengths: Sequence[int], settings: EpochSettings) -> Any:
    """The `datasets.Dataset` of `rows` in their order of training over all epochs; `lengths` are in tokens."""
    from datasets import Dataset

    order = batches_of_similar_length(lengths, settings.batch_size, settings.epochs, settings.seed)
    return Dataset.from_list([rows[at] for at in order])


def require_attention(attention: TrainingAttention) -> None:
    """Do nothing if this machine has the attention implementation.

    Raises:
        StageError: it needs flash-attn and CUDA, which are not here.
    """
    if attention is not TrainingAttention.FLASH_ATTENTION_2:
        return
    import torch
    from transformers.utils import is_flash_attn_2_available

    if not torch.cuda.is_available() or not is_flash_attn_2_available():
        raise StageError(
            "`attention: flash_attention_2` needs a CUDA device and the package flash-attn, which are not both here: "
            "take `sdpa`"
        )


def require_optimiser(optim: str) -> None:
    """Do nothing if the library of an optimiser of 8 bits or in pages is here; others need none, or say so themselves.

    Raises:
        StageError: it is not; transformers would find out when the model is loaded.
    """
    from transformers.utils import is_bitsandbytes_available

    if any(kind in optim for kind in ("8bit", "paged", "bnb")) and not is_bitsandbytes_available():
        raise StageError(
            f"`optim: {optim}` needs the package bitsandbytes (`pip install bitsandbytes`); adamw_torch_fused does not"
        )
