"""Replies of each protocol are read, odd ones too: what was paid is recorded, what is broken is said to be."""

import json

import pytest

from reasrm.apis.anthropic_messages import MESSAGE as MESSAGE_FORMAT
from reasrm.apis.api_reply import NOTHING_USED
from reasrm.apis.openai_chat import CHAT_COMPLETION
from reasrm.apis.reply_format import BrokenReplyError, parsed
from reasrm.records.trace import TraceOutcome

MESSAGE = {
    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}],
    "stop_reason": "end_turn",
    "model": "m",
    "usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": None},
}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, TraceOutcome.OK),
        ({"stop_reason": "max_tokens"}, TraceOutcome.TRUNCATED),
        ({"stop_reason": "model_context_window_exceeded"}, TraceOutcome.TRUNCATED),
        ({"stop_reason": "refusal", "content": []}, TraceOutcome.REFUSED),
        ({"content": []}, TraceOutcome.EMPTY),
        ({"content": [{"type": "text", "text": " \n"}]}, TraceOutcome.EMPTY),
    ],
)
def test_anthropic_messages_are_read(changes: dict[str, object], outcome: TraceOutcome) -> None:
    answer = MESSAGE_FORMAT.read(MESSAGE | changes, "req")
    assert (answer.outcome, answer.usage.prompt_tokens) == (outcome, 5)


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in MESSAGE.items() if key != name}


ODD_USAGES = [
    None,
    {},
    [],
    5,
    *({"input_tokens": 5, "output_tokens": odd} for odd in (None, "2", 2.0, True, -1, 10**12)),
]


@pytest.mark.parametrize(
    "body", [[], "x", None, {}, without("usage"), *(MESSAGE | {"usage": usage} for usage in ODD_USAGES)]
)
def test_what_is_no_message_is_broken(body: object) -> None:
    with pytest.raises(BrokenReplyError):
        MESSAGE_FORMAT.read(body, "")


def completion(finish: str = "stop", content: object = "yes", refusal: str | None = None) -> dict[str, object]:
    return {
        "model": "m",
        "choices": [{"finish_reason": finish, "message": {"content": content, "refusal": refusal}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
    }


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (completion(), TraceOutcome.OK),
        (completion(finish="length"), TraceOutcome.TRUNCATED),
        (completion(finish="content_filter", content=None), TraceOutcome.REFUSED),
        (completion(content=None, refusal="no"), TraceOutcome.REFUSED),
        (completion(content=None), TraceOutcome.EMPTY),
    ],
)
def test_openai_completions_are_read(body: dict[str, object], outcome: TraceOutcome) -> None:
    answer = CHAT_COMPLETION.read(body, "req")
    assert (answer.outcome, answer.usage.input_tokens, answer.usage.cache_read_tokens) == (outcome, 5, 4)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (MESSAGE | {"stop_reason": "tool_use"}, "'tool_use'"),
        (MESSAGE | {"stop_reason": "pause_turn"}, "'pause_turn'"),
        (MESSAGE | {"stop_reason": None}, "None"),
        (MESSAGE | {"stop_reason": ["end_turn"]}, "unhashable"),
        (MESSAGE | {"content": None}, "not a whole Message"),
        (MESSAGE | {"content": [{"type": "text", "text": 5}]}, "not a whole Message"),
        (without("content"), "not a whole Message"),
    ],
)
def test_an_odd_reply_that_was_paid_is_booked_and_given_up_with_its_reason(body: dict[str, object], said: str) -> None:
    answer = MESSAGE_FORMAT.read(body, "req")
    assert (answer.outcome, answer.usage.prompt_tokens, answer.usage.output_tokens) == (TraceOutcome.GAVE_UP, 5, 2)
    assert said in answer.detail
    assert answer.is_odd
    assert not answer.asked_again


def test_a_reply_in_parts_is_their_text() -> None:
    parts = [{"type": "text", "text": "y"}, {"type": "other"}, {"type": "text", "text": "es"}]
    answer = CHAT_COMPLETION.read(completion(finish="length", content=parts), "req")
    assert (answer.outcome, answer.text) == (TraceOutcome.TRUNCATED, "yes")
    refused = CHAT_COMPLETION.read(completion(content=[{"type": "refusal", "refusal": "no"}]), "req")
    assert refused.outcome is TraceOutcome.REFUSED
    for odd in (5, {"text": "yes"}, [5], [{"text": "yes"}]):
        assert CHAT_COMPLETION.read(completion(content=odd), "req").outcome is TraceOutcome.GAVE_UP


def test_a_null_finish_reason_of_a_completion_is_a_whole_reply() -> None:
    """SGLang and llama.cpp write it."""
    body = completion()
    body["choices"][0]["finish_reason"] = None  # type: ignore[index]
    assert CHAT_COMPLETION.read(body, "").outcome is TraceOutcome.OK


@pytest.mark.parametrize("usage", ODD_USAGES)
def test_where_no_usage_is_needed_a_reply_without_it_is_whole(usage: object) -> None:
    reply = MESSAGE_FORMAT.read(MESSAGE | {"usage": usage}, "", needs_usage=False)
    assert (reply.outcome, reply.text, reply.usage) == (TraceOutcome.OK, "yes", NOTHING_USED)


@pytest.mark.parametrize("body", [[], "x", None, {}, {"usage": {}, "content": None}])
def test_what_has_neither_usage_nor_content_is_broken_for_all(body: object) -> None:
    with pytest.raises(BrokenReplyError):
        MESSAGE_FORMAT.read(body, "", needs_usage=False)


@pytest.mark.parametrize("logprob", ["null", "NaN", "Infinity", "-Infinity", '"no"', "true"])
def test_a_log_probability_that_is_no_number_is_unknown(logprob: str) -> None:
    first = f'{{"token": "y", "logprob": {logprob}}}'
    second = '{"token": "es", "bytes": [101, 115], "logprob": -0.5}'
    logprobs = f'"logprobs": {{"content": [{first}, {second}]}}, "finish_reason"'
    text = json.dumps(completion()).replace('"finish_reason"', logprobs)
    reply = CHAT_COMPLETION.read(parsed(text.encode(), str), "")
    assert reply.text == "yes"
    assert reply.token_logprobs == ((b"y", None), (b"es", -0.5))


@pytest.mark.parametrize("tokens", [5, [5], [{}], [{"token": 5}], [{"token": "y", "bytes": [300]}]])
def test_log_probabilities_that_cannot_be_read_leave_the_reply_whole(tokens: object) -> None:
    body = completion()
    body["choices"][0]["logprobs"] = {"content": tokens}  # type: ignore[index]
    reply = CHAT_COMPLETION.read(body, "")
    assert (reply.outcome, reply.token_logprobs) == (TraceOutcome.OK, ())


def test_a_page_in_place_of_json_is_shown_by_its_beginning_without_keys() -> None:
    with pytest.raises(BrokenReplyError, match=r"it begins with '<html>\[key\]"):
        parsed(b"<html>canary-4711 " + b"x" * 200, lambda text: text.replace("canary-4711", "[key]"))
