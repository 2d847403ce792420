"""Models from checkpoints: a language model, or a classifier of one label that scores answers; with all their weights.

The library fills weights that it does not find with fresh random numbers and merely logs it. A judge with a random head
gives verdicts all the same, at chance level, so here a checkpoint with missing weights is refused; and what the library
says of files that it cannot read becomes one line.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reasrm.runtime.stage_main import StageError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SCALAR_ARCHITECTURES = ("ForSequenceClassification", "RewardModel")
"""How the names of architectures end that give a number instead of a text."""
SCALAR_HEAD = "score."
"""What the names of a scalar head's weights begin with."""
TWO_LAYER_HEAD = frozenset({"score.0.weight", "score.0.bias", "score.2.weight", "score.2.bias"})
"""The weights of INF-ORM's head: two linear layers with a ReLU between them (its model card)."""
NAMES_IN_ERROR = 6
"""So many weights are named in an error's text; the others are counted."""


def load_config(checkpoint: Path) -> Any:
    """The configuration of `checkpoint`, as transformers reads it.

    Raises:
        StageError: there is none, or of no kind that transformers knows.
    """
    from transformers import AutoConfig

    require_checkpoint(checkpoint)
    with reading(checkpoint, "configuration"):
        return AutoConfig.from_pretrained(checkpoint, trust_remote_code=False)


def require_checkpoint(checkpoint: Path) -> None:
    """Do nothing if `checkpoint` is a checkpoint's folder.

    Raises:
        StageError: it is none.
    """
    if not (checkpoint / "config.json").is_file():
        raise StageError(
            f"{checkpoint}: no checkpoint there (a folder with config.json); `reasrm run` trains "
            f"data/checkpoints/grpo-full, and `hf download NAME --local-dir FOLDER` gets a published model"
        )


@contextmanager
def reading(checkpoint: Path, part: str) -> Iterator[None]:
    """Turn the libraries' errors while `part` of `checkpoint` is read into one line.

    Raises:
        StageError: it cannot be read.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise StageError(
            f"{checkpoint}: its {part} cannot be read ({said}); get the whole checkpoint, of a kind that the installed "
            "transformers knows"
        ) from error


def load_causal(checkpoint: Path, **settings: Any) -> Any:
    """The language model in `checkpoint`, with the library's own `settings` of loading.

    Raises:
        StageError: it is a scalar judge, or lacks weights.
    """
    from transformers import AutoModelForCausalLM

    refuse_scalar(checkpoint)
    return load_all_weights(AutoModelForCausalLM, checkpoint, "is it a scalar judge (`kind: scalar`)? Else", **settings)


def load_scalar(checkpoint: Path, **settings: Any) -> Any:
    """The sequence classifier of one label in `checkpoint`.

    Its head is one linear layer (`score.weight`: Skywork-Reward, our own ScalarRM), or has two layers as INF-ORM's.

    Raises:
        StageError: it lacks weights, or its head is of another kind.
    """
    from transformers import AutoModelForSequenceClassification

    two_layers = not TWO_LAYER_HEAD.isdisjoint(tensor_names(checkpoint))
    model_class = _with_two_layer_head(checkpoint) if two_layers else AutoModelForSequenceClassification
    hint = "is it a generative judge (`kind: generative`), or has it more labels than one? Else"
    return load_all_weights(model_class, checkpoint, hint, num_labels=1, **settings)


def refuse_scalar(checkpoint: Path) -> None:
    """Do nothing for a language model.

    Raises:
        StageError: `checkpoint` holds a model that scores answers; it would write noise.
    """
    with reading(checkpoint, "configuration"):
        config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    scoring = [name for name in config.get("architectures") or () if name.endswith(SCALAR_ARCHITECTURES)]
    heads = [name for name in tensor_names(checkpoint) if name.startswith(SCALAR_HEAD)]
    if scoring or heads:
        raise StageError(
            f"{checkpoint}: a scalar judge ({', '.join(scoring or heads)}), which scores answers and writes no text: "
            "judge with it by `kind: scalar` in `judge_variants` of params.yaml and `reasrm run --to judge@NAME`, "
            "or one comparison by `reasrm judge --engine scalar`"
        )


def tensor_names(checkpoint: Path) -> list[str]:
    """The names of all weights in the safetensors files of `checkpoint`; none where there is no such file.

    Raises:
        StageError: there is one that cannot be read.
    """
    if (checkpoint / INDEX).is_file():
        with reading(checkpoint, "list of weights"):
            return sorted(json.loads((checkpoint / INDEX).read_text(encoding="utf-8"))["weight_map"])
    if not (checkpoint / WEIGHTS).is_file():
        return []
    from safetensors import safe_open

    with reading(checkpoint, "weights"), safe_open(checkpoint / WEIGHTS, framework="pt") as file:
        return sorted(file.keys())


def load_all_weights(model_class: Any, checkpoint: Path, hint: str, *, new_head: str = "", **settings: Any) -> Any:
    """Load `checkpoint` as a `model_class` of transformers, from safetensors and without code of others.

    Args:
        model_class: the class, or one of transformers' Auto classes.
        checkpoint: the folder.
        hint: what else the checkpoint may be, for the error's text.
        new_head: weights whose names begin so may be missing: a head that is yet to be trained. Tied ones never count.
        **settings: those of the class's own `from_pretrained`.

    Raises:
        StageError: other weights are missing, have another shape, or belong to a head that `model_class` does not have;
            or they cannot be read.
    """
    with reading(checkpoint, "model"):
        model, found = model_class.from_pretrained(
            str(checkpoint),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by their names
            trust_remote_code=False,
            use_safetensors=True,
            **settings,
        )
    unknown = {name for name in found["unexpected_keys"] if name.startswith(SCALAR_HEAD)}
    problems = {
        "lacks": {name for name in found["missing_keys"] if not new_head or not name.startswith(new_head)},
        "has in another shape": {name for name, *_ in found["mismatched_keys"]},
        "has, unknown to this kind of model,": unknown,
    }
    listed = [f"{problem} {_listed(names)}" for problem, names in problems.items() if names]
    if listed:
        raise StageError(
            f"{checkpoint}: as {type(model).__name__} it {' and '.join(listed)}; random numbers would stand in for "
            f"that; {hint} get the whole checkpoint, in a kind that transformers knows"
        )
    return model


def _with_two_layer_head(checkpoint: Path) -> Any:
    """The library's sequence classifier for the architecture of `checkpoint`, with a head of two layers.

    INF-ORM's own class is remote code, which never runs here: the same shape is made of the library's model.

    Raises:
        StageError: the library has no sequence classifier for that architecture.
    """
    from torch import nn
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

    config = load_config(checkpoint)
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise StageError(f"{checkpoint}: transformers has no sequence classifier for `{config.model_type}` models")
    single: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]

    def initialise(self: Any, config: Any) -> None:
        single.__init__(self, config)
        width = config.get_text_config().hidden_size
        self.score = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, config.num_labels))
        self.post_init()

    return type(f"TwoLayered{single.__name__}", (single,), {"__init__": initialise})


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - NAMES_IN_ERROR} more" if len(ordered) > NAMES_IN_ERROR else ""
    return ", ".join(ordered[:NAMES_IN_ERROR]) + more
