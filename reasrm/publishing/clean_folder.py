"""A checkpoint copied for others: weights as safetensors, configuration, tokenizer, template, licences, card; no more.

Nothing that a training leaves besides (optimiser states, pickles) is copied, and nothing is kept in which a path of
this machine or a secret of its environment is found.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from reasrm.inference.checkpoints.checkpoint_folder import CONFIG, SETTINGS_FILES, read_config, require_checkpoint
from reasrm.inference.checkpoints.weight_files import INDEX, WEIGHTS
from reasrm.inference.prompt_rendering import VOCABULARY_FILES, load_tokenizer
from reasrm.publishing.base_facts import CARD, LICENCE_FILES, TAG, card_metadata
from reasrm.records.harmless_text import json_text
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.stage_main import StageError

COPIED = frozenset({*SETTINGS_FILES, *VOCABULARY_FILES})
SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
"""Environment variables that hold secrets."""
SHORTEST_SECRET = 12
"""Characters; shorter values are words and settings."""
KEY_SHAPED = re.compile(rb"\b(?:hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{24,}|ghp_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16})\b")
_WEIGHT_FILE = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
SHOWN_NAMES = 3
LENGTH_BYTES = 8
"""Of the length before a safetensors header."""


class LeakError(StageError):
    """A file holds what must not leave this machine; says which file, and what, but no secret."""


def write_clean_folder(
    checkpoint: Path, to: Path, card: str, dtype: str, licences: Sequence[Path], private: Sequence[Path]
) -> list[str]:
    """Write the folder `to`, whole or not at all; return the names of the files of `checkpoint` that are left out.

    Args:
        checkpoint: the pipeline's folder.
        to: the folder to write; what is there is replaced only if it was published by reasrm and nothing was added.
        card: the text of README.md.
        dtype: number format of the weights that are written, by torch's name.
        licences: files that go with them.
        private: folders whose paths must stand in no file.

    Raises:
        LeakError: a file holds a path of this machine or a secret.
        StageError: the checkpoint cannot be run, or `to` holds something else.
    """
    require_checkpoint(checkpoint)
    _refuse_other_contents(to)
    weights = _weight_files(checkpoint)
    with new_folder(to) as folder:
        for file in sorted(checkpoint.iterdir()):
            if file.name in COPIED:
                shutil.copyfile(file, folder / file.name)
        for name in weights:
            _copy_weights(checkpoint / name, folder / name, dtype)
        _write_config(checkpoint, folder, dtype)
        for licence in licences:
            shutil.copyfile(licence, folder / licence.name)
        (folder / CARD).write_text(card, encoding="utf-8")
        for file in sorted(folder.iterdir()):
            _refuse_leaks(file, private)
        require_checkpoint(folder)
        load_tokenizer(folder)
    written = {CONFIG, INDEX, CARD, *weights, *COPIED}
    return sorted(file.name for file in checkpoint.iterdir() if file.name not in written)


def _refuse_other_contents(to: Path) -> None:
    """Do nothing if `to` is not there, empty, or holds what was published by reasrm and nothing else."""
    if to.is_symlink() or (to.exists() and not to.is_dir()):
        raise StageError(f"{to}: is no folder of its own; name another with --folder")
    files = list(to.iterdir()) if to.is_dir() else []
    others = sorted(file.name for file in files if not _may_be_published(file))
    tags = card_metadata(to / CARD).get("tags")
    if files and (others or not isinstance(tags, list) or TAG not in tags):
        found = ", ".join(others[:SHOWN_NAMES]) or f"no {CARD} of reasrm"
        raise StageError(f"{to}: holds something else ({found}); name another folder with --folder, or remove it")


def _may_be_published(file: Path) -> bool:
    names = {CONFIG, INDEX, CARD, *COPIED, *LICENCE_FILES}
    return file.is_file() and (file.name in names or _WEIGHT_FILE.fullmatch(file.name) is not None)


def _weight_files(checkpoint: Path) -> list[str]:
    if (checkpoint / WEIGHTS).exists():
        return [WEIGHTS]
    index = json.loads((checkpoint / INDEX).read_bytes())
    return sorted(set(index["weight_map"].values()))


def _copy_weights(source: Path, target: Path, dtype: str) -> None:
    """Copy one file of weights, its floating-point numbers in `dtype`; the same bytes where they are in it already."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    wanted = getattr(torch, dtype)
    with safe_open(source, framework="pt") as opened:
        metadata = {"format": (opened.metadata() or {}).get("format", "pt")}
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  no mapping
    changed = {name: one for name, one in tensors.items() if one.is_floating_point() and one.dtype != wanted}
    if not changed:
        shutil.copyfile(source, target)
        return
    save_file(tensors | {name: one.to(wanted) for name, one in changed.items()}, target, metadata)


def _write_config(checkpoint: Path, folder: Path, dtype: str) -> None:
    """The configuration with `dtype` and without where it was loaded from; the index of weights with their size."""
    config = {name: value for name, value in read_config(checkpoint).items() if name != "_name_or_path"}
    (folder / CONFIG).write_text(json_text(config | {"dtype": dtype}, indent=2) + "\n", encoding="utf-8")
    if (checkpoint / INDEX).exists():
        index = json.loads((checkpoint / INDEX).read_bytes())
        sizes = [(folder / file).stat().st_size for file in set(index["weight_map"].values())]
        index["metadata"] = {**index.get("metadata", {}), "total_size": sum(sizes)}
        (folder / INDEX).write_text(json_text(index, indent=2) + "\n", encoding="utf-8")


def _refuse_leaks(file: Path, private: Sequence[Path]) -> None:
    content = _readable_part(file)
    if KEY_SHAPED.search(content):
        raise LeakError(f"{file.name}: holds what looks like a key; take it out of the checkpoint and of params.yaml")
    for name, value in _secrets():
        if value.encode() in content:
            raise LeakError(f"{file.name}: holds the value of {name}; take it out of the checkpoint and of params.yaml")
    for folder in private:
        if file.name not in VOCABULARY_FILES and f"{folder}/".encode() in content:
            raise LeakError(
                f"{file.name}: holds a path of this machine ({folder}); name the folder relative to the project in "
                f"params.yaml, or take it out of the checkpoint"
            )


def _readable_part(file: Path) -> bytes:
    """The whole file; of weights their header."""
    with file.open("rb") as opened:
        if file.suffix != ".safetensors":
            return opened.read()
        return opened.read(int.from_bytes(opened.read(LENGTH_BYTES), "little"))


def _secrets() -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        if SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET and not value.startswith("/"):
            yield name, value
