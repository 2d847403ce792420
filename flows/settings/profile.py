"""Profiles: params.yaml is the miniature's settings with files of `profiles/` laid over them, in order.

The miniature's settings are the newest committed params.yaml that no profile made, so no second copy of them exists.
The first line of a params.yaml that a profile made says how; the second holds the hash of the settings as they were
written. So edits by hand are seen before they would be lost, whatever became of the profile's own files since.
"""

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from flows.running.stage_outcome import FlowError, UsageError
from flows.settings.page_words import forget_the_miniatures_words
from flows.settings.profile_layers import BASE, PROFILES, layers, merge, parsed, text_of, unknown_settings
from reasrm.runtime.outputs import write_text
from reasrm.runtime.yaml_files import YamlError, parse_yaml, yaml_text

PARAMS = Path("params.yaml")
HEADER = "# reasrm profile use "
HASH = "# settings as written: sha256 "
SHOWN_EDITS = 8


@dataclass(frozen=True)
class ProfileChoice:
    """How a params.yaml is made."""

    name: str = BASE
    overlays: tuple[str, ...] = ()
    """Laid over the profile in this order."""
    settings: tuple[str, ...] = ()
    """`a.b=value`, the value in YAML; last of all."""
    files: str | None = None
    """The folder of the user's own files, where the profile reads files."""

    @property
    def title(self) -> str:
        """The profile with its overlays, as a user types them."""
        return " ".join([self.name, *(f"+{overlay}" for overlay in self.overlays)])

    def arguments(self) -> list[str]:
        """The arguments of `reasrm profile use` that make it again."""
        arguments = self.title.split()
        if self.files is not None:
            arguments += ["--files", self.files]
        for setting in self.settings:
            arguments += ["--set", setting]
        return arguments


def named_choice(names: list[str]) -> ProfileChoice:
    """The choice that a profile's name and `+overlays` make.

    Raises:
        UsageError: no profile comes first, a name after it has no plus, or an overlay stands twice.
    """
    profile, *others = names or [""]
    is_profile = bool(profile) and not profile.startswith("+")
    if not is_profile or not all(name.startswith("+") for name in others):
        overlays = [f"+{name.lstrip('+')}" for name in (others if is_profile else names) if name] or ["+OVERLAY"]
        raise UsageError(
            f"{' '.join(names) or 'nothing'}: first the name of a profile, then overlays, each with a plus: "
            f"`reasrm profile use {profile if is_profile else 'PROFILE'} {' '.join(overlays)}`"
        )
    if twice := next((name for name in others if others.count(name) > 1), None):
        raise UsageError(f"{' '.join(names)}: {twice} stands twice; the later of two overlays wins, so name it once")
    return ProfileChoice(profile, tuple(name[1:] for name in others))


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
    text = text_of(root / PARAMS)
    if text.startswith(HEADER):
        raise FlowError(
            f"{PARAMS} was made by a profile and git knows no earlier one: get the project's own {PARAMS} (a clone "
            f"with its history has it)"
        )
    return text


def compose(root: Path, choice: ProfileChoice, base: str | None = None) -> str:
    """The text of params.yaml for a choice, comments kept.

    Args:
        root: the project.
        choice: the profile, its overlays and what is set beside them.
        base: the text of the miniature's params.yaml; None for the committed one.

    Raises:
        UsageError: no such profile or overlay, or it or `--set` names no setting.
        FlowError: a profile file is not a mapping, or the miniature's settings are not at hand.
    """
    text = miniature(root) if base is None else base
    if choice == ProfileChoice():
        return text
    if wrong := next((one for one in choice.arguments() if not one.isprintable()), None):
        raise UsageError(f"{wrong!r}: is written on the first line of {PARAMS}, so without line breaks and controls")
    document, untouched = parsed(text, PARAMS), parse_yaml(text, PARAMS)
    for layer in layers(root, choice.name, choice.overlays):
        if unknown := ", ".join(f"`{name}`" for name in unknown_settings(untouched, layer.settings)):
            raise UsageError(f"{layer.file}: the committed {PARAMS} has no {unknown}; a misspelling?")
        merge(document, layer.settings)
    if choice.files is not None:
        document["files"] = choice.files
    for setting in choice.settings:
        _set(document, setting)
    forget_the_miniatures_words(document, untouched, choice.title)
    settings = yaml_text(document)
    return f"{HEADER}{shlex.join(choice.arguments())}\n{HASH}{settings_hash(settings)}\n{settings}"


def settings_hash(text: str) -> str:
    """The hash of what a params.yaml sets: comments, quotes and the order of keys do not count.

    Raises:
        FlowError: it is not YAML.
    """
    try:
        content = orjson.dumps(
            parse_yaml(text, PARAMS), default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
        )
    except YamlError as error:
        raise FlowError(str(error)) from error
    return sha256(content).hexdigest()


def current_choice(root: Path) -> ProfileChoice:
    """How the present params.yaml was made, from its first line; without such a line it is the miniature's.

    Raises:
        FlowError: params.yaml cannot be read, or the line was edited.
    """
    first = text_of(root / PARAMS).partition("\n")[0]
    if not first.startswith(HEADER):
        return ProfileChoice()
    try:
        words = shlex.split(first.removeprefix(HEADER))
        names = [word for place, word in enumerate(words) if place == 0 or _is_overlay(words, place)]
        rest = words[len(names) :]
        pairs = list(zip(rest[::2], rest[1::2], strict=True))
        choice = named_choice(names)
    except (ValueError, UsageError) as error:
        raise FlowError(
            f"{PARAMS} line 1: not as `reasrm profile use` wrote it ({first!r}); take the line out, or undo the edit"
        ) from error
    files = next((value for option, value in pairs if option == "--files"), None)
    settings = tuple(value for option, value in pairs if option == "--set")
    return ProfileChoice(choice.name, choice.overlays, settings, files)


def edits_by_hand(root: Path) -> list[str]:
    """The settings of params.yaml that nobody would get back from its profile, as `a.b: was -> is`.

    None, where the settings have the hash that was written beside them: then only the profile's files may have changed.
    Else they are compared with what the profile gives today; where it gives nothing, that is the one entry.
    """
    path = root / PARAMS
    if not path.is_file():
        return []
    text = text_of(path)
    recorded = re.search(rf"\A.*\n{re.escape(HASH)}([0-9a-f]{{64}})\n", text)
    if recorded and recorded[1] == settings_hash(text):
        return []
    choice = current_choice(root)
    try:
        made = compose(root, choice)
    except FlowError as error:
        return [f"settings other than `reasrm profile use {choice.title}` wrote, which cannot be done again ({error})"]
    return differences("", parsed(made, PARAMS), parsed(text, PARAMS))


def summary(root: Path) -> str:
    """How the present params.yaml was made, and what became of it and of the profile's files since."""
    if not (root / PARAMS).is_file():
        return f"there is no {PARAMS}"
    choice = current_choice(root)
    words = shlex.join(choice.arguments())
    if edits := edits_by_hand(root):
        more = f"; and {len(edits) - SHOWN_EDITS} more" if len(edits) > SHOWN_EDITS else ""
        return f"{words}, edited by hand: {'; '.join(edits[:SHOWN_EDITS])}{more}"
    try:
        changed = settings_hash(compose(root, choice)) != settings_hash(text_of(root / PARAMS))
    except FlowError as error:
        return f"{words}, which cannot be done again: {error}"
    return words + (f"; its files say otherwise today: `reasrm profile use {words}` takes that over" if changed else "")


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
    if edits and text != text_of(root / PARAMS):
        raise FlowError(
            f"{PARAMS} holds edits by hand that would be lost: {'; '.join(edits[:SHOWN_EDITS])}. Keep them in a "
            f"profile of your own ({PROFILES}/NAME.yaml) or with --set, or throw them away with --discard"
        )
    write_text(root / PARAMS, text)
    return text


def differences(name: str, before: Any, after: Any) -> list[str]:
    """The settings in which two documents differ, as `a.b: was -> is`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = dict.fromkeys([*before, *after])
        inner = (differences(f"{name}.{key}" if name else str(key), before.get(key), after.get(key)) for key in keys)
        return [text for texts in inner for text in texts]
    return [] if before == after else [f"{name}: {before} -> {after}"]


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints, or None where it fails."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _is_overlay(words: list[str], place: int) -> bool:
    """Whether all words from the second to this one are overlays."""
    return all(word.startswith("+") for word in words[1 : place + 1])


def _set(document: Any, setting: str) -> None:
    name, equals, text = setting.partition("=")
    if not equals:
        raise UsageError(f"--set {setting}: takes A.B=VALUE, as `--set sft.epochs=2`")
    *path, last = name.split(".")
    place = document
    for key in path:
        place = place.get(key) if isinstance(place, Mapping) else None
    if not isinstance(place, Mapping) or last not in place:
        known = ", ".join(f"{'.'.join([*path, key])}" for key in place) if isinstance(place, Mapping) else ""
        raise UsageError(f"--set {setting}: params.yaml has no `{name}`" + (f", only {known}" if known else ""))
    try:
        value = parsed(text, f"--set {setting}")
    except FlowError as error:
        raise UsageError(str(error)) from error
    if isinstance(place[last], str) and isinstance(value, int | float):  # a commit id may be all digits
        value = text
    place[last] = float(value) if isinstance(value, float) else value  # type: ignore[index]
