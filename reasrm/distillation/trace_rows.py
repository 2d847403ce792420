"""One row of published traces to one trace: in our own formats, in RM-R1's, or as a chat with a judge.

The comparison that a row shows is taken over, not its prompt: a model learns the trace behind our own prompt. What the
row says of the better answer is the label; only where it says nothing the reply's own verdict stands for it, and then
that it is right shows nothing.
"""

import re
from enum import IntEnum
from typing import Any, NamedTuple

from pydantic import ValidationError

from reasrm.datasets.judged_rows import JudgedRow, is_judged_row, judged_row
from reasrm.datasets.origins import NOT_STATED
from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, names, quoted
from reasrm.datasets.turns import with_written_turns
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.jsonl import explain
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import KeptTrace, OracleTrace, RejectedTrace, TraceOutcome, TracePass

_HINT = re.compile(r"correct verdict is \[\[[AB]\]\]|right verdict for this client is known: [AB]\b")
"""How a prompt of the second pass gives the verdict away: RM-R1's (generate_OpenAI_Second_Time.py), and ours."""


class RowKind(IntEnum):
    """Which of several rows about one pair is taken: the lower one."""

    TRACE = 0
    """As an oracle's pass of ours wrote it (`first.jsonl`), or another's."""
    FILTERED = 1
    """As our filter wrote it (`kept.jsonl`, `rejected.jsonl`): the same trace once more, with less or more said."""


class ReadTrace(NamedTuple):
    """What a row gives."""

    trace: OracleTrace
    kind: RowKind
    labelled: bool
    """False if the reply's own verdict stands for the label."""


def read_trace(row: Any, source: str, origin: str, model: str) -> ReadTrace:
    """The trace in a row.

    Args:
        row: the row.
        source: where its pair is from, unless the row is of ours and says it.
        origin: where the row is published.
        model: what wrote it, as far as that is known.

    Raises:
        RowRefusedError: it is of no known shape, or cannot be read.
    """
    if not isinstance(row, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a row must be an object, it is {quoted(row)}")
    try:
        return _own(row) or _judged(with_written_turns(row), source, origin, model)
    except ValidationError as error:
        raise RowRefusedError(Refusal.WRONG_TYPE, explain(error)) from error


def _own(row: Row) -> ReadTrace | None:
    """The trace in a row of our own files."""
    if {"pair", "better", "oracle_pass", "outcome"} <= set(row):
        return ReadTrace(OracleTrace.model_validate(row), RowKind.TRACE, labelled=True)
    if {"trace", "reason"} <= set(row):
        return ReadTrace(RejectedTrace.model_validate(row).trace, RowKind.FILTERED, labelled=True)
    if {"comparison", "text", "oracle_pass"} <= set(row):
        return ReadTrace(_of_kept(KeptTrace.model_validate(row)), RowKind.FILTERED, labelled=True)
    return None


def _of_kept(kept: KeptTrace) -> OracleTrace:
    shown = kept.comparison
    answers = {Side.A: shown.response_a, Side.B: shown.response_b}
    pair = PreferencePair(
        prompt=shown.prompt, chosen=answers[shown.better], rejected=answers[shown.better.other], source=kept.source
    )
    return OracleTrace(
        pair=pair,
        better=shown.better,
        oracle_pass=kept.oracle_pass,
        model=NOT_STATED,
        outcome=TraceOutcome.OK,
        text=kept.text,
    )


def _judged(row: Row, source: str, origin: str, model: str) -> ReadTrace:
    """The trace in a row with a judge's prompt and reply."""
    if not is_judged_row(row):
        raise RowRefusedError(
            Refusal.UNKNOWN_FORMAT,
            f"neither a trace of ours nor a judge's prompt and reply; the fields are {names(row)}",
        )
    judged = judged_row(row)
    reply = judged.reply
    if reply is None:
        raise RowRefusedError(Refusal.MISSING_FIELD, f"no reply of a judge; the fields are {names(row)}")
    better = judged.better or _verdict_of(reply)
    hinted = _HINT.search(judged.shown.behind) is not None
    trace = OracleTrace(
        pair=_pair(judged, better, source),
        better=better,
        oracle_pass=TracePass.SECOND if hinted else TracePass.FIRST,
        model=model,
        outcome=TraceOutcome.OK if reply.strip() else TraceOutcome.EMPTY,
        text=reply,
        origin=origin,
    )
    return ReadTrace(trace, RowKind.TRACE, labelled=judged.better is not None)


def _verdict_of(reply: str) -> Side:
    verdict = read_verdict(reply)
    if not isinstance(verdict, Verdict):
        raise RowRefusedError(
            Refusal.MISSING_FIELD, f"nothing says which answer is better: no label, no verdict in the reply ({verdict})"
        )
    return verdict.side


def _pair(judged: JudgedRow, better: Side, source: str) -> PreferencePair:
    shown = judged.shown
    answers = {Side.A: shown.response_a, Side.B: shown.response_b}
    empty = [name for name, text in (("question", shown.prompt[-1].content), *answers.items()) if not text.strip()]
    if empty:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"there is nothing in {', '.join(empty)}")
    if answers[Side.A].strip() == answers[Side.B].strip():
        raise RowRefusedError(Refusal.IDENTICAL, "both answers are the same")
    return PreferencePair(prompt=shown.prompt, chosen=answers[better], rejected=answers[better.other], source=source)
