"""Published models as checkpoints: from the hub at a pinned commit, or from a folder; safetensors only, no pickles."""

import re
import shutil
from pathlib import Path

from reasrm.runtime.outputs import new_folder
from reasrm.runtime.stage_main import StageError

SAFE_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
"""Files that are copied: weights as safetensors, settings, tokenizer and chat template; no code."""


class UnpinnedModelError(StageError):
    """A hub model is named without a full commit id."""


class NoWeightsError(StageError):
    """A folder or hub repository holds no safetensors weights; says which."""


def fetch_from_hub(model: str, revision: str, out: Path) -> None:
    """Bring the hub model `model` at the commit `revision` into the folder `out`.

    By way of the hub's own cache: what is in it is not downloaded again, and with HF_HUB_OFFLINE=1 it is enough.

    Raises:
        UnpinnedModelError: `revision` is not a full commit id.
        NoWeightsError: the repository has no safetensors.
    """
    from huggingface_hub import constants, snapshot_download

    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise UnpinnedModelError(
            f"base_model.revision {revision!r} of {model} is not a full commit id (40 hex digits), and branches move: "
            f"take one from the commit list of the model's page on the hub"
        )
    with new_folder(out) as folder:
        offline = constants.HF_HUB_OFFLINE
        cached = snapshot_download(model, revision=revision, allow_patterns=list(SAFE_FILES), local_files_only=offline)
        _copy_safe_files(Path(cached), folder)
        _require_weights(folder, model)


def copy_from_folder(source: Path, out: Path) -> None:
    """Copy the model in the folder `source` to `out`.

    Raises:
        NoWeightsError: there is no such folder, or no safetensors in it.
    """
    _require_weights(source, str(source))
    with new_folder(out) as folder:
        _copy_safe_files(source, folder)


def _copy_safe_files(source: Path, folder: Path) -> None:
    for pattern in SAFE_FILES:
        for file in source.glob(pattern):
            shutil.copyfile(file, folder / file.name)


def _require_weights(folder: Path, name: str) -> None:
    if not any(folder.glob("*.safetensors")):
        raise NoWeightsError(f"{name} has no *.safetensors file, and no other format is read: convert the weights")
