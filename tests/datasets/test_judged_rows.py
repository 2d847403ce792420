"""Rows with a judge's prompt: which field is the label, which the reply, and what says two things at once."""

from typing import Any

import pytest

from reasrm.datasets.judged_rows import judged_row, rm_r1_pair
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.records.comparison import Side
from tests.fixtures.rm_r1_prompts import rm_r1_prompt, rm_r1_row

TRACE = "<type>Chat</type> ... <answer>[[A]]</answer>"
USER = {"role": "user", "content": rm_r1_prompt("q", "a", "b")}
SAID = {"role": "assistant", "content": TRACE}


def row(**fields: str) -> dict[str, Any]:
    return rm_r1_row("q", "a", "b", **fields)


@pytest.mark.parametrize(
    ("fields", "better", "reply"),
    [
        (row(winner="model_a"), Side.A, None),
        (row(winner="[[B]]"), Side.B, None),
        (row(winner=TRACE, ground_truth="model_a"), Side.A, TRACE),
        (row(winner="model_b", ground_truth=TRACE), Side.B, TRACE),
        (row(winner="model_a", sft_response=TRACE), Side.A, TRACE),
        (row(winner=TRACE), None, TRACE),
        ({"messages": [USER, SAID]}, None, TRACE),
        (
            {"conversations": [{"from": "human", "value": USER["content"]}, {"from": "gpt", "value": TRACE}]},
            None,
            TRACE,
        ),
        ({"prompt": [USER], "completion": [SAID]}, None, TRACE),
        ({"prompt": USER["content"], "completion": TRACE, "label": "A"}, Side.A, TRACE),
        ({"messages": [USER, SAID], "winner": "model_a", "ground_truth": " Model_A "}, Side.A, TRACE),
    ],
)
def test_label_and_reply_are_told_apart_by_what_they_are(
    fields: dict[str, Any], better: Side | None, reply: str | None
) -> None:
    judged = judged_row(fields)
    assert (judged.better, judged.reply, judged.shown.response_b) == (better, reply, "b")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (row(winner="model_a", ground_truth="model_b"), Refusal.CONTRADICTORY),
        (row(winner=TRACE, sft_response="another <answer>[[B]]</answer>"), Refusal.CONTRADICTORY),
        (row(winner="tie"), Refusal.TIE),
        ({"messages": [USER, SAID, USER, SAID]}, Refusal.WRONG_SHAPE),
        ({"messages": [SAID]}, Refusal.WRONG_SHAPE),
        ({"messages": [{"role": "user", "content": "Hello?"}, SAID]}, Refusal.UNKNOWN_FORMAT),
        ({"text": TRACE}, Refusal.UNKNOWN_FORMAT),
    ],
)
def test_what_is_unclear_is_refused(fields: dict[str, Any], reason: Refusal) -> None:
    with pytest.raises(RowRefusedError) as refused:
        judged_row(fields)
    assert refused.value.reason is reason


def test_a_pair_needs_a_label_of_its_own() -> None:
    assert rm_r1_pair(row(winner=TRACE, ground_truth="model_b"))[1:3] == ("b", "a")
    with pytest.raises(RowRefusedError, match="says which answer is better"):
        rm_r1_pair(row(winner=TRACE))
