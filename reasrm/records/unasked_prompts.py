"""Prompts that a judge was never asked, by what `data/judgments/<model>/identity.json` counts: too long, not rendered.

Each is an unreadable judgment, so a score over many of them says little of the judge. Where they are many, the stage
`judge`, the end of a run and the page say so, with these words.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

IDENTITY = "identity.json"
"""File beside a model's judgments that says how they were made."""
MANY = 0.1
"""Share of the prompts from which on it is said."""


def unasked_warning(model: str, identity: Mapping[str, Any]) -> str:
    """What to say if many prompts of `model` were not asked; empty if few were, or if that was not counted."""
    asked, *unasked = (_count(identity, name) for name in ("asked", "too_long", "unrenderable"))
    total = asked + sum(unasked)
    if not total or sum(unasked) / total <= MANY:
        return ""
    too_long, unrenderable = unasked
    ways_out = ["raise `max_context_tokens` of section `judge` in params.yaml"] if too_long else []
    ways_out += ["the log of the stage says why the chat template does not render them"] if unrenderable else []
    return (
        f"{model}: {sum(unasked):,} of {total:,} prompts were not asked ({too_long:,} too long, {unrenderable:,} "
        f"unrenderable) and count as unreadable, so its scores say little: {'; '.join(ways_out)}"
    )


def unasked_warnings(judgments: Path, models: list[str]) -> tuple[str, ...]:
    """The warnings about those of `models` whose judgments below the folder `judgments` say how they were made."""
    files = ((model, judgments / model / IDENTITY) for model in models)
    found = (unasked_warning(model, json.loads(file.read_bytes())) for model, file in files if file.is_file())
    return tuple(filter(None, found))


def _count(identity: Mapping[str, Any], name: str) -> int:
    count = identity.get(name)
    return count if isinstance(count, int) else 0
