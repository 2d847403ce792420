"""The probability of a verdict: that of the token which holds its letter, whatever was written or given before it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.inference.engine import Prompt
from reasrm.inference.replies import DrawnTokens, decode, reply_from_tokens
from reasrm.judging.verdict import STOP
from reasrm.records.reply import Finish
from tests.fixtures.tiny_prompts import user

PROSE = st.text(alphabet=st.characters(exclude_characters="<>[]", exclude_categories=("Cs",)), max_size=30)


def judged(tokenizer: Any, text: str, stop: str, head: str = "") -> float | None:
    """The probability found for the reply `head` and `text`; token number n (from 1) has log probability -n."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    drawn = DrawnTokens(ids, [-float(place + 1) for place in range(len(ids))], Finish.STOP, len(ids))
    return reply_from_tokens(tokenizer, drawn, Prompt(user("q"), (1,), begun=head), stop).verdict_logprob


def holding(tokenizer: Any, text: str, place: int) -> float:
    """The same by looking at every token in turn."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return next(-float(count) for count in range(1, len(ids) + 1) if len(decode(tokenizer, ids[:count])) > place)


@settings(deadline=None)
@given(before=PROSE, after=PROSE, side=st.sampled_from("AB"))
def test_it_is_that_of_the_token_with_the_letter(tokenizer: Any, before: str, after: str, side: str) -> None:
    text = f"{before}<answer>[[{side}]]</answer>{after}"
    assert judged(tokenizer, text, STOP) == holding(tokenizer, text, text.index("[[") + 2)
    bare = f"{before} [[{side}]]"
    assert judged(tokenizer, bare, "") == holding(tokenizer, bare, len(bare) - 3)
    assert judged(tokenizer, bare, STOP) is None


@pytest.mark.parametrize("head", ["<think>\nso</think>\n<answer>[[", "é [["])
def test_what_was_given_is_not_counted(tokenizer: Any, head: str) -> None:
    """A judge that is made to decide draws the letter first."""
    assert judged(tokenizer, "A]]</answer>" if "<answer>" in head else "A]]", "", head) == -1.0
    assert judged(tokenizer, " and on", "", head + "A]] <answer>[[A]]</answer>") is None
