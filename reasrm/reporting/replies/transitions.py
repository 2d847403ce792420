"""Which verdicts a training stage changed, and what they rested on before and after.

Counted by verdict: one item in one order. A reply without a verdict counts as wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import Judgment
from reasrm.reporting.replies.examples import AskedItem, ItemKey
from reasrm.reporting.replies.verdict_basis import BasisKind, VerdictBasis, verdict_basis

SHOWN_REASONS = 4
"""Changes of reasons that are listed of each kind of change, the most frequent first."""

VerdictKey = tuple[str, str, Side]
"""Benchmark, item id and order."""


class VerdictChange(StrEnum):
    """What became of a verdict."""

    STAYS_RIGHT = "stays right"
    BECOMES_RIGHT = "becomes right"
    BECOMES_WRONG = "becomes wrong"
    STAYS_WRONG = "stays wrong"


@dataclass(frozen=True)
class ReasonChange:
    """Verdicts that rest on the same before, and on the same after."""

    before: str
    after: str
    count: int
    example: ItemKey
    """An item with such a verdict, chosen by hash."""


@dataclass(frozen=True)
class ChangedVerdicts:
    """All verdicts of one kind of change."""

    change: VerdictChange
    count: int
    reasons: tuple[ReasonChange, ...]
    """The most frequent ones, most frequent first."""


@dataclass(frozen=True)
class Transitions:
    """From the earlier judge to the later one."""

    changes: tuple[ChangedVerdicts, ...]
    """Every kind of change, also those that did not occur."""
    by_kind: Mapping[str, Counter[VerdictChange]]
    """The same counts by kind of question."""

    @property
    def examples(self) -> tuple[ItemKey, ...]:
        """An item of the most frequent change of reasons of each kind of change."""
        return tuple(dict.fromkeys(change.reasons[0].example for change in self.changes if change.reasons))


class _Verdict:
    """Whether one verdict is right, and what it rests on."""

    __slots__ = ("basis", "right")

    def __init__(self, judgment: Judgment, question: str) -> None:
        self.right = judgment.correct is True
        written = judgment.reply.text if judgment.reply is not None else ""
        self.basis = verdict_basis(written, question) if written else VerdictBasis(BasisKind.NOTHING)


def read_transitions(judgments: Path, items: Mapping[ItemKey, AskedItem], models: tuple[str, str]) -> Transitions:
    """Compare the verdicts of two `models` below `judgments`, the earlier stage first, on the given `items`."""
    before, after = (dict(_verdicts(judgments / model, items)) for model in models)
    reasons: dict[VerdictChange, dict[tuple[str, str], list[VerdictKey]]] = {
        change: defaultdict(list) for change in VerdictChange
    }
    by_kind: dict[str, Counter[VerdictChange]] = defaultdict(Counter)
    for key in before.keys() & after.keys():
        one, other = before[key], after[key]
        change = _change(one.right, other.right)
        reasons[change][one.basis.label, other.basis.label].append(key)
        by_kind[items[key[:2]].kind][change] += 1
    return Transitions(
        changes=tuple(_changed(change, found) for change, found in reasons.items()),
        by_kind=dict(sorted(by_kind.items())),
    )


def _verdicts(folder: Path, items: Mapping[ItemKey, AskedItem]) -> Iterator[tuple[VerdictKey, _Verdict]]:
    """The first judgment of each item in each order."""
    seen = set[VerdictKey]()
    for judgment in (row for file in sorted(folder.glob("*.jsonl")) for row in read_records(file, Judgment)):
        key = (judgment.benchmark, judgment.item_id, judgment.better)
        item = items.get(key[:2])
        if item is not None and key not in seen:
            seen.add(key)
            yield key, _Verdict(judgment, item.question)


def _change(before: bool, after: bool) -> VerdictChange:
    if before:
        return VerdictChange.STAYS_RIGHT if after else VerdictChange.BECOMES_WRONG
    return VerdictChange.BECOMES_RIGHT if after else VerdictChange.STAYS_WRONG


def _changed(change: VerdictChange, found: Mapping[tuple[str, str], list[VerdictKey]]) -> ChangedVerdicts:
    ranked = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return ChangedVerdicts(
        change=change,
        count=sum(len(keys) for keys in found.values()),
        reasons=tuple(
            ReasonChange(*labels, len(keys), min(keys, key=lambda key: unit_interval("transition", *key))[:2])
            for labels, keys in ranked[:SHOWN_REASONS]
        ),
    )
