"""The bytes that a forward pass keeps, counted by torch itself, beside the formula."""

from typing import Any

import pytest

from reasrm.preflight.formulas.activations import BFLOAT16, block_bytes, number_formats
from reasrm.preflight.model_shape import ModelShape, shape_of_config
from reasrm.training.trainer_settings import EpochSettings
from tests.training.stage_runs import LORA, PARAMS

pytestmark = [pytest.mark.slow]
SIZES: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "intermediate_size": 160, "vocab_size": 256, "max_position_embeddings": 256, "tie_word_embeddings": True,
}  # fmt: skip
SEQUENCES, LENGTH = 2, 96
NEAR = 0.03


def settings(**changes: Any) -> EpochSettings:
    values = {name: PARAMS["scalar_rm"][name] for name in EpochSettings.model_fields}
    return EpochSettings.model_validate(values | changes)


def kept_bytes(model: Any, precision: str) -> int:
    """Bytes of the distinct tensors, weights left out, that the backward pass would read."""
    import torch

    weights = {one.untyped_storage().data_ptr() for one in model.parameters()}
    kept: dict[int, Any] = {}  # by address, and held, so that no address is given out twice

    def note(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage
        return tensor

    ids = torch.ones((SEQUENCES, LENGTH), dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[0, :3] = 0  # padding, so that no attention leaves the mask out
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor), autocast:
        model(input_ids=ids, attention_mask=mask, use_cache=False)
    return sum(storage.nbytes() for storage in kept.values())


def built(kind: str, chosen: EpochSettings, layers: int) -> tuple[Any, ModelShape]:
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(kind, **(SIZES | {"num_hidden_layers": layers}))
    config._attn_implementation = chosen.attention.value
    model = AutoModel.from_config(config, dtype=getattr(torch, chosen.dtype.value))
    if chosen.lora is not None:
        from peft import get_peft_model

        from reasrm.training.lora import AdapterTask, adapter_config

        setting = adapter_config(chosen.lora, AdapterTask.LANGUAGE_MODEL)
        setting.task_type = None
        model = get_peft_model(model, setting)
        model.enable_input_require_grads()
    return model.train(), shape_of_config(config.to_dict(), kind)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize(
    ("dtype", "precision"), [("float32", "float32"), ("float32", "bfloat16"), ("bfloat16", "bfloat16")]
)
@pytest.mark.parametrize("kind", ["llama", "qwen3"])
@pytest.mark.parametrize("lora", [None, LORA], ids=["whole", "lora"])
def test_one_more_block_keeps_what_the_formula_says(
    kind: str, dtype: str, precision: str, attention: str, lora: Any
) -> None:
    chosen = settings(dtype=dtype, precision=precision, attention=attention, lora=lora)
    counted = []
    for layers in (2, 3):
        model, shape = built(kind, chosen, layers)
        counted.append(kept_bytes(model, precision))
    copies = BFLOAT16 * shape.block_linear if number_formats(chosen).autocast else 0
    if lora and precision == "bfloat16":
        copies += BFLOAT16 * lora["rank"] * sum(map(sum, shape.linear_layers().values()))
    said = block_bytes(shape, chosen, SEQUENCES, LENGTH) * SEQUENCES * LENGTH + copies
    assert said == pytest.approx(counted[1] - counted[0], rel=NEAR)
