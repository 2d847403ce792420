"""The champion: the judge that holds the place, in a pointer file that is committed; and who may take its place.

`champion.json` names the model with DVC's hashes of its checkpoint and judgments, so both can be had again from the
cache or the remote whatever became of the workspace, and the figures by which it was promoted.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.nights.stored_outputs import Lock, StoredOutput
from flows.running.stage_outcome import FlowError
from reasrm.records.harmless_text import json_text

CHAMPION = "champion.json"
VERSION = 1
KEYS = ("version", "model", "promoted", "judgments", "benchmarks")
JUDGMENTS = "data/judgments/"
BENCHMARKS = "data/benchmarks"
NAME, MD5 = re.compile(r"[\w.-]+"), re.compile(r"[0-9a-f]{32}(\.dir)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True)
class Champion:
    """A pointer as it is written."""

    document: dict[str, Any]

    @property
    def model(self) -> str:
        """Its name, a key of `judge_variants`."""
        return str(self.document["model"])

    @property
    def promoted(self) -> str:
        """When, in UTC, ISO 8601."""
        return str(self.document["promoted"])

    @property
    def since(self) -> str:
        """Since when the pointer says what it says; of two pointers the later one counts."""
        return str(self.document.get("rejudged", self.promoted))

    @property
    def checkpoint(self) -> StoredOutput | None:
        """Its checkpoint; None of a judge that has none of its own (a service)."""
        found = self.document.get("checkpoint")
        return StoredOutput(**found) if found else None

    @property
    def judgments(self) -> StoredOutput:
        """What it was judged by."""
        return StoredOutput(**self.document["judgments"])

    @property
    def benchmarks(self) -> StoredOutput:
        """The items that these judgments are about."""
        return StoredOutput(**self.document["benchmarks"])

    @property
    def stored(self) -> list[StoredOutput]:
        """All that must not be lost while it is the champion."""
        return [self.judgments, self.benchmarks, *([self.checkpoint] if self.checkpoint else [])]

    def text(self) -> str:
        """The pointer file's text; the same bytes for the same champion."""
        return json_text(self.document, indent=1, sort_keys=True) + "\n"


@dataclass(frozen=True)
class JudgedModel:
    """A judged model of the workspace, as dvc.lock describes it."""

    model: str
    judgments: StoredOutput
    benchmarks: StoredOutput
    checkpoint: StoredOutput | None
    """None for a judge that has none of its own (a service)."""


def read_champion(root: Path) -> Champion | None:
    """The champion of the workspace; None before there is one.

    Raises:
        FlowError: the pointer cannot be read.
    """
    path = root / CHAMPION
    return champion_of(path.read_text(encoding="utf-8", errors="replace"), str(path)) if path.is_file() else None


def champion_of(text: str, what: str) -> Champion:
    """The champion that a pointer's text names; `what` is what errors call it.

    Raises:
        FlowError: it is no pointer, or one of another version.
    """
    way_out = "`reasrm promote --reinstate TAG` puts that of an earlier night in its place (`git tag --list 'night-*'`)"
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or (missing := [key for key in KEYS if key not in document]):
            lacks = ", ".join(missing) if isinstance(document, dict) else "everything"
            raise FlowError(f"{what} is no pointer to a champion, it lacks {lacks}: {way_out}")
        if document["version"] != VERSION:
            raise FlowError(f"{what} has version {document['version']}, this code reads {VERSION}: use what wrote it")
        champion = Champion(document)
        if wrong := [text for text, form in _forms(champion) if not form.fullmatch(text)]:
            raise FlowError(f"{what} is no pointer to a champion, it has {wrong[0]!r:.80}: {way_out}")
    except (ValueError, TypeError) as error:
        raise FlowError(f"{what} is no pointer to a champion ({error}): {way_out}") from error
    return champion


def _forms(champion: Champion) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Texts of a pointer, which may come from anywhere, with the form that they must have."""
    yield champion.model, NAME
    yield champion.promoted, TIME
    yield champion.since, TIME
    yield from ((one.md5, MD5) for one in champion.stored)


def judged_model(lock: Lock, params: dict[str, Any], model: str) -> JudgedModel:
    """The judged model `model`.

    Args:
        lock: dvc.lock.
        params: the document of params.yaml.
        model: a key of `judge_variants`.

    Raises:
        FlowError: it was never judged.
    """
    path = f"{JUDGMENTS}{model}"
    judgments, stage = lock.output(path), lock.maker_of(path)
    if judgments is None or stage is None:
        known = sorted(
            out["path"].removeprefix(JUDGMENTS)
            for one in lock.stages.values()
            for out in one.get("outs", [])
            if out["path"].startswith(JUDGMENTS)
        )
        made = f": `reasrm run --to judge@{model}` makes them" if model in (params.get("judge_variants") or {}) else ""
        raise FlowError(f"dvc.lock has no judgments of {model!r} (it has {', '.join(known) or 'none'}){made}")
    benchmarks = lock.dependency(stage, BENCHMARKS)
    if benchmarks is None:
        raise FlowError(f"dvc.lock: {stage} did not read {BENCHMARKS}, so nobody knows what was judged")
    variant = (params.get("judge_variants") or {}).get(model) or {}
    checkpoint = lock.dependency(stage, str(variant.get("checkpoint", "")))
    return JudgedModel(model, judgments, benchmarks, checkpoint)


def sha256(content: bytes) -> str:
    """As the pointer has it of dvc.lock and params.yaml."""
    return hashlib.sha256(content).hexdigest()
