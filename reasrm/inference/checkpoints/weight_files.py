"""The weights' files of a checkpoint: safetensors only, each whole, none of the index's missing.

A safetensors file begins with the length of its header (8 bytes, little-endian) and the header, JSON with the place of
each tensor (`data_offsets`), so whether it is whole is seen without reading a weight.
"""

import json
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoints.stored_file import WAY_OUT, fault_of
from reasrm.runtime.stage_main import StageError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the safetensors library."""
LENGTH_BYTES = 8
FLOATING_TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""The types of weights that are not quantised: safetensors' names and torch's."""
NAMES_IN_ERROR = 6
"""So many names are shown in an error's text; the others are counted."""
OTHER_FORMS = (
    ("adapter_*.*", "an adapter alone: merge it into its base (peft's `merge_and_unload`) and save the result"),
    ("*.gguf", "GGUF: take the repository with safetensors, or serve the file and judge by --base-url"),
    ("consolidated*", "its publisher's own layout of weights: take the repository's files for transformers"),
    ("*.bin", "pickles, which may run code and are not read: save them as safetensors where you trust them"),
    ("*.pt*", "pickles, which may run code and are not read: save them as safetensors where you trust them"),
    ("snapshots/*/config.json", "the hub's cache: name the folder of one snapshot"),
    ("checkpoint-*/config.json", "folders of a training: name one of them"),
    ("*.safetensors", f"safetensors of other names: they must be {WEIGHTS}, or listed in {INDEX}"),
)
"""What a folder without weights may hold instead, and what to do with it."""


def require_weights(checkpoint: Path) -> None:
    """Do nothing if the folder `checkpoint` has weights that can be read.

    Raises:
        StageError: a file is missing, cut short or no safetensors; says which.
    """
    if _is_there(checkpoint / WEIGHTS):
        _header(checkpoint / WEIGHTS)
    elif _is_there(checkpoint / INDEX):
        _require_shards(checkpoint, _weight_map(checkpoint / INDEX))
    else:
        instead = other_forms(checkpoint)
        raise StageError(
            f"{checkpoint}: its model cannot be read (no {WEIGHTS} and no {INDEX} there"
            f"{'; ' + instead if instead else ''}); {WAY_OUT}"
        )


def tensor_names(checkpoint: Path) -> list[str]:
    """The names of all weights of `checkpoint`; none where there are no weights.

    Raises:
        StageError: the file that lists them cannot be read.
    """
    if _is_there(checkpoint / WEIGHTS):
        return sorted(_header(checkpoint / WEIGHTS))
    return sorted(_weight_map(checkpoint / INDEX)) if _is_there(checkpoint / INDEX) else []


def tensor_shapes(checkpoint: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each weight of `checkpoint` by its name; empty where there are no weights.

    Raises:
        StageError: a file of weights cannot be read.
    """
    return {name: tuple(entry["shape"]) for name, entry in _entries(checkpoint).items()}


def stored_dtype(checkpoint: Path) -> str:
    """The number format of most of a checkpoint's weights, by torch's name (`bfloat16`).

    Raises:
        StageError: there are no weights, or none that are not quantised.
    """
    sizes: dict[str, int] = {}
    for entry in _entries(checkpoint).values():
        first, end = entry["data_offsets"]
        sizes[entry["dtype"]] = sizes.get(entry["dtype"], 0) + (end - first)
    floating = {FLOATING_TYPES[kind]: size for kind, size in sizes.items() if kind in FLOATING_TYPES}
    if not floating:
        raise StageError(f"{checkpoint}: no weights there that are floating-point numbers; {WAY_OUT}")
    return max(floating, key=lambda kind: floating[kind])


def odd_weights(checkpoint: Path) -> list[str]:
    """Those weights that are no floating-point numbers of two bytes or more; none where there are no weights.

    What is not called a weight may be of any type: masks, positions.
    """
    found = _entries(checkpoint).items()
    return sorted(name for name, entry in found if name.endswith(".weight") and entry["dtype"] not in FLOATING_TYPES)


def other_forms(folder: Path) -> str:
    """What `folder` holds instead of a model's weights, and what to do; empty if it holds nothing of that kind."""
    for pattern, advice in OTHER_FORMS:
        if found := sorted(str(path.relative_to(folder)) for path in folder.glob(pattern) if path.name != WEIGHTS):
            return f"there is {listed(found)}, {advice}"
    return ""


def listed(names: list[str]) -> str:
    """A few of `names`, and how many more there are."""
    more = f" and {len(names) - NAMES_IN_ERROR} more" if len(names) > NAMES_IN_ERROR else ""
    return ", ".join(names[:NAMES_IN_ERROR]) + more


def _entries(checkpoint: Path) -> dict[str, Any]:
    """The headers' entries of all weights, by their names."""
    whole = _is_there(checkpoint / WEIGHTS) or not _is_there(checkpoint / INDEX)
    files = [WEIGHTS] if whole else sorted(set(_weight_map(checkpoint / INDEX).values()))
    return {
        name: entry
        for file in files
        if _is_there(checkpoint / file)
        for name, entry in _header(checkpoint / file).items()
    }


def _is_there(file: Path) -> bool:
    """Whether there is such a file, or a link that should lead to one."""
    return file.exists() or file.is_symlink()


def _require_shards(checkpoint: Path, weight_map: dict[str, str]) -> None:
    shards = sorted(set(weight_map.values()))
    if gone := [name for name in shards if not _is_there(checkpoint / name)]:
        raise StageError(
            f"{checkpoint}: its weights cannot be read ({INDEX} names {listed(gone)}, not there); {WAY_OUT}"
        )
    for shard in shards:
        header = _header(checkpoint / shard)
        if lost := sorted(name for name, place in weight_map.items() if place == shard and name not in header):
            raise StageError(
                f"{checkpoint}: its weights cannot be read ({shard} lacks {listed(lost)}, which {INDEX} places there); "
                f"{WAY_OUT}"
            )


def _weight_map(index: Path) -> dict[str, str]:
    """Which file each weight is in, by the index."""
    problem = fault_of(index)
    if not problem:
        try:
            found = json.loads(index.read_bytes())["weight_map"]
            if isinstance(found, dict) and all(_is_file_name(name) for name in found.values()) and found:
                return found
            problem = "names no files for the weights"
        except (ValueError, KeyError, TypeError) as error:
            problem = f"is no index of weights ({type(error).__name__})"
    raise StageError(f"{index.parent}: its list of weights cannot be read ({index.name} {problem}); {WAY_OUT}")


def _is_file_name(name: object) -> bool:
    """Whether it names a file in the same folder."""
    return isinstance(name, str) and bool(name) and Path(name).name == name


def _header(file: Path) -> dict[str, Any]:
    """The entries of a safetensors file by their names, with their types, shapes and places."""
    problem = fault_of(file)
    if not problem:
        try:
            header, behind = _read_header(file)
            end = behind + max((entry["data_offsets"][1] for entry in header.values()), default=0)
            size = file.stat().st_size
            if size == end:
                return header
            problem = f"is cut short: {size:,} of {end:,} bytes" if size < end else f"has {size - end:,} bytes too many"
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            problem = "is no safetensors file, or its header is damaged"
    raise StageError(f"{file.parent}: its weights cannot be read ({file.name} {problem}); {WAY_OUT}")


def _read_header(file: Path) -> tuple[dict[str, Any], int]:
    """The header without the file's own remarks, and where it ends."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(LENGTH_BYTES), "little")
        if length > LONGEST_HEADER:
            raise ValueError("no length of a header")
        header = json.loads(opened.read(length))
    return {name: entry for name, entry in header.items() if name != "__metadata__"}, LENGTH_BYTES + length
