"""Models from checkpoints: a language model, or a classifier of one label that scores answers; with all their weights.

The library fills weights that it does not find with fresh random numbers and merely logs it. A judge with a random head
gives verdicts all the same, at chance level, so here a checkpoint with missing weights is refused; and what the library
says of files that it cannot read becomes one line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoints.checkpoint_folder import read_config, require_checkpoint
from reasrm.inference.checkpoints.weight_files import INDEX, WEIGHTS, listed, tensor_names
from reasrm.runtime.stage_main import StageError

SCALAR_ARCHITECTURES = ("ForSequenceClassification", "RewardModel")
"""How the names of architectures end that give a number instead of a text."""
ERROR_LENGTH = 300
"""Characters of a library's error that are shown."""
SCALAR_HEAD = "score."
"""What the names of a scalar head's weights begin with."""
TWO_LAYER_HEAD = frozenset({"score.0.weight", "score.0.bias", "score.2.weight", "score.2.bias"})
"""The weights of INF-ORM's head: two linear layers with a ReLU between them (its model card)."""


def load_config(checkpoint: Path) -> Any:
    """The configuration of `checkpoint`, as transformers reads it.

    Raises:
        StageError: there is none, or of no kind that transformers knows.
    """
    from transformers import AutoConfig

    require_checkpoint(checkpoint)
    with reading(checkpoint, "configuration"):
        return AutoConfig.from_pretrained(checkpoint, trust_remote_code=False)


@contextmanager
def reading(checkpoint: Path, part: str) -> Iterator[None]:
    """Turn the libraries' errors while `part` of `checkpoint` is read into one line.

    Raises:
        StageError: it cannot be read.
    """
    try:
        yield
    except StageError:
        raise
    except Exception as error:  # whatever a library raises over a stored file, it is the file that is at fault
        said = " ".join(str(error).split())[:ERROR_LENGTH]
        if not said or not isinstance(error, OSError | ValueError):
            said = f"{type(error).__name__} {said}".strip()
        way_out = "get the whole checkpoint, of a kind that the installed transformers knows"
        if isinstance(error, MemoryError) or "out of memory" in said.lower():
            way_out = "take bfloat16, or a machine with more memory"
        raise StageError(f"{checkpoint}: its {part} cannot be read ({said}); {way_out}") from error


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
    architectures = read_config(checkpoint).get("architectures")
    names = map(str, architectures) if isinstance(architectures, list) else ()
    scoring = [name for name in names if name.endswith(SCALAR_ARCHITECTURES)]
    heads = [name for name in tensor_names(checkpoint) if name.startswith(SCALAR_HEAD)]
    if scoring or heads:
        raise StageError(
            f"{checkpoint}: a scalar judge ({', '.join(scoring or heads)}), which scores answers and writes no text: "
            "judge with it by `kind: scalar` in `judge_variants` of params.yaml and `reasrm run --to judge@NAME`, "
            "or one comparison by `reasrm judge --engine scalar`"
        )


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
    with reading(checkpoint, "model"), _no_report_of_its_own():
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
    found_wrong = [f"{problem} {listed(sorted(names))}" for problem, names in problems.items() if names]
    if found_wrong:
        raise StageError(
            f"{checkpoint}: as {type(model).__name__} it {' and '.join(found_wrong)}; random numbers would stand in "
            f"for that; {hint} get the whole checkpoint ({WEIGHTS}, or {INDEX} and its files), in a kind that "
            "transformers knows"
        )
    refuse_broken_numbers(model, checkpoint)
    return model


@contextmanager
def _no_report_of_its_own() -> Iterator[None]:
    """Keep transformers from printing a table of missing weights; what matters of it becomes an error here."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def refuse_broken_numbers(model: Any, checkpoint: Path) -> None:
    """Do nothing if all weights of `model` are finite.

    Raises:
        StageError: some are not: a training that diverged, or a conversion that overflowed. Every reply would be noise.
    """
    broken = [name for name, weights in model.named_parameters() if not all_finite(weights)]
    if broken:
        raise StageError(
            f"{checkpoint}: its weights are no numbers in {listed(sorted(broken))} (NaN or infinite), so it writes "
            "noise: get the checkpoint again, or one from before its training diverged"
        )


def all_finite(weights: Any) -> bool:
    """Whether all numbers of `weights` are finite; quantised ones (one byte each) are not looked at.

    By the smallest and the largest, which take one pass and no memory; both are NaN if any weight is.
    """
    if not weights.is_floating_point() or weights.element_size() < 2 or not weights.numel():
        return True
    return all(bool(one.isfinite()) for one in weights.detach().aminmax())


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
