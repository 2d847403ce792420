"""Replies of each protocol are read, odd ones too: what was paid is recorded, what is broken is said to be."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reasrm.apis.anthropic_messages import MESSAGE as MESSAGE_FORMAT
from reasrm.apis.api_reply import NOTHING_USED
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.json_documents import parsed
from reasrm.apis.openai_chat import CHAT_COMPLETION
from reasrm.apis.openai_responses import RESPONSE
from reasrm.apis.reply_format import BrokenReplyError, ReplyFormat
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


def completion(finish: object = "stop", content: object = "yes", refusal: str | None = None) -> dict[str, object]:
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
        (MESSAGE | {"stop_reason": "tool_use", "content": []}, "unknown reason tool_use"),
        (MESSAGE | {"stop_reason": "pause_turn", "content": []}, "unknown reason pause_turn"),
        (MESSAGE | {"stop_reason": ["end_turn"], "content": []}, "unknown reason ['end_turn']"),
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


def test_a_refusal_among_parts_is_one() -> None:
    parts = [{"type": "text", "text": "y"}, {"type": "refusal", "refusal": "no"}]
    assert CHAT_COMPLETION.read(completion(content=parts), "req").outcome is TraceOutcome.REFUSED


FORMATS: list[tuple[ReplyFormat, Callable[[object, object], dict[str, Any]]]] = [
    (CHAT_COMPLETION, lambda content, end: completion(end, content)),
    (MESSAGE_FORMAT, lambda content, end: MESSAGE | {"content": content, "stop_reason": end}),
    (RESPONSE, lambda content, end: response(content) | {"status": end}),
]
"""Each protocol, and a reply of it by its content and its end."""
EACH_FORMAT = pytest.mark.parametrize(("form", "made"), FORMATS, ids=lambda one: getattr(one, "name", ""))


def response(content: object) -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": 2}
    return {"status": "completed", "output": [{"type": "message", "content": content}], "usage": usage, "error": None}


@EACH_FORMAT
@pytest.mark.parametrize(
    ("end", "said"),
    [
        (None, ""), ("", ""), ("stop", ""), ("STOP", ""), ("end_turn", ""), ("eos", ""), ("completed", ""),
        ("tool_calls", "unknown reason tool_calls"), ("whatever", "unknown reason whatever"), (7, "unknown reason 7"),
        (["stop"], "unknown reason ['stop']"), ({}, "unknown reason {}"), (True, "unknown reason True"),
    ],
)  # fmt: skip
def test_a_text_is_whole_unless_its_end_says_otherwise(form: ReplyFormat, made: Any, end: object, said: str) -> None:
    """Null is what SGLang and llama.cpp write of a whole reply."""
    reply = form.read(made("yes", end), "")
    assert (reply.outcome, reply.text) == (TraceOutcome.OK, "yes")
    assert reply.detail.endswith(said)
    empty = form.read(made([], end), "")
    assert empty.outcome is (TraceOutcome.GAVE_UP if said else TraceOutcome.EMPTY)
    assert empty.is_odd is bool(said)


@EACH_FORMAT
def test_an_end_that_is_missing_is_as_good_as_null(form: ReplyFormat, made: Any) -> None:
    body = made("yes", None)
    for holder in (body, *body.get("choices", ())):
        for name in ("finish_reason", "stop_reason", "status"):
            holder.pop(name, None)
    assert form.read(body, "").outcome is TraceOutcome.OK


@EACH_FORMAT
@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        ("max_tokens", TraceOutcome.TRUNCATED),
        ("MAX_TOKENS", TraceOutcome.TRUNCATED),
        ("model_length", TraceOutcome.TRUNCATED),
        ("content-filter", TraceOutcome.REFUSED),
        ("SAFETY", TraceOutcome.REFUSED),
    ],
)
def test_other_servers_words_for_an_end_are_known(
    form: ReplyFormat, made: Any, end: str, outcome: TraceOutcome
) -> None:
    assert form.read(made("yes", end), "").outcome is outcome


@EACH_FORMAT
@pytest.mark.parametrize("end", ["error", "abort", "failed", "insufficient_system_resource"])
def test_an_end_that_says_that_it_failed_passes(form: ReplyFormat, made: Any, end: str) -> None:
    with pytest.raises(BrokenReplyError, match=end) as caught:
        form.read(made("ye", end), "")
    assert caught.value.error_kind is ErrorKind.SERVER_ERROR


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}


@EACH_FORMAT
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("yes", "yes"),
        (["y", "es"], "yes"),
        ([THOUGHT, {"type": "text", "text": "yes"}], "yes"),
        ([{"type": "output_text", "text": "yes"}, {"type": "tool_use", "input": {}}], "yes"),
        ([{"type": "text", "text": None}, "yes"], "yes"),
        ([THOUGHT], ""),
    ],
)
def test_content_in_parts_is_its_text(form: ReplyFormat, made: Any, content: object, text: str) -> None:
    assert form.read(made(content, "stop"), "").text == text


@EACH_FORMAT
@pytest.mark.parametrize("content", [5, True, {"text": "yes"}, [5], [None], [{"text": "yes"}], [[]], [{"type": []}]])
def test_content_of_another_shape_is_paid_for_and_worth_nothing(form: ReplyFormat, made: Any, content: object) -> None:
    reply = form.read(made(content, "stop"), "")
    assert (reply.outcome, reply.text) in {(TraceOutcome.GAVE_UP, ""), (TraceOutcome.EMPTY, "")}


ERRORS: list[tuple[Any, ErrorKind]] = [
    ({"error": {"message": "Provider returned error", "code": 429}, "choices": None}, ErrorKind.RATE_LIMITED),
    ({"error": {"message": "no", "code": 429.0}}, ErrorKind.RATE_LIMITED),
    ({"error": {"message": "litellm.RateLimitError", "type": "None", "code": "429"}}, ErrorKind.RATE_LIMITED),
    ({"error": {"message": "x", "type": "RateLimitError", "code": None}}, ErrorKind.RATE_LIMITED),
    ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "x"}}], ErrorKind.RATE_LIMITED),
    ({"error": {"status": "RESOURCE_EXHAUSTED", "message": "x"}}, ErrorKind.RATE_LIMITED),
    ({"error": "Too Many Requests", "statusCode": 429}, ErrorKind.RATE_LIMITED),
    ({"error": "rate limit exceeded, slow down"}, ErrorKind.RATE_LIMITED),
    ({"message": "API rate limit exceeded"}, ErrorKind.RATE_LIMITED),
    ({"errors": [{"code": 10000, "message": "Too many requests"}], "success": False}, ErrorKind.RATE_LIMITED),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, ErrorKind.OVERLOADED),
    ({"error": "Model is overloaded", "error_type": "overloaded"}, ErrorKind.OVERLOADED),
    ({"detail": "Service temporarily unavailable"}, ErrorKind.OVERLOADED),
    ({"object": "error", "message": "x", "type": "BadRequestError", "code": 400}, ErrorKind.INVALID),
    ({"object": "error", "message": "x", "type": "NotFoundError", "code": 404}, ErrorKind.NOT_ALLOWED),
    ({"detail": [{"loc": ["body"], "msg": "field required", "type": "missing"}], "status": 422}, ErrorKind.INVALID),
    ({"error": {"message": "no", "code": "invalid_api_key"}}, ErrorKind.NOT_ALLOWED),
    ({"error": {"message": "Your credit balance is too low"}}, ErrorKind.NO_CREDIT),
    ({"error": True, "message": "boom"}, ErrorKind.SERVER_ERROR),
    ({"detail": "Not Found"}, ErrorKind.SERVER_ERROR),
    ({"error": {"message": "x", "code": "9" * 5000}}, ErrorKind.SERVER_ERROR),
]


@EACH_FORMAT
@pytest.mark.parametrize(("body", "error_kind"), ERRORS)
def test_an_error_inside_a_good_reply_is_an_error(
    form: ReplyFormat, made: Any, body: Any, error_kind: ErrorKind
) -> None:
    for needs_usage in (True, False):
        with pytest.raises(BrokenReplyError, match="an error in a good reply") as caught:
            form.read(body, "", needs_usage=needs_usage)
        assert caught.value.error_kind is error_kind


def test_an_error_in_place_of_the_first_choice_is_an_error() -> None:
    body = completion() | {"choices": [{"error": {"code": 502, "message": "x"}, "finish_reason": "error"}]}
    with pytest.raises(BrokenReplyError) as caught:
        CHAT_COMPLETION.read(body, "")
    assert caught.value.error_kind is ErrorKind.SERVER_ERROR


@EACH_FORMAT
@pytest.mark.parametrize("nothing", [None, False, "", [], {}, {"code": None, "message": ""}])
def test_an_error_that_says_nothing_is_none(form: ReplyFormat, made: Any, nothing: object) -> None:
    assert form.read(made("yes", "stop") | {"error": nothing, "detail": "x"}, "").outcome is TraceOutcome.OK


def test_details_of_the_usage_that_make_no_sense_leave_the_usage() -> None:
    for details in (None, [], "x", 5, {"cached_tokens": -1}, {"cached_tokens": "4"}, {"cached_tokens": 0.5}):
        body = completion()
        body["usage"]["prompt_tokens_details"] = details  # type: ignore[index]
        assert CHAT_COMPLETION.read(body, "").usage.input_tokens == 9
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 99}  # type: ignore[index]
    assert CHAT_COMPLETION.read(body, "").usage.prompt_tokens == 9


@pytest.mark.parametrize("usage", ODD_USAGES)
def test_where_no_usage_is_needed_a_reply_without_it_is_whole(usage: object) -> None:
    reply = MESSAGE_FORMAT.read(MESSAGE | {"usage": usage}, "", needs_usage=False)
    assert (reply.outcome, reply.text, reply.usage) == (TraceOutcome.OK, "yes", NOTHING_USED)


@pytest.mark.parametrize("body", [[], "x", None, {}, {"usage": {}, "content": None}])
def test_what_has_neither_usage_nor_content_is_broken_for_all(body: object) -> None:
    with pytest.raises(BrokenReplyError):
        MESSAGE_FORMAT.read(body, "", needs_usage=False)


@pytest.mark.parametrize(
    "logprob", ["null", "NaN", "Infinity", "-Infinity", '"no"', "true", "0.5", "-1e999", "-1" + "0" * 400]
)
def test_a_log_probability_that_is_no_number_is_unknown(logprob: str) -> None:
    first = f'{{"token": "y", "logprob": {logprob}}}'
    second = '{"token": "es", "bytes": [101, 115], "logprob": -0.5}'
    logprobs = f'"logprobs": {{"content": [{first}, {second}]}}, "finish_reason"'
    text = json.dumps(completion()).replace('"finish_reason"', logprobs)
    reply = CHAT_COMPLETION.read(parsed(text.encode(), str).value, "")
    assert reply.text == "yes"
    assert reply.token_logprobs == ((b"y", None), (b"es", -0.5))


ODD_TOKENS = [5, [5], [{}], [{"token": 5}], [{"token": "y", "bytes": [300]}], {"a": 1}, "tokens"]
ODD_LOGPROBS = [*({"content": tokens} for tokens in ODD_TOKENS), [], "x", 5, {"tokens": ["y"], "token_logprobs": [-1]}]


@pytest.mark.parametrize("logprobs", ODD_LOGPROBS)
def test_log_probabilities_that_cannot_be_read_leave_the_reply_whole(logprobs: object) -> None:
    body = completion()
    body["choices"][0]["logprobs"] = logprobs  # type: ignore[index]
    reply = CHAT_COMPLETION.read(body, "")
    assert (reply.outcome, reply.token_logprobs) == (TraceOutcome.OK, ())
