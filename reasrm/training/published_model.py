"""Published models as checkpoints: from the hub at a pinned commit, or from a folder; safetensors only, no pickles.

A model that cannot be trained to judge is refused before anything is spent on it: its files are whole, its weights are
not quantised, its tokenizer ends a reply, and its chat template renders a judge's prompt.
"""

import re
import shutil
from pathlib import Path

from reasrm.inference.checkpoint_loading import refuse_scalar
from reasrm.inference.checkpoints.checkpoint_folder import quantisation, read_config
from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_templates.chat_template import rendered_chats
from reasrm.judging.prompt import PLAIN_COMPARISON, judge_prompt
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.stage_main import StageError

SAFE_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
"""Files that are copied: weights as safetensors, settings, tokenizer and chat template; no code."""

ORIGIN_FILES = ("README.md", "LICENSE*", "NOTICE*")
"""Files that are fetched with them and stay in the hub's cache, where `reasrm publish` reads the licence."""


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
        StageError: it cannot be fetched, or cannot be trained.
    """
    from huggingface_hub import constants, snapshot_download

    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise UnpinnedModelError(
            f"base_model.revision {revision!r} of {model} is not a full commit id (40 hex digits), and branches move: "
            f"take one from the commit list of the model's page on the hub"
        )
    with new_folder(out) as folder:
        try:
            cached = snapshot_download(
                model,
                revision=revision,
                allow_patterns=[*SAFE_FILES, *ORIGIN_FILES],
                local_files_only=constants.HF_HUB_OFFLINE,
            )
        except Exception as error:  # the hub's errors and those of the connection have no class in common
            if constants.HF_HUB_OFFLINE:
                raise StageError(
                    f"{model} at {revision} is not whole in the hub's cache, and HF_HUB_OFFLINE is set: unset it, or "
                    f"`hf download {model} --revision {revision}` into the same cache where there is a network"
                ) from error
            said = " ".join(str(error).split())[:300]
            raise StageError(f"{model} at {revision} cannot be fetched from the hub: {said}") from error
        _copy_safe_files(Path(cached), folder)
        _require_weights(folder, model)
        require_trainable(folder, model)


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


def require_trainable(folder: Path, name: str) -> None:
    """Do nothing if the model in `folder` can be trained to judge.

    Args:
        folder: where it is.
        name: what an error calls it.

    Raises:
        StageError: it cannot; says which file is at fault and what to do.
    """
    try:
        tokenizer = load_tokenizer(folder)
        refuse_scalar(folder)
        if method := quantisation(read_config(folder)):
            raise StageError(f"{folder}: its weights are quantised ({method}) and cannot be trained; take the original")
        if tokenizer.eos_token_id is None:
            raise StageError(f"{folder}: its tokenizer has no eos_token, so no reply could end; name it in its files")
        rendered_chats(tokenizer, [judge_prompt(PLAIN_COMPARISON, variant) for variant in PromptVariant])
    except StageError as error:
        raise StageError(str(error).replace(str(folder), name)) from error


def _require_weights(folder: Path, name: str) -> None:
    if not any(folder.glob("*.safetensors")):
        raise NoWeightsError(f"{name} has no *.safetensors file, and no other format is read: convert the weights")
