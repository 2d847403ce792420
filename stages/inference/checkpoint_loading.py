"""Weights from a checkpoint, all of them: a part that is not in the files would be random numbers, and is refused.

The library fills what it does not find with fresh random weights and merely logs it; a judge with a random head gives
verdicts all the same, at chance level.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.inference.scalar_heads import HEAD, is_two_layered, with_two_layers
from stages.runtime.stage_main import StageError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SCORES_ANSWERS = ("ForSequenceClassification", "RewardModel")
"""How the names of architectures end that give a number instead of a text."""
NAMES_SHOWN = 6


def load_causal(checkpoint: Path, **settings: Any) -> Any:
    """The language model in `checkpoint`, with the library's own `settings` of loading.

    Raises:
        StageError: it is a scalar judge, or lacks weights.
    """
    from transformers import AutoModelForCausalLM

    refuse_scalar(checkpoint)
    return _load(AutoModelForCausalLM, checkpoint, "is it a scalar judge (`kind: scalar`)? Else", settings)


def load_scalar(checkpoint: Path, **settings: Any) -> Any:
    """The sequence classifier of one label in `checkpoint`; its head has one layer, or two as INF-ORM's.

    Raises:
        StageError: it lacks weights, or its head is of another kind.
    """
    from transformers import AutoModelForSequenceClassification

    two = is_two_layered(tensor_names(checkpoint))
    kind = with_two_layers(checkpoint) if two else AutoModelForSequenceClassification
    hint = "is it a generative judge (`kind: generative`), or has it more labels than one? Else"
    return _load(kind, checkpoint, hint, settings | {"num_labels": 1})


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


def _load(kind: Any, checkpoint: Path, hint: str, settings: dict[str, Any]) -> Any:
    """Load and compare what the model has with what the files hold. Tied weights are not missing."""
    model, found = kind.from_pretrained(
        checkpoint,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are refused below, by their names
        trust_remote_code=False,
        use_safetensors=True,
        **settings,
    )
    wrong = {
        "lacks": found["missing_keys"],
        "has in another shape": {name for name, *_ in found["mismatched_keys"]},
        "has, unknown to this kind of model,": {name for name in found["unexpected_keys"] if name.startswith(HEAD)},
    }
    said = [f"{what} {_named(names)}" for what, names in wrong.items() if names]
    if said:
        raise StageError(
            f"{checkpoint}: as {type(model).__name__} it {' and '.join(said)}; random numbers would stand in for that; "
            f"{hint} get the whole checkpoint, in a kind that transformers knows"
        )
    return model


def _named(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - NAMES_SHOWN} more" if len(ordered) > NAMES_SHOWN else ""
    return ", ".join(ordered[:NAMES_SHOWN]) + more
