"""Weights from a checkpoint, all of them: a part that is not in the files would be random numbers, and is refused.

The library fills what it does not find with fresh random weights and merely logs it; a judge with a random head gives
verdicts all the same, at chance level.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reasrm.runtime.stage_main import StageError

HEAD = "score."
"""What the names of a scalar head's weights begin with."""
NAMES_SHOWN = 6


def load_whole(kind: Any, checkpoint: Path, hint: str, *, new: str = "", **settings: Any) -> Any:
    """Load `checkpoint` as `kind`, a model class of transformers, from safetensors and without code of others.

    Args:
        kind: the class.
        checkpoint: the folder.
        hint: what else the checkpoint may be, for the error's text.
        new: weights whose names begin so are to be random: a head that is yet to be trained. Tied ones never count.
        **settings: those of the class's own `from_pretrained`.

    Raises:
        StageError: other weights are missing, have another shape, or belong to a head that `kind` does not have.
    """
    model, found = kind.from_pretrained(
        str(checkpoint),
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are refused below, by their names
        trust_remote_code=False,
        use_safetensors=True,
        **settings,
    )
    wrong = {
        "lacks": {name for name in found["missing_keys"] if not new or not name.startswith(new)},
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
