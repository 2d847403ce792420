"""Where a reply may end: no stop text is missed, whichever way the tokens fall."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stages.inference.replies import DrawnTokens, cut_at, decode, reply_from_tokens
from stages.inference.stop_tokens import StopTokens
from stages.judging.verdict import STOP
from stages.records.reply import Finish

PIECES = st.lists(st.sampled_from(["<", "/", "answer", ">", "</answer>", "[[A]]", " a", ">[[", "swer>", "</an", "x"]))


def first_end(tokenizer: Any, stops: StopTokens, ids: list[int]) -> int | None:
    """How many tokens the decode loop would have drawn when it found the stop text."""
    looks = (end for end in range(1, len(ids) + 1) if stops.may_stop[ids[end - 1]])
    return next((end for end in looks if stops.reached(ids[:end])), None)


def test_the_first_token_that_completes_the_stop_text_is_found(tokenizer: Any) -> None:
    stops = StopTokens(tokenizer, STOP, len(tokenizer), [])

    @settings(max_examples=80, deadline=None)
    @given(PIECES)
    def law(pieces: list[str]) -> None:
        ids = [id_ for piece in pieces for id_ in tokenizer(piece, add_special_tokens=False)["input_ids"]]
        ends = (end for end in range(1, len(ids) + 1) if STOP in decode(tokenizer, ids[:end]))
        assert first_end(tokenizer, stops, ids) == next(ends, None)

    law()


def test_few_entries_of_a_vocabulary_need_a_look(tokenizer: Any) -> None:
    stops = StopTokens(tokenizer, STOP, len(tokenizer), [])
    assert 0 < int(stops.may_stop.sum()) < len(tokenizer) / 10


def test_a_reply_is_cut_behind_its_first_stop_text() -> None:
    assert cut_at("x</answer>y</answer>", STOP) == "x</answer>"
    assert cut_at("x", STOP) == "x"
    assert cut_at("x</answer>y", "") == "x</answer>y"


def test_the_verdicts_probability_is_that_of_its_letter(tokenizer: Any) -> None:
    parts = ["<eval>", " so A", "</eval>", "<answer>", "[[", "B", "]]", "</answer>"]
    ids: list[int] = []
    logprobs: list[float] = []
    for part in parts:
        new = tokenizer(part, add_special_tokens=False)["input_ids"]
        logprobs += [-0.25 if part == "B" else -9.0] * len(new)
        ids += new
    reply = reply_from_tokens(tokenizer, DrawnTokens(ids, logprobs, Finish.STOP, len(ids)), 3, STOP)
    assert reply.text.endswith("<answer>[[B]]</answer>")
    assert reply.verdict_logprob == -0.25
    silent = reply_from_tokens(tokenizer, DrawnTokens(ids, None, Finish.STOP, len(ids)), 3, STOP)
    assert silent.verdict_logprob is None


def test_a_reply_that_reached_its_stop_text_at_the_limit_did_not_run_out(tokenizer: Any) -> None:
    ids = tokenizer("<answer>[[A]]</answer>", add_special_tokens=False)["input_ids"]
    reply = reply_from_tokens(tokenizer, DrawnTokens(ids, None, Finish.LENGTH, len(ids)), 3, STOP)
    assert reply.finish is Finish.STOP
