"""What a row says in fields that its format does not read: nothing of it may be lost where it bears on the preference.

A system prompt in a field of its own is put before the conversation, whatever the format. Anything else that may be a
part of the question (`QUESTION_FIELDS`) must occur in the pair, else the row is refused: without it, it is another
question. What the answers were given besides text (images, tools, documents) refuses the row. Scores of the two answers
and a marked tie must not contradict the preference.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, finite, names, normalised, quoted
from reasrm.datasets.turns import ROLES, Turns, with_system
from reasrm.records.pair import Role

SYSTEM_FIELDS = ("system", "system_prompt", "system_message")
QUESTION_FIELDS = ("prompt", "messages", "question", "instruction", "input", "conversation", "conversations", "context",
                   "history", "query", "trajectory")  # fmt: skip
"""Fields that may hold a question: where one is there, even empty, a prompt is not looked for in the answers."""
QUESTION_PARTS = (*QUESTION_FIELDS, "initial_reason_steps", "article", "document", "passage")
"""Fields that hold a question or something that it is about."""
NOT_TEXT = ("image", "images", "video", "videos", "audio", "audios", "tools", "functions", "documents")
"""Fields of what the answers were given and a judge of texts cannot be shown."""
_WORTH = {"score", "rating", "reward"}
_OF_WHAT = {"chosen", "avg", "average", "mean", "overall", "total", "final", "rm", "model", "quality", "preference"}
_EMPTY = ("", "[]", "{}", "null", "None")
"""How tables of text write that there is nothing."""


def require_text_only(row: Row) -> None:
    """Do nothing if the answers were given text alone.

    Raises:
        RowRefusedError: the row has more.
    """
    if shown := [field for field in NOT_TEXT if not _is_nothing(row.get(field))]:
        raise RowRefusedError(Refusal.NO_TEXT, f"the row comes with more than text, in {names(shown)}")


def require_agreeing_scores(row: Row) -> None:
    """Do nothing if what the row says about its two answers, as far as it can be read, prefers the chosen one too.

    Scores are two fields with the names `chosen` and `rejected` in them that are the same otherwise (`score_chosen` and
    `score_rejected`, `chosen_avg_rating` and `rejected_avg_rating`; not `chosen_toxicity_score`, of which less is
    better, nor `chosen_score_std`). Argilla marks ties (`status`) and gives both ratings in a list (`rating`) whose
    order may be another.

    Raises:
        RowRefusedError: the answers are worth the same, or the rejected one is worth more.
    """
    for better, value in row.items():
        words = set(re.split(r"[-_. ]", better))
        if "chosen" not in words or not words & _WORTH or words - _WORTH - _OF_WHAT:
            continue
        worse = better.replace("chosen", "rejected")
        high, low = finite(value), finite(row.get(worse))
        if high is None or low is None or high > low:
            continue
        if high == low:
            raise RowRefusedError(Refusal.TIE, f"`{better}` and `{worse}` are both {high:g}")
        raise RowRefusedError(Refusal.CONTRADICTORY, f"`{better}` {high:g} is less than `{worse}` {low:g}")
    rating = row.get("rating")
    equal = isinstance(rating, list) and len(rating) == 2 and finite(rating[0]) == finite(rating[1]) is not None
    if equal or row.get("status") == "tie":
        raise RowRefusedError(Refusal.TIE, f"`rating` is {quoted(rating)}, `status` is {quoted(row.get('status'))}")
    margin = finite(row.get("margin"))
    if margin is not None and margin < 0:
        raise RowRefusedError(Refusal.CONTRADICTORY, f"`margin` {margin:g} is below 0")


def with_system_of(row: Row, prompt: Turns) -> Turns:
    """The conversation after the system prompt in a field of the row.

    Raises:
        RowRefusedError: such a field holds no text, or the conversation has another system turn.
    """
    for field in SYSTEM_FIELDS:
        if not _is_nothing(row.get(field)):
            prompt = with_system(row[field], field, prompt)
    return prompt


def require_whole_question(row: Row, read: set[str], said: list[str]) -> None:
    """Do nothing if every part of the question is in the pair: a text in its texts, a turn as one of its turns.

    Args:
        row: the row.
        read: the fields that were read.
        said: the texts of the pair.

    Raises:
        RowRefusedError: a field that was not read holds something else.
    """
    there: list[str] = []
    for field in QUESTION_PARTS:
        value = row.get(field)
        parts = [] if field in read else [normalised(part) for part in _asked_in(value)]
        there = there or [normalised(text) for text in said if parts]
        known = " ".join(there) if isinstance(value, str) else ["", *there]
        if lost := next((part for part in parts if part not in known), None):
            raise RowRefusedError(
                Refusal.WRONG_SHAPE, f"`{field}` is not read, and what it says is not in the question: {quoted(lost)}"
            )


def _is_nothing(value: Any) -> bool:
    """Whether there is nothing, as data sets and tables write it: null, NaN (pandas), empty, or a text that says so."""
    if isinstance(value, str):
        return len(value) < 9 and value.strip() in _EMPTY
    return not value or value != value


def _asked_in(value: Any) -> Iterator[str]:
    """The texts in a value, of turns those that are not the assistant's."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        role = value.get("from") or value.get("role")
        if not isinstance(role, str) or ROLES.get(role.lower()) is not Role.ASSISTANT:
            for key in ("value", "content", "text", "input"):
                yield from _asked_in(value.get(key))
    elif isinstance(value, list):
        for entry in value:
            yield from _asked_in(entry)
