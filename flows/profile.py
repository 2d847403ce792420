"""Profiles: params.yaml is the miniature's settings with one file of `profiles/` laid over them.

The miniature's settings are the newest committed params.yaml that no profile made, so no second copy of them exists.
A profile holds what differs: a mapping is merged key by key, anything else is replaced; a mapping tagged `!replace`
replaces its whole counterpart (a profile with fewer models, say). The first line of a params.yaml that a profile made
says how, so that edits by hand are seen before they would be lost.
"""

import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.stage_outcome import FlowError, UsageError
from reasrm.runtime.outputs import write_text
from reasrm.runtime.yaml_files import YamlError, parse_yaml_with_comments, read_yaml_text, yaml_text

PROFILES = Path("profiles")
PARAMS = Path("params.yaml")
BASE = "miniature"
HEADER = "# reasrm profile use "
REPLACE = "!replace"
ABOUT_BASE = "The embedded default: no key, no hub, no GPU"


@dataclass(frozen=True)
class ProfileChoice:
    """How a params.yaml is made."""

    name: str = BASE
    settings: tuple[str, ...] = ()
    """`a.b=value`, the value in YAML."""
    files: str | None = None
    """The folder of the user's own files, where the profile reads files."""

    def arguments(self) -> list[str]:
        """The arguments of `reasrm profile use` that make it again."""
        arguments = [self.name]
        if self.files is not None:
            arguments += ["--files", self.files]
        for setting in self.settings:
            arguments += ["--set", setting]
        return arguments


def profile_names(root: Path) -> list[str]:
    """The profiles there are, the miniature first."""
    names = sorted(path.stem for path in (root / PROFILES).glob("*.yaml"))
    return [BASE, *names]


def miniature(root: Path) -> str:
    """The text of the miniature's params.yaml: the newest version in git's history that no profile made.

    Outside of git it is the present params.yaml, if no profile made that.

    Raises:
        FlowError: there is no such version.
    """
    commits = _git(root, "log", "--format=%H", "--", str(PARAMS)) or ""
    for commit in commits.split():
        text = _git(root, "show", f"{commit}:./{PARAMS}")
        if text is not None and not text.startswith(HEADER):
            return text
    text = _text(root / PARAMS)
    if text.startswith(HEADER):
        raise FlowError(
            f"{PARAMS} was made by a profile and git knows no earlier one: get the project's own {PARAMS} (a clone "
            f"with its history has it)"
        )
    return text


def first_comment(root: Path, name: str) -> str:
    """What a profile is for: its first comment line."""
    if name == BASE:
        return ABOUT_BASE
    for line in _text(root / PROFILES / f"{name}.yaml").splitlines():
        if line.startswith("# "):
            return line[2:]
    return ""


def compose(root: Path, choice: ProfileChoice, base: str | None = None) -> str:
    """The text of params.yaml for a choice, comments kept.

    Args:
        root: the project.
        choice: the profile and what is set beside it.
        base: the text of the miniature's params.yaml; None for the committed one.

    Raises:
        UsageError: no such profile, or it or `--set` names no setting.
        FlowError: a profile file is not a mapping, or the miniature's settings are not at hand.
    """
    text = miniature(root) if base is None else base
    if choice == ProfileChoice():
        return text
    document = _parsed(text, PARAMS)
    if choice.name != BASE:
        overlay = _overlay(root, choice.name)
        if unknown := ", ".join(f"`{name}`" for name in _unknown_settings(document, overlay)):
            raise UsageError(f"{PROFILES}/{choice.name}.yaml: the committed {PARAMS} has no {unknown}; a misspelling?")
        _merge(document, overlay)
    if choice.files is not None:
        document["files"] = choice.files
    for setting in choice.settings:
        _set(document, setting)
    return f"{HEADER}{shlex.join(choice.arguments())}\n{yaml_text(document)}"


def current_choice(root: Path) -> ProfileChoice:
    """How the present params.yaml was made, from its first line; without such a line it is the miniature's.

    Raises:
        FlowError: params.yaml cannot be read, or the line was edited.
    """
    first = _text(root / PARAMS).partition("\n")[0]
    if not first.startswith(HEADER):
        return ProfileChoice()
    try:
        name, *rest = shlex.split(first.removeprefix(HEADER))
        pairs = list(zip(rest[::2], rest[1::2], strict=True))
    except ValueError as error:
        raise FlowError(
            f"{PARAMS} line 1: not as `reasrm profile use` wrote it ({first!r}); take the line out, or undo the edit"
        ) from error
    files = next((value for option, value in pairs if option == "--files"), None)
    return ProfileChoice(name, tuple(value for option, value in pairs if option == "--set"), files)


def edits_by_hand(root: Path) -> list[str]:
    """The settings of params.yaml that its profile does not explain, as `a.b: was -> is`."""
    path = root / PARAMS
    if not path.is_file():
        return []
    made = _parsed(compose(root, current_choice(root)), PARAMS)
    return _differences("", made, _parsed(_text(path), PARAMS))


def use(root: Path, choice: ProfileChoice, *, discard: bool = False) -> str:
    """Write params.yaml for a choice and return its text.

    Raises:
        UsageError: the folder of files does not exist.
        FlowError: params.yaml holds edits by hand, which `discard` would throw away.
    """
    if choice.files is not None and not (root / choice.files).is_dir():
        raise UsageError(f"--files {choice.files}: there is no such folder")
    text = compose(root, choice)
    edits = [] if discard else edits_by_hand(root)
    if edits and text != _text(root / PARAMS):
        raise FlowError(
            f"{PARAMS} holds edits by hand that would be lost: {'; '.join(edits[:8])}. Keep them in a profile of your "
            f"own (profiles/NAME.yaml) or with --set, or throw them away with --discard"
        )
    write_text(root / PARAMS, text)
    return text


def _text(path: Path) -> str:
    """The text of a YAML file.

    Raises:
        FlowError: it is not UTF-8, or cannot be read.
    """
    try:
        return read_yaml_text(path)
    except (YamlError, OSError) as error:
        raise FlowError(str(error)) from error


def _parsed(text: str, where: Path | str) -> Any:
    """A YAML document with its comments.

    Raises:
        FlowError: it is not YAML.
    """
    try:
        return parse_yaml_with_comments(text, where)
    except YamlError as error:
        raise FlowError(str(error)) from error


def _overlay(root: Path, name: str) -> Any:
    path = root / PROFILES / f"{name}.yaml"
    if not path.is_file():
        raise UsageError(
            f"no profile `{name}`: there is no {PROFILES}/{name}.yaml, only {', '.join(profile_names(root))}"
        )
    document = _parsed(_text(path), path)
    if not isinstance(document, Mapping):
        raise FlowError(f"{path}: a profile is a mapping of sections, got {type(document).__name__}")
    return document


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints, or None where it fails."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _unknown_settings(base: Any, overlay: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """The settings of a profile that no stage knows: all that a stage takes stand in the miniature's params.yaml.

    Free are the names in an empty mapping (a limit per source, say), of variants, and what these lay over.
    """
    for key, value in overlay.items():
        dotted = f"{name}.{key}" if name else str(key)
        if key not in base:
            yield dotted
        elif isinstance(value, Mapping) and isinstance(base[key], Mapping) and base[key] and not _has_variants(key):
            yield from _unknown_settings(base[key], value, dotted)


def _has_variants(section: object) -> bool:
    return str(section).endswith("_variants")


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
    value = _parsed(text, f"--set {setting}")
    place[last] = float(value) if isinstance(value, float) else value  # type: ignore[index]


def _differences(name: str, before: Any, after: Any) -> list[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = dict.fromkeys([*before, *after])
        inner = (_differences(f"{name}.{key}" if name else str(key), before.get(key), after.get(key)) for key in keys)
        return [text for texts in inner for text in texts]
    return [] if before == after else [f"{name}: {before} -> {after}"]
