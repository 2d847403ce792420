"""YAML files, read by the rules of YAML 1.2 as DVC reads them: `1e-3` is a number and `no` is a text.

The one place that knows the YAML library. Loading is safe: a file yields mappings, lists, texts, numbers, dates and
nothing else.
"""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

WIDEST_LINE = 4096
"""Characters; long texts are not folded, so that a line in a diff is a setting."""


class YamlError(ValueError):
    """A text is not YAML; says which file, which line and what is wrong."""


def parse_yaml(text: str, where: Path | str) -> Any:
    """The document in `text`; None if it is empty.

    Args:
        text: one YAML document.
        where: what the error calls it: usually the file's path.

    Raises:
        YamlError: it is not YAML, or a key stands twice in one mapping.
    """
    return _load(YAML(typ="safe"), text, where)


def parse_yaml_with_comments(text: str, where: Path | str) -> Any:
    """As `parse_yaml`, but the document keeps comments, quotes and layout for `yaml_text`.

    Raises:
        YamlError: it is not YAML, or a key stands twice in one mapping.
    """
    return _load(_round_trip(), text, where)


def read_yaml(path: Path) -> Any:
    """The document in the file `path` (UTF-8); None if it is empty.

    Raises:
        YamlError: it is not UTF-8, not YAML, or a key stands twice in one mapping.
        OSError: it cannot be read.
    """
    return parse_yaml(read_yaml_text(path), path)


def read_yaml_text(path: Path) -> str:
    """The text of the file `path` (UTF-8), without the byte order mark that some programs put first.

    Raises:
        YamlError: it is not UTF-8.
        OSError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(f"{path}: byte {error.start}: not UTF-8; save it as UTF-8") from error


def yaml_text(document: Any) -> str:
    """The document as YAML, keys in their own order; with its comments if it was read with them."""
    out = io.StringIO()
    _round_trip().dump(document, out)
    return out.getvalue()


def write_yaml(path: Path, document: Any) -> None:
    """Write the document to `path`, as `yaml_text` gives it."""
    path.write_text(yaml_text(document), encoding="utf-8")


def _load(yaml: YAML, text: str, where: Path | str) -> Any:
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise YamlError(f"{where}{line}: not YAML ({error.problem or error.context})") from error
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:  # the latter of numbers, dates and depth
        raise YamlError(f"{where}: not YAML ({' '.join(str(error).split())})") from error


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDEST_LINE
    return yaml
