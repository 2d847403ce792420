"""Rows that hold a judge's rendered prompt, with the label, the judge's reply, or both.

Known shapes, and where each is from:

- RM-R1's pairs, `context_messages` (system and user turn) and `winner` (`model_a`, `model_b`): the cards of
  gaotang/RM-R1-after-Distill-RLVR and RM-R1-Entire-RLVR-Train, and the script that makes them, mix_data.py.
- RM-R1's traces, `context_messages`, `winner`, `ground_truth`: the card of gaotang/RM-R1-Distill-SFT names the columns;
  its training script (`--output_key winner`) trains on `winner`. Which of the two holds the label and which the reply
  is read from what stands in them. Its scripts' own intermediate files hold the reply in `sft_response`.
- Chat rows, `messages` or `conversations` that end with the judge's reply; `prompt` and `completion` as TRL has them
  (https://huggingface.co/docs/trl/dataset_formats).
"""

from typing import NamedTuple

from reasrm.datasets.chosen_rejected import PairTexts
from reasrm.datasets.compared_answers import BetterAnswer, preferred_pair
from reasrm.datasets.judge_prompts import ShownAnswers, read_judge_prompt
from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, names, quoted
from reasrm.datasets.turns import Turns, turns
from reasrm.records.comparison import Side
from reasrm.records.pair import Role

PROMPTS = ("context_messages", "messages", "conversations", "prompt")
"""Fields that may hold the prompt; the first that is there does."""
LABELLED = ("winner", "ground_truth", "label")
"""Fields that may hold the label."""
REPLIES = ("winner", "ground_truth", "sft_response", "completion", "response")
"""Fields that may hold the reply."""
_SIDES = {
    written: side
    for side in Side
    for written in (
        f"model_{side}".lower(),
        side.lower(),
        f"[[{side}]]".lower(),
        f"<answer>[[{side}]]</answer>".lower(),
    )
}
_TIES = {"tie", "tie (bothbad)", "both_bad", "bothbad"}


class JudgedRow(NamedTuple):
    """What such a row says."""

    shown: ShownAnswers
    better: Side | None
    """None if no field says it."""
    reply: str | None
    """None if no field holds one."""


def is_judged_row(row: Row) -> bool:
    """Whether a row holds a list of turns, or a prompt with its completion."""
    field = next((one for one in PROMPTS if row.get(one) is not None), None)
    return field is not None and (field != "prompt" or row.get("completion") is not None)


def judged_row(row: Row) -> JudgedRow:
    """Read a row of any of the shapes above.

    Raises:
        RowRefusedError: its prompt cannot be read, or it says two things at once.
    """
    field = next((one for one in PROMPTS if row.get(one) is not None), None)
    if field is None:
        raise RowRefusedError(Refusal.UNKNOWN_FORMAT, f"no judge's prompt in {names(PROMPTS)}; there are {names(row)}")
    asked, said = _asked(row, field)
    shown = read_judge_prompt(asked)
    replies = {value for one in REPLIES if (value := _reply(row, one)) is not None} | said
    if len(replies) > 1:
        raise RowRefusedError(Refusal.CONTRADICTORY, f"the row holds {len(replies)} different replies of a judge")
    return JudgedRow(shown, _better(row), next(iter(replies), None))


def rm_r1_pair(row: Row) -> PairTexts:
    """The pair in a row of RM-R1, without its reply."""
    judged = judged_row(row)
    if judged.better is None:
        raise RowRefusedError(
            Refusal.MISSING_FIELD, f"neither {names(LABELLED)} says which answer is better (model_a or model_b)"
        )
    better = BetterAnswer.FIRST if judged.better is Side.A else BetterAnswer.SECOND
    return preferred_pair(judged.shown.prompt, (judged.shown.response_a, judged.shown.response_b), better)


def _asked(row: Row, field: str) -> tuple[str, set[str]]:
    """The user's turn with the prompt, and the assistant's, if there is one."""
    value = row[field]
    if field == "prompt" and isinstance(value, str):
        return value, set()
    messages = turns(value, field)
    spoken = [one for one in messages if one.role is not Role.SYSTEM]
    if [one.role for one in spoken] not in ([Role.USER], [Role.USER, Role.ASSISTANT]):
        raise RowRefusedError(
            Refusal.WRONG_SHAPE,
            f"`{field}` must hold one turn of the user and at most one reply, it has {_roles(messages)}",
        )
    return spoken[0].content, {one.content for one in spoken[1:]}


def _roles(messages: Turns) -> str:
    return ", ".join(one.role for one in messages[:6])


def _reply(row: Row, field: str) -> str | None:
    value = row.get(field)
    if field == "completion" and isinstance(value, list):
        said = turns(value, field)
        value = said[0].content if len(said) == 1 else None
    return value if isinstance(value, str) and not _is_label(value) else None


def _is_label(value: str) -> bool:
    written = value.strip().lower() if len(value) < 40 else value
    return written in _SIDES or written in _TIES


def _better(row: Row) -> Side | None:
    """The side that the row's labels name.

    Raises:
        RowRefusedError: a tie, or two labels that differ.
    """
    written = {field: row[field].strip().lower() for field in LABELLED if _labels(row.get(field))}
    if tied := [field for field, value in written.items() if value in _TIES]:
        raise RowRefusedError(Refusal.TIE, f"`{tied[0]}` is {quoted(row[tied[0]])}")
    sides = {field: _SIDES[value] for field, value in written.items()}
    if len(set(sides.values())) > 1:
        said = ", ".join(f"`{field}` says {side}" for field, side in sides.items())
        raise RowRefusedError(Refusal.CONTRADICTORY, f"the labels differ: {said}")
    return next(iter(sides.values()), None)


def _labels(value: object) -> bool:
    return isinstance(value, str) and _is_label(value)
