"""Turns as data sets write them."""

from typing import Any

import pytest

from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.datasets.turns import turns


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
