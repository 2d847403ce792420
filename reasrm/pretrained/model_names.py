"""The names of the models that can be fetched, and where they go by default; light to import."""

from enum import StrEnum
from pathlib import Path

MODELS = Path("models")
"""The folder of fetched models, in the working folder."""


class FetchedModelName(StrEnum):
    """The models that can be fetched."""

    SMOLLM2 = "smollm2"


def way_to(folder: Path) -> str:
    """The command that makes `folder`, in words, if it is where a model goes by default; else nothing."""
    is_known = folder.parent == MODELS and folder.name in {name.value for name in FetchedModelName}
    return f"`reasrm fetch {folder.name}` makes it" if is_known else ""
