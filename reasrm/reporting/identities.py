"""With what exactly each model was judged: `data/judgments/<model>/identity.json`, as the stage `judge` wrote it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from reasrm.reporting.visible_text import shortened

VALUE_CHARACTERS = 200
"""Longer values are cut in the middle."""


@dataclass(frozen=True)
class Identity:
    """One model's judging: what was asked, by which engine, with which settings."""

    label: str
    rows: tuple[tuple[str, str], ...]
    """Dotted key and value."""


def read_identities(judgments: Path, labels: Mapping[str, str]) -> tuple[Identity, ...]:
    """The identity of each of the models `labels`, where there is one; judgments from elsewhere may have none."""
    files = ((label, judgments / model / "identity.json") for model, label in labels.items())
    return tuple(
        Identity(label, tuple(_flat(orjson.loads(file.read_bytes()), ""))) for label, file in files if file.is_file()
    )


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name in sorted(value):
            yield from _flat(value[name], f"{key}.{name}" if key else str(name))
    else:
        yield key, shortened(value if isinstance(value, str) else orjson.dumps(value).decode(), VALUE_CHARACTERS)
