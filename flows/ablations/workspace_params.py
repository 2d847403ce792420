"""The params.yaml of a workspace: the project's present one, overlays over it, and all training seeds moved on.

Which settings are training seeds is what the profile `seed-1` sets: model, data order, pairs and sampled replies, and
not the benchmarks, so that all seeds are judged on the same questions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.running.stage_outcome import FlowError
from flows.settings.profile import HASH, HEADER, PARAMS
from flows.settings.profile_layers import BASE, PROFILES, layers, merge, parsed, text_of, unknown_settings
from reasrm.runtime.yaml_files import parse_yaml, yaml_text

SEED_PROFILE = "seed-1"
SEED = "seed"
WRITTEN_BY = "# Written by `reasrm ablate`, which writes it anew: edit the project's params.yaml. Training seed +"


def workspace_params(root: Path, overlays: Sequence[str], further: int) -> str:
    """The text of params.yaml for a workspace.

    Args:
        root: the project; its params.yaml is read and not changed.
        overlays: laid over it in this order.
        further: what is added to each training seed.

    Raises:
        FlowError: params.yaml or an overlay cannot be read, sets what params.yaml does not know, or a seed is missing.
    """
    text = _without_header(text_of(root / PARAMS))
    document, untouched = parsed(text, PARAMS), parse_yaml(text, PARAMS)
    if not isinstance(document, Mapping):
        raise FlowError(f"{PARAMS}: a mapping of sections is needed; `git diff {PARAMS}` shows what was changed")
    for layer in layers(root, BASE, overlays):
        if unknown := ", ".join(f"`{name}`" for name in unknown_settings(untouched, layer.settings)):
            raise FlowError(f"{layer.file}: {PARAMS} has no {unknown}")
        merge(document, layer.settings)
    for section in training_seeds(root):
        settings: Any = document.get(section)
        seed = settings.get(SEED) if isinstance(settings, Mapping) else None
        if not isinstance(seed, int):
            raise FlowError(
                f"{PARAMS}: {section}.{SEED} is {seed!r}, but {PROFILES}/{SEED_PROFILE}.yaml sets it as a training "
                f"seed: a whole number is needed"
            )
        settings[SEED] = seed + further
    return f"{WRITTEN_BY}{further}.\n{yaml_text(document)}"


def training_seeds(root: Path) -> list[str]:
    """The sections of params.yaml whose `seed` makes another training.

    Raises:
        FlowError: the profile that says so is missing or sets none.
    """
    settings = [pair for layer in layers(root, SEED_PROFILE, ()) for pair in layer.settings.items()]
    found = dict.fromkeys(str(name) for name, values in settings if isinstance(values, Mapping) and SEED in values)
    if not found:
        raise FlowError(
            f"{PROFILES}/{SEED_PROFILE}.yaml sets no `{SEED}`, so nobody knows what makes another training: "
            f"`git diff {PROFILES}` shows what was changed"
        )
    return list(found)


def document_of(text: str) -> dict[str, Any]:
    """The settings in the text of a params.yaml."""
    return dict(parse_yaml(text, PARAMS))


def _without_header(text: str) -> str:
    """The text without the lines by which `reasrm profile use` knows its own, which this is no longer."""
    lines = text.splitlines(keepends=True)
    return "".join(line for place, line in enumerate(lines) if place > 1 or not line.startswith((HEADER, HASH)))
