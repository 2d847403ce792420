"""Turns as data sets write them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.datasets.turns import turns, with_written_turns
from reasrm.records.pair import Role


def _said(*contents: Any) -> list[str]:
    return [turn.content for turn in turns([{"role": "user", "content": content} for content in contents], "prompt")]


def test_parts_that_are_text_are_joined() -> None:
    parts = [{"type": "text", "text": "Look:"}, {"type": "input_text", "text": "this"}, "and that", {"text": "too"}]
    assert _said("plain", parts) == ["plain", "Look:\nthis\nand that\ntoo"]
    assert _said([{"type": "text", "text": "as Arena has it", "image": None, "mimeType": None}]) == ["as Arena has it"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([{"type": "image_url", "image_url": {"url": "x"}}], Refusal.NO_TEXT),
        ([{"type": "text", "text": "see", "image": {"bytes": "x"}}], Refusal.NO_TEXT),
        ([{"type": "tool_result", "content": "42"}], Refusal.NO_TEXT),
        ([{"type": ["text"], "text": "x"}], Refusal.NO_TEXT),
        ([7], Refusal.NO_TEXT),
        ([], Refusal.WRONG_TYPE),
        (None, Refusal.WRONG_TYPE),
        ({"text": "x"}, Refusal.WRONG_TYPE),
    ],
)
def test_what_is_no_text_refuses_the_row(content: Any, reason: Refusal) -> None:
    with pytest.raises(RowRefusedError) as refused:
        _said(content)
    assert refused.value.reason is reason


@pytest.mark.parametrize("role", ["tool", "function", "ipython", "observation", "function_call"])
def test_tools_are_named(role: str) -> None:
    with pytest.raises(RowRefusedError, match=role) as refused:
        turns([{"role": role, "content": "42"}], "prompt")
    assert refused.value.reason is Refusal.NO_TEXT


@pytest.mark.parametrize("turn", [7, {}, {"role": "user"}, {"role": ["user"], "content": "x"}, {"from": "human"}, "x"])
def test_what_is_no_turn_is_refused(turn: Any) -> None:
    with pytest.raises(RowRefusedError):
        turns([turn], "prompt")


@pytest.mark.parametrize("role", ["USER", "Human", "prompter", "user"])
def test_roles_are_compared_without_case(role: str) -> None:
    assert turns([{"role": role, "content": "q"}], "prompt")[0].role is Role.USER


def test_a_table_has_the_keys_of_both_kinds_of_turns() -> None:
    turn = {"from": None, "value": None, "role": "user", "content": "q"}
    sharegpt = {"from": "human", "value": "q", "role": None, "content": None}
    assert turns([turn], "prompt") == turns([sharegpt], "prompt")


_TURN = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": st.text()})


@given(found=st.lists(_TURN, min_size=1, max_size=4))
def test_turns_written_as_text_are_turns(found: list[dict[str, str]]) -> None:
    for written in (json.dumps(found), json.dumps(found, indent=1, ensure_ascii=False), repr(found), f" {found!r}\n"):
        row = {"chosen": written, "rejected": written, "prompt": "[{'role': why?"}
        assert with_written_turns(row) == {"chosen": found, "rejected": found, "prompt": "[{'role': why?"}


def test_an_answer_that_quotes_turns_is_an_answer() -> None:
    row = {"chosen": '[{"role": "user", "content": "q"}]', "rejected": "I cannot write turns."}
    assert with_written_turns(row) == row


@pytest.mark.parametrize("broken", ["[{'role': 'user', 'content': 'q'}\n {'role': 'x'}]", "[{'role': open('x')}]"])
def test_turns_that_cannot_be_read_from_a_text_refuse_the_row(broken: str) -> None:
    with pytest.raises(RowRefusedError, match="save them as JSON"):
        with_written_turns({"prompt": broken})
