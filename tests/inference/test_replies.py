"""From drawn tokens to a reply: which special tokens its text shows, where it is cut, where its verdict's letter is."""

from typing import Any

import pytest

from reasrm.inference.api_engine import ApiEngine
from reasrm.inference.engine import Prompt
from reasrm.inference.replies import DrawnTokens, decode, reply_from_text, reply_from_tokens, verdict_letter
from reasrm.inference.served_model import served_model
from reasrm.inference.stop_tokens import StopTokens
from reasrm.judging.verdict import STOP, Unreadable, Verdict, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply


def drawn(tokenizer: Any, text: str, finish: Finish = Finish.STOP) -> Reply:
    """The reply whose tokens are those of `text` and an end of turn; token number n has log probability -n."""
    ids = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    logprobs = [-float(place + 1) for place in range(len(ids))]
    return reply_from_tokens(tokenizer, DrawnTokens(ids, logprobs, finish, len(ids)), Prompt((), (1,)), STOP)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<think>so</think> a", "<think>so</think> a"),
        ("[THINK]so[/THINK] a", "[THINK]so[/THINK] a"),
        (
            "<|channel|>analysis<|message|>so<|start|>assistant<|channel|>final<|message|>a<|return|>",
            "<|channel|>analysis<|message|>soassistant<|channel|>final<|message|>a",
        ),
        ("a<|return|>", "a"),
    ],
)
def test_marks_of_thoughts_stay_in_a_reply_and_other_special_tokens_go(
    thinking_tokenizer: Any, text: str, shown: str
) -> None:
    ids = thinking_tokenizer(text, add_special_tokens=False)["input_ids"]
    assert decode(thinking_tokenizer, [*ids, thinking_tokenizer.eos_token_id]) == shown


def test_a_vocabulary_whose_special_tokens_mark_no_thought_is_decoded_as_by_its_library(tokenizer: Any) -> None:
    ids = list(range(len(tokenizer)))
    assert decode(tokenizer, ids) == tokenizer.decode(ids, skip_special_tokens=True)


def test_a_thought_between_special_tokens_decides_nothing(thinking_tokenizer: Any) -> None:
    rehearsed = "<think>or <answer>[[B]]</answer>"
    reply = drawn(thinking_tokenizer, rehearsed, Finish.LENGTH)
    assert read_verdict(reply.text, reply.finish) is Unreadable.TRUNCATED
    assert reply.verdict_logprob is None
    reply = drawn(thinking_tokenizer, f"{rehearsed}</think><answer>[[A]]</answer>")
    read = read_verdict(reply.text)
    assert isinstance(read, Verdict)
    assert read.side is Side.A
    assert reply.verdict_logprob is not None


@pytest.mark.parametrize(
    "text",
    [
        "so <answer>**[[A]]**</answer>",
        "so <ANSWER>[[a]]</Answer>",
        "<answer>[[ A ]]</answer>",
    ],
)
def test_the_letters_place_is_that_in_the_text_as_written(tokenizer: Any, text: str) -> None:
    reply = drawn(tokenizer, f"{text} and on")
    assert reply.text == text
    letter = verdict_letter(reply, STOP)
    assert letter is not None
    assert reply.text[letter] in "Aa"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    before = next(count for count in range(1, len(ids) + 1) if len(decode(tokenizer, ids[:count])) > letter)
    assert reply.verdict_logprob == -float(before)


@pytest.mark.parametrize("closing", ["</answer>", "</Answer>", "</answer >", "</ans\u200bwer>"])
def test_what_an_engine_draws_behind_a_verdict_undoes_it_nowhere(thinking_tokenizer: Any, closing: str) -> None:
    """Engines know the stop text in different ways, and those that overlook one go on."""
    verdict = f"<answer>[[A]]{closing}"
    reply = drawn(thinking_tokenizer, f"{verdict} no: <think>really?</think> <answer>[[B]]</answer>", Finish.LENGTH)
    assert (reply.text, reply.finish) == (verdict, Finish.STOP)
    thought = drawn(thinking_tokenizer, f"<think>{verdict}</think> <answer>[[B]]</answer>").text
    assert thought.endswith("[[B]]</answer>")


def test_a_reply_stops_at_the_stop_text_in_any_letter_case(tokenizer: Any) -> None:
    stops = StopTokens(tokenizer, STOP, len(tokenizer), [])
    ids = tokenizer("so <Answer>[[A]]</ANSWER> and on", add_special_tokens=False)["input_ids"]
    ends = [end for end in range(1, len(ids) + 1) if stops.may_stop[ids[end - 1]] and stops.reached(ids[:end])]
    assert decode(tokenizer, ids[: ends[0]]).startswith("so <Answer>[[A]]</ANSWER>")
    assert reply_from_text("x</Answer >y", Finish.LENGTH, 1, 1, STOP).text == "x</Answer >"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("so <answer>[[B]]</answer>", "<think>so <answer>[[B]]</answer>"),
        ("so</think>A", "<think>so</think>A"),
        ("so[/THINK]A", "[THINK]so[/THINK]A"),
        ("so</seed:think>A", "<seed:think>so</seed:think>A"),
        ("<think>so</think>A", "<think>so</think>A"),
        ("\n[THINK]so", "\n[THINK]so"),
        ("<|channel|>analysis<|message|>so", "<|channel|>analysis<|message|>so"),
        ("<thinking>so", "<thinking>so"),
        ("", ""),
    ],
)
def test_a_served_models_opened_thought_is_put_back(written: str, read: str) -> None:
    assert ApiEngine(served_model("judge", opens_thinking=True))._whole(written) == read
    assert ApiEngine(served_model("judge"))._whole(written) == written
