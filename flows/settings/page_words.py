"""The page's words belong to the run that they were written for: other data or another base model drop them.

What the miniature's `report` section says ("synthetic", "half a million parameters") is true of the miniature
alone. Where a profile takes its pairs, its benchmarks or its base model from elsewhere, every text of that section that
the profile does not replace becomes null, and the page derives it from what ran (`with_derived_texts`).
"""

from collections.abc import Mapping
from typing import Any

SOURCES = ("collect_pairs", "collect_benchmarks", "base_model")
"""Sections whose `source` decides whether a run is the miniature."""
WITHOUT_MINIATURE: Mapping[str, Any] = {
    "title": None,
    "summary": None,
    "notes": None,
    "reproduce": None,
    "families": {},
    "slices": "",
    "policy_planted": "",
    "reference_run": None,
}
"""What becomes of the miniature's words elsewhere; null is derived from what ran."""


def forget_the_miniatures_words(document: Any, miniature: Mapping[str, Any], title: str) -> None:
    """Name the configuration in `document`, and take out the miniature's words if they would not be true.

    Args:
        document: settings with all layers on; changed.
        miniature: the miniature's settings.
        title: of the choice; it replaces the miniature's `report.configuration`, and no other.
    """
    report, before = document.get("report"), miniature.get("report", {})
    if not isinstance(report, Mapping):
        return  # the check of the settings says so
    if "configuration" in before and report.get("configuration") == before["configuration"]:
        document["report"]["configuration"] = title
    for key in untrue_words(document, miniature):
        value = WITHOUT_MINIATURE[key]
        document["report"][key] = type(before[key])() if value is not None else None


def untrue_words(document: Mapping[str, Any], miniature: Mapping[str, Any]) -> list[str]:
    """The keys of `report` that hold the miniature's words although the run is another."""
    if all(_source(document, section) == _source(miniature, section) for section in SOURCES):
        return []
    report, before = document.get("report"), miniature.get("report", {})
    if not isinstance(report, Mapping):
        return []
    return [key for key in WITHOUT_MINIATURE if before.get(key) and report.get(key) == before[key]]


def _source(document: Mapping[str, Any], section: str) -> Any:
    found = document.get(section)
    return found.get("source") if isinstance(found, Mapping) else None
