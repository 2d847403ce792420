"""Preference rows of the schemas that data sets come in, to pairs.

| schema | fields |
|---|---|
| plain | `prompt` (text) or `messages` / `prompt` (turns), `chosen`, `rejected` (texts) |
| whole conversations (Skywork) | `chosen`, `rejected` (turns; the last is the answer), `source` |
| code (Code-Preference-Pairs) | `input`, `accepted`, `rejected` |
| steps (Math-Step-DPO) | `prompt`, `full_chosen`, `full_rejected`: the whole solutions |
| RMB | `conversation_input`, `chosen`, `reject` (`{llm_name, answer}`) |

A line that is a pair of ours is the plain schema, with its source and labels kept.
"""

from typing import Any

from reasrm.datasets.row_fields import (
    Refusal,
    Row,
    RowRefusedError,
    conversation,
    quoted,
    required,
    text,
    user_turn,
)
from reasrm.records.pair import Message, PreferencePair, Role


def preference_pair(row: Any, source: str) -> PreferencePair:
    """The pair in a row of any of the schemas; `source` is where it comes from unless the row says more.

    Raises:
        RowRefusedError: the row is of none of them.
    """
    if not isinstance(row, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a row must be an object, it is {quoted(row)}")
    if "conversation_input" in row:
        return _rmb(row, source)
    if "accepted" in row:
        return _pair(user_turn(text(row, "input")), text(row, "accepted"), text(row, "rejected"), source)
    if "full_chosen" in row:
        return _pair(user_turn(text(row, "prompt")), text(row, "full_chosen"), text(row, "full_rejected"), source)
    if isinstance(row.get("chosen"), list):
        return _whole_conversations(row, source)
    labels = {str(name): str(value) for name, value in row["labels"].items()} if _is_map(row.get("labels")) else {}
    return _pair(_prompt(row), text(row, "chosen"), text(row, "rejected"), str(row.get("source", source)), labels)


def _pair(
    prompt: tuple[Message, ...], chosen: str, rejected: str, source: str, labels: dict[str, str] | None = None
) -> PreferencePair:
    return PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected, source=source, labels=labels or {})


def _rmb(row: Row, source: str) -> PreferencePair:
    answers = []
    for field in ("chosen", "reject"):
        answer = required(row, field)
        if not _is_map(answer):
            raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be {{llm_name, answer}}, it is {quoted(answer)}")
        answers.append(text(answer, "answer"))
    prompt = conversation(row["conversation_input"], "conversation_input")
    return _pair(prompt, answers[0], answers[1], source, {"category": text(row, "category_path")})


def _whole_conversations(row: Row, source: str) -> PreferencePair:
    """Two conversations that differ in their last turn."""
    chosen, rejected = _turns(row, "chosen"), _turns(row, "rejected")
    if chosen[:-1] != rejected[:-1]:
        raise RowRefusedError(Refusal.WRONG_SHAPE, "`chosen` and `rejected` differ before their last turn")
    for turns in (chosen, rejected):
        if turns[-1].get("role") != Role.ASSISTANT.value:
            raise RowRefusedError(
                Refusal.WRONG_SHAPE, "the last turn of `chosen` and `rejected` must be the assistant's"
            )
    prompt = conversation(chosen[:-1], "chosen")
    part = str(row["source"]) if row.get("source") else ""
    return _pair(
        prompt, text(chosen[-1], "content"), text(rejected[-1], "content"), source, {"part": part} if part else {}
    )


def _turns(row: Row, field: str) -> list[dict[str, Any]]:
    turns = required(row, field)
    if not isinstance(turns, list) or len(turns) < 2 or not all(_is_map(turn) for turn in turns):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a conversation, it is {quoted(turns)}")
    return turns


def _prompt(row: Row) -> tuple[Message, ...]:
    given = row.get("messages", row.get("prompt"))
    if isinstance(given, str):
        return user_turn(given)
    return conversation(given, "messages" if "messages" in row else "prompt")


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)
