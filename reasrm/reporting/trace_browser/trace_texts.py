"""The texts of items, replies and probes' queries as the page reads them, in chunks of about equal size.

A chunk holds whole items, so one trace needs one chunk. Every text has passed `harmless`; replies are stored in pieces,
each with a number that says what it is (`Marks`). Several judges often write the same words: each reply is stored once
per item.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reasrm.records.comparison import Comparison, show
from reasrm.records.harmless_text import harmless
from reasrm.records.judgment import ComparisonJudgment, Judgment
from reasrm.records.pair import Message
from reasrm.records.probe_row import ProbeRow
from reasrm.records.reply import Reply
from reasrm.reporting.replies.trace_view import Segment, segments
from reasrm.reporting.trace_browser.judgment_flags import is_ungrounded, verdict_changed
from reasrm.reporting.trace_browser.trace_index import SIDES, per_ten_thousand
from reasrm.reporting.trace_browser.traced_items import ProbedAs, TracedItem

CHUNK_CHARACTERS = 600_000
"""Of texts in a chunk, at least but for the last: some 100 kB on disk, some tens of milliseconds to open."""


class Marks:
    """Numbers for what a piece of a reply is: its kind, the label behind it, and whether it begins a line."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, bool], int] = {}

    def number(self, piece: Segment) -> int:
        """The number of such pieces."""
        return self._numbers.setdefault((piece.kind.value, piece.label, piece.starts_part), len(self._numbers))

    @property
    def table(self) -> list[list[str | bool]]:
        """Kind, label and whether it begins a line, by number."""
        return [list(mark) for mark in self._numbers]


class ItemTexts:
    """One item's texts while they are gathered."""

    def __init__(self, traced: TracedItem, models: Sequence[str], marks: Marks) -> None:
        self._traced, self._models, self._marks = traced, models, marks
        self._replies: dict[tuple[str, str, str, str], int] = {}
        self._pieces: list[list[int | str]] = []
        self._ungrounded: list[bool] = []
        self.ungrounded: list[bool] = []
        """Of each judgment, whether it quotes what the answer does not say."""

    def entry(self) -> dict[str, Any]:
        """The item as the page reads it; `judged` is in the order of the index."""
        pair = self._traced.item.pair
        judged = [self._judged(one.judgment) for one in self._traced.judged]
        probed = [self._probed(one) for one in self._traced.probed]
        return {
            "turns": _turns(pair.prompt),
            "better": harmless(pair.chosen),
            "worse": harmless(pair.rejected),
            "judged": judged,
            "probed": probed,
            "replies": self._pieces,
        }

    def _judged(self, judgment: Judgment) -> dict[str, Any]:
        told = self._told(judgment, show(self._traced.item.pair, judgment.better))
        self.ungrounded.append("reply" in told and self._ungrounded[told["reply"]])
        return told

    def _told(self, judgment: ComparisonJudgment, shown: Comparison) -> dict[str, Any]:
        """What the index does not say of a judgment."""
        told: dict[str, Any] = {}
        if judgment.reply is not None:
            told = {
                "reply": self._reply(judgment.reply, shown),
                "finish": judgment.reply.finish.value,
                "prompt_tokens": judgment.reply.prompt_tokens,
                "completion_tokens": judgment.reply.completion_tokens,
            }
        if judgment.scores is not None:
            told["scores"] = judgment.scores
        if judgment.samples is not None:
            told["samples"] = [judgment.samples.a, judgment.samples.b, judgment.samples.count]
        return told

    def _reply(self, reply: Reply, shown: Comparison) -> int:
        """The place of a reply's pieces; they depend on the answers that it was shown."""
        key = (reply.text, reply.finish.value, shown.response_a, shown.response_b)
        place = self._replies.setdefault(key, len(self._pieces))
        if place == len(self._pieces):
            pieces = segments(reply, shown.response_a, shown.response_b)
            self._pieces.append([part for one in pieces for part in (self._marks.number(one), harmless(one.text))])
            self._ungrounded.append(is_ungrounded(pieces))
        return place

    def _probed(self, probed: ProbedAs) -> dict[str, Any]:
        row, judgment = probed.row, probed.row.judgment
        plain = show(self._traced.item.pair, row.better)
        own = {key: text for key, text in row.shown if text is not None}
        told = {} if judgment is None else self._told(judgment, plain.model_copy(update=own))
        return told | {
            "model": self._models.index(probed.model),
            "order": SIDES.index(row.better),
            "probe": harmless(row.probe),
            "variant": harmless(row.variant),
            "verdict": SIDES.index(judgment.verdict if judgment else None),
            "cause": harmless(judgment.unreadable or "") if judgment else "",
            "probability": per_ten_thousand(judgment.reply if judgment else None),
            "changed": judgment is not None and any(
                verdict_changed(one.judgment, judgment.verdict)
                for one in self._traced.judged
                if one.model == probed.model and one.judgment.better is row.better
            ),
            **_condition(row),
        }  # fmt: skip


def chunks(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Entries of items in chunks, in order."""
    chunk: list[dict[str, Any]] = []
    size = 0
    for entry in items:
        chunk.append(entry)
        size += _characters(entry)
        if size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _turns(prompt: Sequence[Message]) -> list[list[str]]:
    return [[turn.role.value, harmless(turn.content)] for turn in prompt]


def _condition(row: ProbeRow) -> dict[str, Any]:
    """How a query was asked otherwise than plainly; nothing of what was as ever."""
    shown = row.shown
    told = {
        "turns": None if shown.prompt is None else _turns(shown.prompt),
        "answer_a": None if shown.response_a is None else harmless(shown.response_a),
        "answer_b": None if shown.response_b is None else harmless(shown.response_b),
        "begun": harmless(row.begun) or None,
        "undefused": True if not row.defused else None,
        "draw": row.draw,
        "step": row.step,
        "margin": row.margin,
        "unknown_words": row.unknown_words or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _characters(value: Any) -> int:
    """Of all texts in it."""
    match value:
        case str():
            return len(value)
        case dict():
            return sum(map(_characters, value.values()))
        case list():
            return sum(map(_characters, value))
        case _:
            return 1
