"""What exactly a probe asked with: texts and settings from its measures, so that a name can be looked up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reasrm.probes.measures_file import ProbedBy
from reasrm.records.harmless_text import json_text
from reasrm.reporting.display_text import shortened
from reasrm.reporting.probe_figures.measure_names import ENDINGS, KEY, variant_title
from reasrm.reporting.probe_figures.measure_text import in_words

MOST_CHARACTERS = 4_000
"""Of a text; a longer one is cut in its middle."""
VARIANTS = ("texts", "master_keys")
"""Settings whose keys are names of variants."""


@dataclass(frozen=True)
class NamedText:
    """A text under a name of its own."""

    name: str
    text: str
    counted: bool
    """Whether a figure rests on it, as far as that can be told."""


@dataclass(frozen=True)
class ProbeSetting:
    """One setting of a probe."""

    name: str
    texts: tuple[NamedText, ...]
    """Of a mapping of names to texts."""
    value: str
    """Of anything else, as JSON."""


def probe_settings(probed: Mapping[str, ProbedBy]) -> tuple[ProbeSetting, ...]:
    """The settings of the first judge that was not refused; what is counted, of all of them."""
    asked = [one for one in probed.values() if not one.refused]
    counted = {measure.variant for one in asked for measure in one.measures}
    return tuple(_settings(asked[0].settings, counted)) if asked else ()


def other_settings(probed: Mapping[str, ProbedBy]) -> list[str]:
    """The models that were asked with other settings than the first one."""
    asked = {model: one.settings for model, one in probed.items() if not one.refused}
    first = next(iter(asked.values()), None)
    return [model for model, settings in asked.items() if settings != first]


def _settings(settings: Mapping[str, Any], counted: set[str]) -> Iterator[ProbeSetting]:
    for name, value in settings.items():
        if isinstance(value, dict) and value and all(isinstance(text, str) for text in value.values()):
            texts = [
                NamedText(_title(name, key), shortened(text, MOST_CHARACTERS), _is_counted(name, key, counted))
                for key, text in value.items()
            ]
            yield ProbeSetting(in_words(name), tuple(texts), "")
        else:
            yield ProbeSetting(in_words(name), (), shortened(json_text(value), MOST_CHARACTERS))


def _title(setting: str, key: str) -> str:
    return variant_title(key) if setting in VARIANTS else key


def _is_counted(setting: str, key: str, counted: set[str]) -> bool:
    names = {key, KEY + key, *(key + ending for ending in ENDINGS)}
    return setting not in VARIANTS or not names.isdisjoint(counted)
