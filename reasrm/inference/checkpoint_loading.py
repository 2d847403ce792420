"""A checkpoint as the kind of judge that it is: one that writes, or one that scores; nothing of it random."""

import json
from pathlib import Path
from typing import Any

from reasrm.inference.scalar_heads import is_two_layered, with_two_layers
from reasrm.inference.whole_checkpoint import HEAD, load_whole
from reasrm.runtime.stage_main import StageError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SCORES_ANSWERS = ("ForSequenceClassification", "RewardModel")
"""How the names of architectures end that give a number instead of a text."""


def load_causal(checkpoint: Path, **settings: Any) -> Any:
    """The language model in `checkpoint`, with the library's own `settings` of loading.

    Raises:
        StageError: it is a scalar judge, or lacks weights.
    """
    from transformers import AutoModelForCausalLM

    refuse_scalar(checkpoint)
    return load_whole(AutoModelForCausalLM, checkpoint, "is it a scalar judge (`kind: scalar`)? Else", **settings)


def load_scalar(checkpoint: Path, **settings: Any) -> Any:
    """The sequence classifier of one label in `checkpoint`; its head has one layer, or two as INF-ORM's.

    Raises:
        StageError: it lacks weights, or its head is of another kind.
    """
    from transformers import AutoModelForSequenceClassification

    two = is_two_layered(tensor_names(checkpoint))
    kind = with_two_layers(checkpoint) if two else AutoModelForSequenceClassification
    hint = "is it a generative judge (`kind: generative`), or has it more labels than one? Else"
    return load_whole(kind, checkpoint, hint, num_labels=1, **settings)


def refuse_scalar(checkpoint: Path) -> None:
    """Do nothing for a language model.

    Raises:
        StageError: `checkpoint` holds a model that scores answers; it would write noise.
    """
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    scoring = [name for name in config.get("architectures") or () if name.endswith(SCORES_ANSWERS)]
    heads = [name for name in tensor_names(checkpoint) if name.startswith(HEAD)]
    if scoring or heads:
        raise StageError(
            f"{checkpoint}: a scalar judge ({', '.join(scoring or heads)}), which scores answers and writes no text: "
            "judge with it by `kind: scalar` in `judge_variants` of params.yaml and `reasrm run --to judge@NAME`, "
            "or one comparison by `reasrm judge --engine scalar`"
        )


def tensor_names(checkpoint: Path) -> list[str]:
    """The names of all weights in the safetensors files of `checkpoint`; none where there is no such file."""
    if (checkpoint / INDEX).is_file():
        return sorted(json.loads((checkpoint / INDEX).read_text(encoding="utf-8"))["weight_map"])
    if not (checkpoint / WEIGHTS).is_file():
        return []
    from safetensors import safe_open

    with safe_open(checkpoint / WEIGHTS, framework="pt") as file:
        return sorted(file.keys())
