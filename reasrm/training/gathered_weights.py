"""The trained model whole and in one place: shards gathered from all processes, an adapter merged."""

from pathlib import Path
from typing import Any

from reasrm.runtime.stage_main import StageError
from reasrm.training.checkpoint import saved_dtype
from reasrm.training.lora import merged_into_base, merged_model
from reasrm.training.trainer_settings import TrainerSettings


def gathered_model(trainer: Any, scratch: Path, settings: TrainerSettings) -> Any:
    """The model that `trainer` trained, as it is written: whole, without an adapter, in its number format.

    Called by all processes, of use in the first; the trainer's own model is of no use afterwards.

    Args:
        trainer: a transformers Trainer after its training.
        scratch: folder for an adapter on its way.
        settings: the training's.
    """
    first, model = trainer.is_world_process_zero(), trainer.accelerator.unwrap_model(trainer.model)
    dtype = saved_dtype(settings, model.config.name_or_path)
    if not _is_sharded(trainer):
        return merged_model(model, dtype)
    if hasattr(model, "merge_and_unload"):
        adapter = scratch / "adapter"
        trainer.save_model(str(adapter))
        trainer.accelerator.wait_for_everyone()
        return merged_into_base(adapter, model.config.dtype, dtype) if first else None
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return model_with_weights(model, weights, dtype) if first else None


def model_with_weights(sharded: Any, weights: dict[str, Any], dtype: Any) -> Any:
    """A whole model like `sharded` that holds `weights`, in the torch type `dtype`.

    Raises:
        StageError: weights are missing.
    """
    import torch

    with torch.device("meta"):
        whole = type(sharded)(sharded.config)
    whole.load_state_dict({name: tensor.to(dtype) for name, tensor in weights.items()}, strict=False, assign=True)
    whole.tie_weights()
    missing = sorted(name for name, tensor in whole.named_parameters() if tensor.is_meta)
    if missing:
        raise StageError(f"the gathered model lacks {len(missing)} weights, {missing[0]} first: a defect; report it")
    whole.generation_config = getattr(sharded, "generation_config", None)
    return whole


def _is_sharded(trainer: Any) -> bool:
    plugin = trainer.accelerator.state.deepspeed_plugin
    return bool(trainer.is_fsdp_enabled or (plugin is not None and plugin.zero_stage == 3))
