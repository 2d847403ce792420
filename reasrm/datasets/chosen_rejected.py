"""Rows that say themselves which answer is the better one (`chosen`, `rejected`): how they are read.

An answer is a text, one turn, the turns that follow the prompt, or the whole conversation with the answer last. A
prompt that is given beside whole conversations must be theirs, and scores of the answers must not say the opposite.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from reasrm.datasets.dialogue_text import hh_dialogue, hh_prompt, shared_text
from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, finite, quoted, required, text, user_turn
from reasrm.datasets.turns import (
    Turns,
    conversation,
    message,
    same_question,
    shared_turns,
    turns,
    with_system,
)
from reasrm.records.pair import Role

PROMPT_FIELDS = ("prompt", "messages", "question", "instruction", "input", "conversation", "conversations", "context",
                 "history", "query", "system", "trajectory")  # fmt: skip
"""Fields that may hold a question: where one is there, even empty, a prompt is not looked for in the answers."""
SCORES = (
    ("score_chosen", "score_rejected"),
    ("chosen_score", "rejected_score"),
    ("chosen_rating", "rejected_rating"),
    ("rating_chosen", "rating_rejected"),
    ("chosen-rating", "rejected-rating"),
)
"""Fields in which data sets give the scores by which they chose."""


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
        require_agreeing_scores(row)
        _require_no_history(row)
        prompt = required(row, field)
        if not isinstance(row["chosen"], str):
            return _with_turns(row, field)
        asked = hh_prompt(prompt, field) if isinstance(prompt, str) else _asked(row, field)
        kept = _labels(row)
        source = row.get("source")
        named = source if isinstance(source, str) else ""
        return PairTexts(with_system(row.get("system"), asked), row["chosen"], text(row, "rejected"), named, kept)

    return read


def whole_conversations(row: Row) -> PairTexts:
    """Two conversations that differ in their last turn; a row's `source` is the part of the data set it is in."""
    require_agreeing_scores(row)
    return _with_turns(row, None)


def hh_rlhf(row: Row) -> PairTexts:
    """Two dialogues written as text that differ in their last turn."""
    require_agreeing_scores(row)
    both = (hh_dialogue(text(row, field), field) for field in ("chosen", "rejected"))
    return PairTexts(*shared_turns(*both))


def shared_beginning(row: Row) -> PairTexts:
    """Two texts that begin with the prompt."""
    require_agreeing_scores(row)
    prompt, chosen, rejected = shared_text(text(row, "chosen"), text(row, "rejected"))
    return PairTexts(user_turn(prompt), chosen, rejected)


def alpaca(row: Row) -> PairTexts:
    """An instruction and what it is about, joined by a newline as LLaMA-Factory does."""
    require_agreeing_scores(row)
    _require_no_history(row)
    parts = [text(row, field) for field in ("instruction", "input")]
    asked = user_turn("\n".join(part for part in parts if part))
    return PairTexts(with_system(row.get("system"), asked), text(row, "chosen"), text(row, "rejected"))


def texts(question: str, chosen: str, rejected: str) -> Reading:
    """How rows are read that hold three texts in these fields."""

    def read(row: Row) -> PairTexts:
        require_agreeing_scores(row)
        asked = with_system(row.get("system"), user_turn(text(row, question)))
        return PairTexts(asked, text(row, chosen), text(row, rejected))

    return read


def openai_fine_tuning(row: Row) -> PairTexts:
    """A request, and the turns with which it is best and not best answered."""
    request = row["input"]
    if not isinstance(request, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`input` must hold messages, it is {quoted(request)}")
    if request.get("tools"):
        raise RowRefusedError(Refusal.NO_TEXT, "`input` offers tools")
    asked = conversation(required(request, "messages"), "input.messages")
    both = ((*asked, *turns(row[field], field)) for field in ("preferred_output", "non_preferred_output"))
    return PairTexts(*shared_turns(*both))


def rejected_beside(field: str) -> Reading:
    """How rows are read that hold a conversation whose last turn is the better answer, and the worse one in `field`."""

    def read(row: Row) -> PairTexts:
        whole = turns(row["messages"], "messages")
        before, chosen, _ = shared_turns(whole, whole)
        worse = row[field] if isinstance(row[field], str) else message(row[field], field).content
        return PairTexts(with_system(row.get("system"), before), chosen, worse)

    return read


def require_agreeing_scores(row: Row) -> None:
    """Do nothing if the row's scores, as far as they are numbers, prefer the chosen answer too.

    Raises:
        RowRefusedError: they are equal, or prefer the rejected one.
    """
    for better, worse in SCORES:
        high, low = finite(row.get(better)), finite(row.get(worse))
        if high is None or low is None or high > low:
            continue
        if high == low:
            raise RowRefusedError(Refusal.TIE, f"`{better}` and `{worse}` are both {high:g}")
        raise RowRefusedError(Refusal.CONTRADICTORY, f"`{better}` {high:g} is less than `{worse}` {low:g}")


def _with_turns(row: Row, field: str | None) -> PairTexts:
    """Answers that are turns: those after the prompt, or the whole conversation."""
    chosen, rejected = _answer(row, "chosen"), _answer(row, "rejected")
    if chosen[0].role is Role.ASSISTANT:
        if field is None:
            raise RowRefusedError(Refusal.MISSING_FIELD, "no prompt: `chosen` begins with the answer")
        asked = _asked(row, field)
        chosen, rejected = (*asked, *chosen), (*asked, *rejected)
        field = None
    before, better, worse = shared_turns(chosen, rejected)
    if field is not None:
        _require_same_prompt(row[field], field, before, (chosen, rejected))
    part = row.get("source")
    labels = {"part": part} if isinstance(part, str) and part else {}
    return PairTexts(with_system(row.get("system"), before), better, worse, labels=labels)


def _answer(row: Row, field: str) -> Turns:
    value = required(row, field)
    if not isinstance(value, dict | list):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a text or turns, it is {quoted(value)}")
    return (message(value, field),) if isinstance(value, dict) else turns(value, field)


def _asked(row: Row, field: str) -> Turns:
    """The prompt; where the field holds the chosen conversation whole (`messages`), what is before its answer."""
    given = row[field]
    if isinstance(given, str):
        return hh_prompt(given, field)
    asked = turns(given, field)
    if len(asked) > 1 and asked[-1].role is Role.ASSISTANT and asked[-1].content == row["chosen"]:
        return asked[:-1]
    return conversation(given, field)


def _require_same_prompt(given: Any, field: str, before: Turns, wholes: tuple[Turns, Turns]) -> None:
    """Do nothing if a prompt beside whole conversations is theirs."""
    if isinstance(given, str):
        asked = hh_prompt(given, field)
        same = same_question(given, before) or asked == before
    else:
        asked = turns(given, field)
        system_apart = tuple(one for one in before if one.role is not Role.SYSTEM)
        same = asked in (before, system_apart, wholes[0])
    if not same:
        raise RowRefusedError(Refusal.CONTRADICTORY, f"`{field}` is not what `chosen` and `rejected` answer")


def _require_no_history(row: Row) -> None:
    """Do nothing if no earlier turns stand beside the prompt, in the field where Alpaca's users put them."""
    if row.get("history"):
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`history` is not read: {quoted(row['history'])}; give turns")


def _labels(row: Row) -> dict[str, str]:
    """The labels of a pair of our own."""
    labels = row.get("labels")
    return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}
