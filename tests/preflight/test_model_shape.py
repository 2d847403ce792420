"""Parameters counted from a shape, beside those of model cards and of models that transformers builds."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.preflight.known_models import KNOWN_MODELS, known_shape
from reasrm.preflight.model_shape import KINDS, shape_of_config, shape_of_folder, stored_parameters
from reasrm.runtime.stage_main import StageError

ON_THE_CARD = {
    "Qwen/Qwen2.5-0.5B-Instruct": 494_032_768,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-3B-Instruct": 3_085_938_688,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen2.5-14B-Instruct": 14_770_033_664,
    "Qwen/Qwen2.5-32B-Instruct": 32_763_876_352,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": 1_777_088_000,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-4B": 4_022_468_096,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "meta-llama/Llama-3.1-8B-Instruct": 8_030_261_248,
    "HuggingFaceTB/SmolLM2-135M-Instruct": 134_515_008,
}
SIZES: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
    "intermediate_size": 48, "vocab_size": 96, "max_position_embeddings": 64,
}  # fmt: skip


def test_known_models_have_the_parameters_of_their_cards() -> None:
    assert {name: KNOWN_MODELS[name].parameters for name in ON_THE_CARD} == ON_THE_CARD
    assert known_shape("qwen2.5-7b-instruct") == KNOWN_MODELS["Qwen/Qwen2.5-7B-Instruct"]
    assert known_shape("7b") is None


def test_what_has_no_formula_is_refused_by_its_name() -> None:
    with pytest.raises(StageError, match="model_type `mamba`"):
        shape_of_config({"model_type": "mamba"}, "there")
    with pytest.raises(StageError, match="`num_local_experts`"):
        shape_of_config({"model_type": "mistral", "num_local_experts": 8}, "there")
    whole = {"model_type": "qwen2", **SIZES}
    for key, value in {"hidden_size": "abc", "vocab_size": -1, "num_hidden_layers": True, "intermediate_size": 1e300,
                       "num_attention_heads": 0, "tie_word_embeddings": "false"}.items():  # fmt: skip
        with pytest.raises(StageError, match=f"there: config.json: `{key}` is "):
            shape_of_config({**whole, key: value}, "there")
    with pytest.raises(StageError, match="`num_attention_heads` is missing"):
        shape_of_config({"model_type": "qwen2", "hidden_size": 8}, "there")


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_the_parameters_of_the_model_that_transformers_builds(
    kind: str, tied: bool, tmp_path: Path
) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SIZES, tie_word_embeddings=tied))
    model.save_pretrained(tmp_path)
    shape = shape_of_folder(tmp_path)
    built = sum(weight.numel() for weight in model.parameters())
    assert shape.parameters == built == stored_parameters(tmp_path, shape)
    model.config.num_labels = 1
    scalar = AutoModelForSequenceClassification.from_config(model.config)
    assert shape.scalar_parameters == sum(weight.numel() for weight in scalar.parameters())
