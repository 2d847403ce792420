"""Profiles: params.yaml is the miniature's settings with one file of `profiles/` laid over them.

`profiles/miniature.yaml` holds every setting and is the only complete one; another profile holds what differs. A
mapping is merged key by key, anything else is replaced; a mapping tagged `!replace` replaces its whole counterpart (a
profile with fewer models, say). The first line of a params.yaml that is not the miniature's says how it was made, so
that edits by hand are seen before they would be lost.
"""

import io
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.outcome import FlowError, UsageError

PROFILES = Path("profiles")
PARAMS = Path("params.yaml")
BASE = "miniature"
HEADER = "# reasrm profile use "
REPLACE = "!replace"


@dataclass(frozen=True)
class Choice:
    """How a params.yaml is made."""

    name: str = BASE
    settings: tuple[str, ...] = ()
    """`a.b=value`, the value in YAML."""
    files: str | None = None
    """The folder of the user's own files, where the profile reads files."""

    def words(self) -> list[str]:
        """The words after `reasrm profile use` that make it again."""
        words = [self.name]
        if self.files is not None:
            words += ["--files", self.files]
        for setting in self.settings:
            words += ["--set", setting]
        return words


def profile_names(root: Path) -> list[str]:
    """The profiles there are, the miniature first."""
    names = sorted(path.stem for path in (root / PROFILES).glob("*.yaml"))
    return [BASE, *(name for name in names if name != BASE)]


def first_comment(root: Path, name: str) -> str:
    """What a profile is for: its first comment line."""
    for line in (root / PROFILES / f"{name}.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            return line[2:]
    return ""


def compose(root: Path, choice: Choice) -> str:
    """The text of params.yaml for a choice, comments kept.

    Raises:
        UsageError: no such profile, or `--set` names no setting.
        FlowError: a profile file is not a mapping.
    """
    document = _load(root, BASE)
    if choice.name != BASE:
        _merge(document, _load(root, choice.name))
    if choice.files is not None:
        document["files"] = choice.files
    for setting in choice.settings:
        _set(document, setting)
    if choice == Choice():
        return (root / PROFILES / f"{BASE}.yaml").read_text(encoding="utf-8")
    out = io.StringIO()
    _yaml().dump(document, out)
    return f"{HEADER}{shlex.join(choice.words())}\n{out.getvalue()}"


def current_choice(root: Path) -> Choice:
    """How the present params.yaml was made, from its first line; without such a line it is the miniature's."""
    first = (root / PARAMS).read_text(encoding="utf-8").partition("\n")[0]
    if not first.startswith(HEADER):
        return Choice()
    name, *rest = shlex.split(first.removeprefix(HEADER))
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    files = next((value for option, value in pairs if option == "--files"), None)
    return Choice(name, tuple(value for option, value in pairs if option == "--set"), files)


def edits_by_hand(root: Path) -> list[str]:
    """The settings of params.yaml that its profile does not explain, as `a.b: was -> is`."""
    path = root / PARAMS
    if not path.is_file():
        return []
    made = _yaml().load(compose(root, current_choice(root)))
    return _differences("", made, _yaml().load(path.read_text(encoding="utf-8")))


def use(root: Path, choice: Choice, *, discard: bool = False) -> str:
    """Write params.yaml for a choice and return its text.

    Raises:
        FlowError: params.yaml holds edits by hand, which `discard` would throw away.
    """
    text = compose(root, choice)
    edits = [] if discard else edits_by_hand(root)
    if edits and text != (root / PARAMS).read_text(encoding="utf-8"):
        raise FlowError(
            f"{PARAMS} holds edits by hand that would be lost: {'; '.join(edits[:8])}. Keep them in a profile of your "
            f"own (profiles/NAME.yaml) or with --set, or throw them away with --discard"
        )
    partial = root / f".{PARAMS}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(root / PARAMS)
    return text


def _yaml() -> Any:
    from ruamel.yaml import YAML

    def with_a_point(representer: Any, value: float) -> Any:
        """`1.0e-05`, not `1e-05`: that is a number to DVC (YAML 1.2) but a text to PyYAML (YAML 1.1)."""
        text = repr(value)
        return representer.represent_scalar(
            "tag:yaml.org,2002:float", text if "." in text else text.replace("e", ".0e", 1)
        )

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.representer.add_representer(float, with_a_point)
    return yaml


def _load(root: Path, name: str) -> Any:
    path = root / PROFILES / f"{name}.yaml"
    if not path.is_file():
        raise UsageError(
            f"no profile `{name}`: there is no {PROFILES}/{name}.yaml, only {', '.join(profile_names(root))}"
        )
    document = _yaml().load(path.read_text(encoding="utf-8"))
    if not isinstance(document, Mapping):
        raise FlowError(f"{path}: a profile is a mapping of sections, got {type(document).__name__}")
    return document


def _merge(under: Any, over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        tag = getattr(getattr(value, "tag", None), "value", None)
        if isinstance(value, Mapping) and isinstance(under.get(key), Mapping) and tag != REPLACE:
            _merge(under[key], value)
        else:
            under[key] = type(value)(value) if tag == REPLACE else value


def _set(document: Any, setting: str) -> None:
    name, equals, text = setting.partition("=")
    *path, last = name.split(".")
    place = document
    for key in path:
        place = place.get(key) if isinstance(place, Mapping) else None
    if not equals or not isinstance(place, Mapping) or last not in place:
        known = ", ".join(f"{'.'.join([*path, key])}" for key in place) if isinstance(place, Mapping) else ""
        raise UsageError(f"--set {setting}: params.yaml has no `{name}`" + (f", only {known}" if known else ""))
    value = _yaml().load(text)
    place[last] = float(value) if isinstance(value, float) else value  # type: ignore[index]


def _differences(name: str, before: Any, after: Any) -> list[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = dict.fromkeys([*before, *after])
        inner = (_differences(f"{name}.{key}" if name else str(key), before.get(key), after.get(key)) for key in keys)
        return [text for texts in inner for text in texts]
    return [] if before == after else [f"{name}: {before} -> {after}"]
