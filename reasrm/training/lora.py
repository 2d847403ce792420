"""LoRA and QLoRA by peft: a small adapter is trained beside frozen weights; what is written is the merged model.

The merged folder is like any other checkpoint, in the number format of `save_dtype`; nothing downstream knows of
adapters. In GRPO the reference is the base without the adapter, so no second model is held (TRL's `peft_config`).

QLoRA (`quantise: nf4`) trains beside weights of four bits. It merges into the base as it lies on disk, in the number
format of `dtype`, not into the quantised copy; so the written model is not exactly the one that was trained.
"""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reasrm.runtime.stage_main import StageError


class Quantisation(StrEnum):
    """Format of the frozen weights while an adapter is trained."""

    NF4 = "nf4"
    """Four bits (normal float), by bitsandbytes; needs CUDA."""


class LoraSettings(BaseModel):
    """One adapter; peft's names, but `rank` is its `r`, `alpha` its `lora_alpha`, `dropout` its `lora_dropout`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(gt=0)
    alpha: float = Field(gt=0)
    """The adapter is scaled by alpha / rank, or with `use_rslora` by alpha / sqrt(rank)."""
    dropout: float = Field(ge=0, lt=1)
    target_modules: Literal["all-linear"] | tuple[str, ...] = Field(min_length=1)
    """Layers that get an adapter: `all-linear` (all but the output layer), or names as `q_proj`."""
    use_rslora: bool
    quantise: Quantisation | None


class AdapterTask(StrEnum):
    """What kind of model an adapter is for; peft's names."""

    LANGUAGE_MODEL = "CAUSAL_LM"
    SCALAR = "SEQ_CLS"
    """Its head is new, so it is trained whole and kept whole."""


def adapter_config(lora: LoraSettings | None, task: AdapterTask) -> Any:
    """The `peft.LoraConfig` of `lora`; None for None, which trains all weights."""
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules if isinstance(lora.target_modules, str) else list(lora.target_modules),
        use_rslora=lora.use_rslora,
        task_type=task.value,
    )


def quantisation_config(lora: LoraSettings | None, dtype: str) -> Any:
    """The `transformers.BitsAndBytesConfig` of `lora`, products in `dtype`; None where nothing is quantised.

    Raises:
        StageError: this machine has no CUDA device, or no bitsandbytes.
    """
    if lora is None or lora.quantise is None:
        return None
    import torch
    from transformers import BitsAndBytesConfig
    from transformers.utils import is_bitsandbytes_available

    if not torch.cuda.is_available() or not is_bitsandbytes_available():
        raise StageError(
            f"`lora.quantise: {lora.quantise.value}` needs a CUDA device and the package bitsandbytes (`pip install "
            "bitsandbytes`), which are not both here: `quantise: null` trains the adapter beside unquantised weights"
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=lora.quantise.value,
        bnb_4bit_compute_dtype=getattr(torch, dtype),
        bnb_4bit_use_double_quant=True,
    )


def require_mergeable(name: str, model: Any) -> None:
    """Do nothing if an adapter of `model`, if it has one, can be merged without changing what it does.

    Args:
        name: of the training, for the error.
        model: as a trainer trains it.

    Raises:
        StageError: the embedding has one and lends its weights to the output layer, which would change with it.
    """
    from peft.tuners.lora import LoraLayer

    if not isinstance(model.get_input_embeddings(), LoraLayer) or model.get_output_embeddings() is None:
        return
    if model.config.get_text_config().tie_word_embeddings:
        raise StageError(
            f"{name}: lora.target_modules names the embedding, whose weights are the output layer's too in this model: "
            f"merged, the adapter would change both, and only one was trained; leave it out"
        )


def merged_model(model: Any, dtype: Any) -> Any:
    """`model`, as a trainer trained it, in the torch type `dtype`; an adapter, if it has one, is merged."""
    if not hasattr(model, "merge_and_unload"):
        return model.to(dtype)
    if not getattr(model, "is_loaded_in_4bit", False):
        return _merged(model, dtype)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return merged_into_base(Path(folder), model.dtype, dtype)


def merged_into_base(adapter: Path, loaded: Any, dtype: Any) -> Any:
    """The adapter in a folder merged into its base as that lies on disk.

    Args:
        adapter: the folder.
        loaded: torch type in which the base is loaded.
        dtype: torch type of the merged model.
    """
    from peft import AutoPeftModelForCausalLM, AutoPeftModelForSequenceClassification, PeftConfig

    if PeftConfig.from_pretrained(adapter).task_type == AdapterTask.SCALAR.value:
        model = AutoPeftModelForSequenceClassification.from_pretrained(adapter, dtype=loaded, num_labels=1)
    else:
        model = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype=loaded)
    return _merged(model, dtype)


def _merged(model: Any, dtype: Any) -> Any:
    """A peft model merged layer by layer in float32 and rounded to `dtype` once; only one layer is ever held twice."""
    from peft.tuners.lora import LoraLayer

    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            layer.get_base_layer().float()
            layer.merge()
            layer.get_base_layer().to(dtype)
    return model.unload().to(dtype)
