"""The files of `profiles/`: whole profiles, overlays, and how one is laid over another.

A profile (`profiles/NAME.yaml`) makes a whole params.yaml out of the miniature's settings; `based_on: OTHER` lays it
over another profile instead. An overlay (`profiles/overlays/NAME.yaml`) changes some settings of whatever profile is
below it (`+NAME`). Both hold what differs: a mapping is merged key by key, anything else is replaced; a mapping tagged
`!replace` replaces its whole counterpart (a profile with fewer models, say), and so does that of another file of the
project, `!file PATH`, which several profiles share.
"""

import copy
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flows.running.stage_outcome import FlowError, UsageError
from reasrm.runtime.yaml_files import YamlError, parse_yaml_with_comments, read_yaml_text

PROFILES = Path("profiles")
OVERLAYS = PROFILES / "overlays"
BASE = "miniature"
ABOUT_BASE = "The embedded default: no key, no hub, no GPU"
REPLACE, FILE = "!replace", "!file"
BASED_ON = "based_on"
"""The one key of a profile that is no setting."""


class Layer(NamedTuple):
    """One file that is laid over what is below it."""

    file: Path
    """As errors call it."""
    settings: Mapping[str, Any]


def profile_names(root: Path) -> list[str]:
    """The whole profiles there are, the miniature first."""
    return [BASE, *_stems(root / PROFILES)]


def overlay_names(root: Path) -> list[str]:
    """The overlays there are."""
    return _stems(root / OVERLAYS)


def first_comment(root: Path, name: str, folder: Path = PROFILES) -> str:
    """What a profile or overlay is for: its first comment line."""
    if name == BASE and folder == PROFILES:
        return ABOUT_BASE
    for line in text_of(root / folder / f"{name}.yaml").splitlines():
        if line.startswith("# "):
            return line[2:]
    return ""


def layers(root: Path, profile: str, overlays: Sequence[str]) -> list[Layer]:
    """What is laid over the miniature's settings, the lowest first.

    Raises:
        UsageError: there is no such profile or overlay, or an overlay was named as a profile.
        FlowError: a file is not a mapping, or profiles are based on each other.
    """
    return [*_chain(root, profile), *(_layer(root, OVERLAYS, name) for name in overlays)]


def unknown_settings(base: Any, over: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """The settings of a layer that no stage knows: all that a stage takes stand in the miniature's params.yaml.

    Free are the names in an empty mapping (a limit per source, say), of variants, in a mapping that replaces its
    counterpart (another engine has other settings), and what these lay over; a stage refuses what it does not know.
    """
    for key, value in over.items():
        dotted = f"{name}.{key}" if name else str(key)
        if key not in base:
            yield dotted
        elif _has_variants(key) or _replaces(value) or not base[key]:
            continue
        elif isinstance(value, Mapping) and isinstance(base[key], Mapping):
            yield from unknown_settings(base[key], value, dotted)


def merge(under: Any, over: Mapping[str, Any]) -> None:
    """Lay `over` over `under`, which is changed; nothing of `over` is shared with it afterwards."""
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(under.get(key), Mapping) and not _replaces(value):
            merge(under[key], value)
        else:
            under[key] = _untagged(copy.deepcopy(value))


def overridden(root: Path, overlays: Sequence[str]) -> list[str]:
    """What an overlay sets otherwise than an earlier one did, as `+later over +earlier: a.b 1 -> 2`."""
    read = [(name, dict(_leaves(_layer(root, OVERLAYS, name).settings))) for name in overlays]
    return [
        f"+{later} over +{earlier}: {key if key == other else f'{other}, {key}'} {before[key]} -> {after[other]}"
        for place, (later, after) in enumerate(read)
        for earlier, before in read[:place]
        for key in before
        for other in after
        if _same_place(key, other) and (key != other or before[key] != after[other])
    ]


def text_of(path: Path) -> str:
    """The text of a YAML file.

    Raises:
        FlowError: it is not UTF-8, or cannot be read.
    """
    try:
        return read_yaml_text(path)
    except (YamlError, OSError) as error:
        raise FlowError(str(error)) from error


def parsed(text: str, where: Path | str) -> Any:
    """A YAML document with its comments.

    Raises:
        FlowError: it is not YAML.
    """
    try:
        return parse_yaml_with_comments(text, where)
    except YamlError as error:
        raise FlowError(str(error)) from error


def _chain(root: Path, profile: str) -> list[Layer]:
    """A profile above those that it is based on."""
    found: list[Layer] = []
    seen: list[str] = []
    while profile != BASE:
        if profile in seen:
            raise FlowError(f"{PROFILES}/{profile}.yaml: `{BASED_ON}` goes round: {' -> '.join([*seen, profile])}")
        try:
            layer = _layer(root, PROFILES, profile)
        except UsageError as error:
            if not seen:
                raise
            raise FlowError(f"{PROFILES}/{seen[-1]}.yaml: `{BASED_ON}`: {error}") from error
        seen.append(profile)
        below = layer.settings.get(BASED_ON, BASE)
        if not isinstance(below, str):
            raise FlowError(f"{layer.file}: `{BASED_ON}` is the name of a profile, got {below!r}")
        settings = {key: value for key, value in layer.settings.items() if key != BASED_ON}
        found.insert(0, Layer(layer.file, settings))
        profile = below
    return found


def _layer(root: Path, folder: Path, name: str) -> Layer:
    file = folder / f"{name}.yaml"
    known = profile_names(root) if folder == PROFILES else overlay_names(root)
    if name not in known:
        raise UsageError(_no_such(root, folder, name, known))
    document = parsed(text_of(root / file), root / file)
    if not isinstance(document, Mapping):
        found = "nothing" if document is None else "a list" if isinstance(document, list) else f"{document!r:.60}"
        raise FlowError(f"{file}: a mapping of sections is needed, it holds {found}")
    return Layer(file, _with_files(root, file, document))


def _with_files(root: Path, file: Path, value: Any) -> Any:
    """A value of a layer with what it takes from other files in place."""
    if isinstance(value, MutableMapping):
        for key, inner in value.items():
            value[key] = _with_files(root, file, inner)
        return value
    if _tag(value) != FILE:
        return value
    taken = Path(str(value.value))
    if not isinstance(parsed(text_of(root / taken), taken), Mapping):
        raise FlowError(f"{file}: `{FILE} {taken}`: that file must hold a mapping")
    return parsed(f"{REPLACE}\n{text_of(root / taken)}", taken)


def _no_such(root: Path, folder: Path, name: str, known: list[str]) -> str:
    if folder == PROFILES:
        hint = f"; `{name}` is an overlay: `reasrm profile use PROFILE +{name}`" if name in overlay_names(root) else ""
        return f"no profile `{name}`: there is no {folder}/{name}.yaml, only {', '.join(known)}{hint}"
    hint = f"; `{name}` is a whole profile and comes first, without a plus" if name in profile_names(root) else ""
    return f"no overlay `+{name}`: there is no {folder}/{name}.yaml, only {', '.join(known) or 'none'}{hint}"


def _leaves(settings: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        dotted = f"{name}.{key}" if name else str(key)
        if isinstance(value, Mapping) and value and not _replaces(value):
            yield from _leaves(value, dotted)
        else:
            yield dotted, value


def _same_place(one: str, other: str) -> bool:
    """Whether two settings are the same, or one holds the other."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _replaces(value: Any) -> bool:
    return _tag(value) == REPLACE


def _tag(value: Any) -> str | None:
    return getattr(getattr(value, "tag", None), "value", None)


def _untagged(value: Any) -> Any:
    return type(value)(value) if _replaces(value) else value


def _has_variants(section: object) -> bool:
    return str(section).endswith("_variants")


def _stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))
