"""The index of all judgments, which the page holds whole: columns of small numbers, and how questions begin."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from reasrm.records.comparison import Side
from reasrm.records.harmless_text import harmless, one_line
from reasrm.records.reply import Reply
from reasrm.reporting.trace_browser.judgment_flags import (
    Flag,
    changing_probes,
    flipped_places,
)
from reasrm.reporting.trace_browser.traced_items import JudgedBy, TracedItem

QUESTION_CHARACTERS = 160
"""Of a question in the list."""
SIDES = (Side.A, Side.B, None)
"""What a number for a verdict means; for an order, the side of the better answer."""
NOT_KNOWN = -1
"""Instead of a probability or a number of tokens."""


class Names:
    """Numbers for names, in the order of their first use."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}

    def number(self, name: str) -> int:
        """The number of `name`."""
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def table(self) -> list[str]:
        """The names by number."""
        return list(self._numbers)


class TraceIndex:
    """The index while items are added to it."""

    def __init__(self, models: Sequence[str]) -> None:
        self._models = Names(models)
        self._benchmarks, self._families, self._causes = Names(), Names(), Names([""])
        self._changes: dict[tuple[str, ...], int] = {(): 0}
        self._items: dict[str, list[Any]] = {key: [] for key in ("benchmark", "id", "family", "question")}
        columns = ("item", "model", "order", "verdict", "cause", "probability", "tokens", "flags", "change")
        self._judgments: dict[str, list[int]] = {key: [] for key in columns}

    @property
    def judgments(self) -> int:
        """How many there are by now."""
        return len(self._judgments["item"])

    def add(self, traced: TracedItem, ungrounded: Sequence[bool]) -> None:
        """One more item with its judgments; `ungrounded` says of each whether it quotes what the answer does not."""
        item = traced.item
        place = len(self._items["id"])
        self._items["benchmark"].append(self._benchmarks.number(item.benchmark))
        self._items["id"].append(harmless(item.item_id))
        self._items["family"].append(self._families.number(harmless(traced.family)))
        self._items["question"].append(one_line(harmless(item.pair.question), QUESTION_CHARACTERS))
        flipped = flipped_places(traced.judged)
        for at, one in enumerate(traced.judged):
            flags = (Flag.UNGROUNDED if ungrounded[at] else Flag(0)) | (Flag.FLIPPED if at in flipped else Flag(0))
            flags |= Flag.CONTRADICTED if one.contradicted else Flag(0)
            change = self._changes.setdefault(changing_probes(traced, one), len(self._changes))
            self._add_judgment(place, one, flags, change)

    def _add_judgment(self, item: int, one: JudgedBy, flags: Flag, change: int) -> None:
        judgment = one.judgment
        row = {
            "item": item,
            "model": self._models.number(one.model),
            "order": SIDES.index(judgment.better),
            "verdict": SIDES.index(judgment.verdict),
            "cause": self._causes.number(_cause(one)),
            "probability": per_ten_thousand(judgment.reply),
            "tokens": judgment.reply.completion_tokens if judgment.reply else NOT_KNOWN,
            "flags": int(flags),
            "change": change,
        }
        for key, value in row.items():
            self._judgments[key].append(value)

    def columns(
        self, model_labels: Mapping[str, str], benchmark_labels: Mapping[str, str], probe_titles: Mapping[str, str]
    ) -> dict[str, Any]:
        """The index as the page reads it, but for where its chunks begin.

        Args:
            model_labels: the models' names for readers.
            benchmark_labels: the benchmarks' names for readers.
            probe_titles: the probes' names for readers.
        """
        probes = Names(sorted({name for names in self._changes for name in names} | set(probe_titles)))
        return {
            "models": _named(self._models.table, model_labels),
            "benchmarks": _named(self._benchmarks.table, benchmark_labels),
            "probes": _named(probes.table, probe_titles),
            "families": self._families.table,
            "causes": self._causes.table,
            "changes": [[probes.number(name) for name in names] for names in self._changes],
            "items": self._items,
            "judgments": self._judgments,
        }


def per_ten_thousand(reply: Reply | None) -> int:
    """The probability of the verdict's letter in hundredths of a percent, or `NOT_KNOWN`; only 1 is 10,000."""
    if reply is None or reply.verdict_logprob is None:
        return NOT_KNOWN
    whole = 10_000
    return whole if reply.verdict_logprob >= 0 else min(round(whole * math.exp(reply.verdict_logprob)), whole - 1)


def _cause(one: JudgedBy) -> str:
    """Why there is no verdict; empty if there is one."""
    return "" if one.judgment.verdict is not None else harmless(one.judgment.unreadable or "unknown")


def _named(names: Sequence[str], labels: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": harmless(name), "label": harmless(labels.get(name, name))} for name in names]
