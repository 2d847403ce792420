"""What is known of the model that a checkpoint began as: its name, revision and licence, from its own files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.publishing.markdown import code, plain
from reasrm.runtime.yaml_files import YamlError, parse_yaml

CARD = "README.md"
LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt")
"""Files that go with the weights wherever they go."""
TAG = "reasrm"
"""In the metadata of every card that reasrm writes."""
NOT_STATED = "not stated"
_METADATA = re.compile(r"\A\s*---\r?\n(.*?)\r?\n---", re.DOTALL)
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


class BaseFacts(NamedTuple):
    """The base model, for readers."""

    description: str
    """Markdown."""
    hub_name: str
    """`owner/name` for the card's `base_model`; empty if it has none."""
    licence: str
    """By the base's own card, else `NOT_STATED`."""
    licence_files: tuple[Path, ...]


def base_facts(root: Path, params: Mapping[str, Any]) -> BaseFacts:
    """The facts of the base that the section `base_model` of params.yaml, as it was when the base was made, names."""
    source, model, revision = (str(params.get(name, "")) for name in ("source", "model", "revision"))
    if source == "folder":
        return _of_folder(root / model, f"the folder {code(Path(model).name)}", "")
    if source == "hub":
        return _of_folder(_cached(model, revision), f"{code(model)} on the hub at commit {code(revision)}", model)
    about = "its own world" if source == "world" else "the texts of the preference pairs"
    shape = params["shape"]
    layers, width, documents = (plain(one) for one in (shape["layers"], shape["hidden_size"], params["documents"]))
    described = (
        f"reasrm's miniature: a transformer of {layers} layers of width {width}, trained from scratch on {documents} "
        f"documents about {about}, with verdicts drawn without a look at the answers; no published model is in it"
    )
    return BaseFacts(described, "", NOT_STATED, ())


def _of_folder(folder: Path | None, description: str, hub_name: str) -> BaseFacts:
    card: Mapping[str, Any] = {}
    files: tuple[Path, ...] = ()
    if folder is not None:
        card = card_metadata(folder / CARD)
        files = tuple(folder / name for name in LICENCE_FILES if (folder / name).is_file())
    named = card.get("base_model")
    hub_name = hub_name or (named if isinstance(named, str) and _HUB_NAME.fullmatch(named) else "")
    licence = card.get("license")
    return BaseFacts(description, hub_name, licence if isinstance(licence, str) and licence else NOT_STATED, files)


def card_metadata(card: Path) -> Mapping[str, Any]:
    """The metadata block of a model card; empty if there is none that can be read."""
    try:
        found = _METADATA.match(card.read_text(encoding="utf-8"))
        metadata = parse_yaml(found[1], card) if found else {}
    except (OSError, UnicodeDecodeError, YamlError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def _cached(model: str, revision: str) -> Path | None:
    """The snapshot in the hub's cache on this machine; nothing is downloaded."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(model, "config.json", revision=revision)
    return Path(config).parent if isinstance(config, str) else None
