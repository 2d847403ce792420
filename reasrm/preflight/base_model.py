"""Which model the stages start from, as params.yaml says, and its shape before any stage has brought it here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.inference.checkpoints.checkpoint_folder import CONFIG, read_config
from reasrm.miniature.tiny_model import TinyShape
from reasrm.preflight.formulas.activations import BFLOAT16, FLOAT32
from reasrm.preflight.known_models import KNOWN_MODELS, known_shape
from reasrm.preflight.model_shape import ModelShape, shape_of_folder
from reasrm.runtime.params import ParamsError
from reasrm.runtime.stage_main import StageError

BASE = Path("data/checkpoints/base")
TRAINED_HERE = frozenset({"world", "pairs"})
"""Sources of `base_model` that train the miniature."""


class BaseModel(NamedTuple):
    """The model that is trained."""

    name: str
    shape: ModelShape
    folder: Path | None
    """Where its config and tokenizer are, if they are here."""
    stored_width: int
    """Bytes of a stored weight."""


def base_model(root: Path, params: Mapping[str, Any], described: str = "") -> BaseModel:
    """The base model of the project in `root`.

    Args:
        root: the project's folder.
        params: the document in params.yaml.
        described: a checkpoint's folder, or the hub id of a known model, in place of what params.yaml says.

    Raises:
        StageError: its shape is unknown; says how to give it.
    """
    if described:
        return _described(root, described)
    section = params.get("base_model")
    if not isinstance(section, Mapping):
        raise ParamsError("params.yaml: no section `base_model`")
    source, model = str(section.get("source")), str(section.get("model"))
    if source in TRAINED_HERE:
        return _miniature(root, section)
    folder = root / model if source == "folder" else _in_hub_cache(model, str(section.get("revision")))
    if folder is not None and (folder / CONFIG).is_file():
        return _of_folder(model, folder)
    if shape := known_shape(model):
        return BaseModel(model, shape, None, BFLOAT16)
    where = "there is no config.json" if source == "folder" else "not in the hub's cache"
    raise StageError(
        f"the model {model!a} is unknown ({where}): `reasrm plan --model FOLDER` takes one with its "
        f"config.json, or one of {', '.join(KNOWN_MODELS)}"
    )


def _of_folder(name: str, folder: Path) -> BaseModel:
    """The model whose config is in `folder`; its weights have two bytes unless that says float32."""
    config = read_config(folder)
    dtype = config.get("dtype") or config.get("torch_dtype")
    return BaseModel(name, shape_of_folder(folder), folder, FLOAT32 if dtype == "float32" else BFLOAT16)


def _described(root: Path, described: str) -> BaseModel:
    if (root / described / CONFIG).is_file():
        return _of_folder(described, root / described)
    if shape := known_shape(described):
        return BaseModel(described, shape, None, BFLOAT16)
    raise StageError(f"--model {described!a}: no folder with a {CONFIG}, and none of {', '.join(KNOWN_MODELS)}")


def _miniature(root: Path, section: Mapping[str, Any]) -> BaseModel:
    """The miniature's shape by its settings; its vocabulary as it became, where it has been trained."""
    try:
        size = TinyShape.model_validate(section.get("shape"))
    except ValueError as error:
        raise ParamsError("params.yaml: section `base_model`: `shape` is none of the miniature") from error
    shape = ModelShape(
        size.hidden_size, size.layers, size.heads, size.heads, size.hidden_size // size.heads, size.intermediate_size,
        size.vocabulary, tied=True, head_norms=True, positions=size.context,
    )  # fmt: skip
    if (root / BASE / CONFIG).is_file():
        trained = shape_of_folder(root / BASE)
        if (trained.hidden, trained.layers, trained.positions) == (shape.hidden, shape.layers, shape.positions):
            return BaseModel("the miniature", trained, root / BASE, FLOAT32)
    return BaseModel("the miniature", shape, None, FLOAT32)


def _in_hub_cache(model: str, revision: str) -> Path | None:
    """The folder of a hub model's files in the hub's own cache; None where they are not there."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, CONFIG, revision=revision or None)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
