"""Rows of preference data sets, in whatever format, to pairs.

Each format that a row is of must be able to read it, and all must read the same pair; else the row is refused: which
one is meant would be a guess. What the row says besides must be in the pair, or bear it out (`other_fields`).
"""

from typing import Any

from reasrm.datasets.chosen_rejected import PairTexts
from reasrm.datasets.dialogue_text import require_no_template
from reasrm.datasets.other_fields import (
    QUESTION_FIELDS,
    require_agreeing_scores,
    require_text_only,
    require_whole_question,
    with_system_of,
)
from reasrm.datasets.preference_formats import ANSWERS, FORMATS, PreferenceFormat, formats_of
from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, names, quoted
from reasrm.datasets.turns import Turns, with_written_turns
from reasrm.records.pair import PreferencePair, Role


def preference_pair(row: Any, source: str) -> PreferencePair:
    """The pair in a row of any of the formats; `source` is where it comes from unless the row says more.

    Raises:
        RowRefusedError: the row is of none of them, cannot be used, or prefers neither answer.
    """
    if not isinstance(row, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a row must be an object, it is {quoted(row)}")
    require_text_only(row)
    row = with_written_turns(row)
    formats = formats_of(row)
    read = _read(row, formats)
    require_agreeing_scores(row)
    prompt = with_system_of(row, read.prompt)
    _require_question(prompt)
    said = [*(one.content for one in prompt), read.chosen, read.rejected]
    require_whole_question(row, {field for one in formats for field in one.fields}, said)
    part = row.get("source")
    labels = {"part": part} if isinstance(part, str) and part and not read.source else {}
    return PreferencePair(
        prompt=prompt,
        chosen=read.chosen,
        rejected=read.rejected,
        source=read.source or source,
        labels=labels | read.labels,
    )


def _require_question(prompt: Turns) -> None:
    if not prompt or prompt[-1].role is not Role.USER:
        raise RowRefusedError(Refusal.WRONG_SHAPE, "the answers do not follow a turn of the user")
    if not prompt[-1].content.strip():
        raise RowRefusedError(Refusal.WRONG_SHAPE, "the question is empty")
    if sum(one.role is not Role.SYSTEM for one in prompt) == 1:
        require_no_template(prompt[-1].content)


def _read(row: Row, formats: list[PreferenceFormat]) -> PairTexts:
    if not formats:
        raise RowRefusedError(Refusal.UNKNOWN_FORMAT, f"the fields are {names(row)}; {_nearest(row)}")
    found = []
    for one in formats:
        try:
            found.append(one.read(row))
        except RowRefusedError as error:
            raise RowRefusedError(error.reason, f"{error.detail} (format {one.name})") from error
    if any(pair[:3] != found[0][:3] for pair in found):
        fitting = " and ".join(one.name for one in formats)
        raise RowRefusedError(Refusal.CONTRADICTORY, f"the row is of the formats {fitting}, which read different pairs")
    return found[0]


def _nearest(row: Row) -> str:
    """What the row lacks of the format that it comes nearest to."""
    lists = {field: value for field, value in row.items() if isinstance(value, list)}
    if rows := [field for field, value in lists.items() if value and isinstance(value[0], dict)]:
        return f"no known format fits; if {names(rows)} holds rows, give that list alone"
    known = ", ".join(QUESTION_FIELDS)
    lacking = [(one.name, [field for field in one.fields if row.get(field) is None], one.fields) for one in FORMATS]
    name, fields, all_fields = min(lacking, key=lambda entry: len(entry[1]) / len(entry[2]))
    if len(all_fields) - len(fields) < 2:
        return f"no known format fits; the usual one has {names(('prompt', *ANSWERS))}"
    if not fields and set(all_fields) == set(ANSWERS):
        return f"`chosen` and `rejected` are there, but the prompt is in no field that is known ({known})"
    if not fields:
        return f"`{'` and `'.join(all_fields)}` are not as format {name} has them"
    return f"the nearest format, {name}, also has {names(fields)}"
