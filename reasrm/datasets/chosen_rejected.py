"""Rows that say themselves which answer is the better one (`chosen`, `rejected`): how they are read.

An answer is a text, one turn, the turns that follow the prompt, or the whole conversation with the answer last. A
prompt that is given beside whole conversations must be theirs.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from reasrm.datasets.dialogue_text import hh_dialogue, hh_prompt, is_hh_dialogue, shared_text
from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, quoted, required, text, user_turn
from reasrm.datasets.turns import (
    Turns,
    conversation,
    message,
    same_question,
    shared_turns,
    turns,
)
from reasrm.records.pair import Role


class PairTexts(NamedTuple):
    """What a row says."""

    prompt: Turns
    chosen: str
    rejected: str
    source: str = ""
    """Where the row says that it comes from, if that stands for the data set's name."""
    labels: dict[str, str] = {}  # noqa: RUF012  never changed


Reading = Callable[[Row], PairTexts]
"""Reads a row of one format; raises RowRefusedError."""


def with_prompt(field: str) -> Reading:
    """How rows are read whose prompt (text or turns) stands in `field`."""

    def read(row: Row) -> PairTexts:
        prompt = required(row, field)
        if not isinstance(row["chosen"], str):
            return _with_turns(row, field)
        asked = hh_prompt(prompt, field) if isinstance(prompt, str) else _asked(row, field, row["chosen"])
        if whole := _dialogues_after(asked, row):
            return whole
        kept = _labels(row)
        source = row.get("source")
        named = source if isinstance(source, str) else ""
        return PairTexts(asked, row["chosen"], text(row, "rejected"), named, kept)

    return read


def whole_conversations(row: Row) -> PairTexts:
    """Two conversations that differ in their last turn; a row's `source` is the part of the data set it is in."""
    return _with_turns(row, None)


def hh_rlhf(row: Row) -> PairTexts:
    """Two dialogues written as text that differ in their last turn."""
    chosen, rejected = (hh_dialogue(text(row, field), field) for field in ("chosen", "rejected"))
    return PairTexts(*shared_turns(chosen, rejected))


def shared_beginning(row: Row) -> PairTexts:
    """Two texts that begin with the prompt."""
    prompt, chosen, rejected = shared_text(text(row, "chosen"), text(row, "rejected"))
    return PairTexts(user_turn(prompt), chosen, rejected)


def alpaca(row: Row) -> PairTexts:
    """An instruction and what it is about, joined by a newline as LLaMA-Factory does."""
    parts = [text(row, field) for field in ("instruction", "input")]
    asked = user_turn("\n".join(part for part in parts if part))
    return PairTexts(asked, text(row, "chosen"), text(row, "rejected"))


def texts(question: str, chosen: str, rejected: str) -> Reading:
    """How rows are read that hold three texts in these fields."""

    def read(row: Row) -> PairTexts:
        return PairTexts(user_turn(text(row, question)), text(row, chosen), text(row, rejected))

    return read


def openai_fine_tuning(row: Row) -> PairTexts:
    """A request, and the turns with which it is best and not best answered."""
    request = row["input"]
    if not isinstance(request, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`input` must hold messages, it is {quoted(request)}")
    if request.get("tools"):
        raise RowRefusedError(Refusal.NO_TEXT, "`input` offers tools")
    asked = conversation(required(request, "messages"), "input.messages")
    fields = ("preferred_output", "non_preferred_output")
    chosen, rejected = ((*asked, *turns(row[field], field)) for field in fields)
    return PairTexts(*shared_turns(chosen, rejected, fields))


def conversations_in(better: str, worse: str) -> Reading:
    """How rows are read that hold two conversations, which differ in the last turn, in these fields."""
    return lambda row: PairTexts(*shared_turns(turns(row[better], better), turns(row[worse], worse), (better, worse)))


def rejected_beside(field: str) -> Reading:
    """How rows are read that hold a conversation whose last turn is the better answer, and the worse one in `field`."""

    def read(row: Row) -> PairTexts:
        whole = turns(row["messages"], "messages")
        before, chosen, _ = shared_turns(whole, whole)
        worse = row[field] if isinstance(row[field], str) else message(row[field], field).content
        return PairTexts(before, chosen, worse)

    return read


def _with_turns(row: Row, field: str | None) -> PairTexts:
    """Answers that are turns: those after the prompt, or the whole conversation."""
    chosen, rejected = _answer(row, "chosen"), _answer(row, "rejected")
    if chosen[0].role is Role.ASSISTANT:
        if field is None:
            raise RowRefusedError(Refusal.MISSING_FIELD, "no prompt: `chosen` begins with the answer")
        asked = _asked(row, field, chosen[-1].content)
        chosen, rejected = (*asked, *chosen), (*asked, *rejected)
        field = None
    before, better, worse = shared_turns(chosen, rejected)
    if field is not None:
        _require_same_prompt(row[field], field, before, (chosen, rejected))
    return PairTexts(before, better, worse)


def _answer(row: Row, field: str) -> Turns:
    value = required(row, field)
    if not isinstance(value, dict | list):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a text or turns, it is {quoted(value)}")
    return (message(value, field),) if isinstance(value, dict) else turns(value, field)


def _dialogues_after(asked: Turns, row: Row) -> PairTexts | None:
    """The pair, if both answers are hh-rlhf's dialogues from the first turn on, and the prompt is what they answer."""
    if not (is_hh_dialogue(row["chosen"]) and is_hh_dialogue(row["rejected"])):
        return None
    try:
        whole = hh_rlhf(row)
    except RowRefusedError:  # answers that begin with "Human:" themselves
        return None
    before = [one.content.strip() for one in whole.prompt]
    questions = [one.content.strip() for one in asked]
    return whole if questions == before or (len(questions) == 1 and questions[0] in (before[0], before[-1])) else None


def _asked(row: Row, field: str, answer: str) -> Turns:
    """The prompt; where the field holds the chosen conversation whole (`messages`), what is before its answer."""
    given = row[field]
    if isinstance(given, str):
        return hh_prompt(given, field)
    asked = turns(given, field)
    if len(asked) > 1 and asked[-1].role is Role.ASSISTANT and asked[-1].content == answer:
        return asked[:-1]
    return conversation(given, field)


def _require_same_prompt(given: Any, field: str, before: Turns, wholes: tuple[Turns, Turns]) -> None:
    """Do nothing if a prompt beside whole conversations is theirs, or a text that says nothing."""
    if isinstance(given, str):
        if not given.strip():
            return
        asked = hh_prompt(given, field)
        same = same_question(given, before) or asked == before
    else:
        asked = turns(given, field)
        system_apart = tuple(one for one in before if one.role is not Role.SYSTEM)
        same = asked in (before, system_apart, wholes[0])
    if not same:
        raise RowRefusedError(Refusal.CONTRADICTORY, f"`{field}` is not what `chosen` and `rejected` answer")


def _labels(row: Row) -> dict[str, str]:
    """The labels of a pair of our own."""
    labels = row.get("labels")
    return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}
