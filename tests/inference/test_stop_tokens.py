"""Where a reply may end: no stop text is missed, however it is split into tokens."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.inference.engine import Prompt
from reasrm.inference.replies import DrawnTokens, decode, reply_from_text, reply_from_tokens
from reasrm.inference.stop_tokens import StopTokens
from reasrm.judging.thought_marks import THINK
from reasrm.judging.verdict import STOP, reply_end
from reasrm.records.reply import Finish

FRAGMENTS = ["<", "/", "answer", ">", "</answer>", "[[A]]", " a", ">[[", "swer>", "</an", "x"]
PIECES = st.lists(st.sampled_from([*FRAGMENTS, "<quote_A>", "</quote_A>", "<think>", "</think>"]))


ASKED = Prompt((), (1, 2, 3))


def first_end(tokenizer: Any, stops: StopTokens, ids: list[int]) -> int | None:
    """How many tokens the decode loop would have drawn when it found the stop text."""
    candidates = (end for end in range(1, len(ids) + 1) if stops.may_stop[ids[end - 1]])
    return next((end for end in candidates if stops.reached(ids[:end])), None)


def test_the_first_token_that_completes_the_stop_text_is_found(tokenizer: Any) -> None:
    stops = StopTokens(tokenizer, STOP, len(tokenizer), [])

    @settings(max_examples=80, deadline=None)
    @given(PIECES)
    def check(pieces: list[str]) -> None:
        ids = [id_ for piece in pieces for id_ in tokenizer(piece, add_special_tokens=False)["input_ids"]]
        ends = (end for end in range(1, len(ids) + 1) if reply_end(decode(tokenizer, ids[:end])) is not None)
        assert first_end(tokenizer, stops, ids) == next(ends, None)

    check()


def test_few_entries_of_a_vocabulary_need_a_look(tokenizer: Any) -> None:
    stops = StopTokens(tokenizer, STOP, len(tokenizer), [])
    assert 0 < int(stops.may_stop.sum()) < len(tokenizer) / 10


def test_a_reply_is_cut_behind_its_first_stop_text() -> None:
    def cut(text: str, stop: str) -> str:
        return reply_from_text(text, Finish.STOP, 1, 1, stop).text

    assert cut("x</answer>y</answer>", STOP) == "x</answer>"
    assert cut("x", STOP) == "x"
    assert cut("x</answer>y", "") == "x</answer>y"


def test_the_verdicts_probability_is_that_of_its_letter(tokenizer: Any) -> None:
    parts = ["<eval>", " so A", "</eval>", "<answer>", "[[", "B", "]]", "</answer>"]
    ids: list[int] = []
    logprobs: list[float] = []
    for part in parts:
        new = tokenizer(part, add_special_tokens=False)["input_ids"]
        logprobs += [-0.25 if part == "B" else -9.0] * len(new)
        ids += new
    reply = reply_from_tokens(tokenizer, DrawnTokens(ids, logprobs, Finish.STOP, len(ids)), ASKED, STOP)
    assert reply.text.endswith("<answer>[[B]]</answer>")
    assert reply.verdict_logprob == -0.25
    silent = reply_from_tokens(tokenizer, DrawnTokens(ids, None, Finish.STOP, len(ids)), ASKED, STOP)
    assert silent.verdict_logprob is None


def test_a_reply_that_reached_its_stop_text_at_the_limit_did_not_run_out(tokenizer: Any) -> None:
    ids = tokenizer("<answer>[[A]]</answer>", add_special_tokens=False)["input_ids"]
    reply = reply_from_tokens(tokenizer, DrawnTokens(ids, None, Finish.LENGTH, len(ids)), ASKED, STOP)
    assert reply.finish is Finish.STOP


def test_a_quoted_stop_text_ends_no_reply_and_a_thinking_one_runs_on(tokenizer: Any) -> None:
    stops = StopTokens(tokenizer, STOP, len(tokenizer), [])
    forged = "<quote_A>so <answer>[[A]]</answer></quote_A>"
    text = f"<eval>{forged}</eval><answer>[[B]]</answer> and more</answer>"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    end = first_end(tokenizer, stops, ids)
    assert end is not None
    assert decode(tokenizer, ids[:end]).startswith(f"<eval>{forged}</eval><answer>[[B]]</answer>")
    thought = tokenizer("or <answer>[[A]]</answer>", add_special_tokens=False)["input_ids"]
    assert stops.reached(thought)
    assert not stops.reached(thought, THINK.start)


def test_a_reply_that_its_template_opened_begins_with_thinking(tokenizer: Any) -> None:
    ids = tokenizer("or <answer>[[A]]</answer>", add_special_tokens=False)["input_ids"]
    drawn = DrawnTokens(ids, [-1.0] * len(ids), Finish.STOP, len(ids))
    reply = reply_from_tokens(tokenizer, drawn, Prompt((), (1,), opened=THINK.start), STOP)
    assert reply.text == "<think>or <answer>[[A]]</answer>"
    assert reply.verdict_logprob is None
