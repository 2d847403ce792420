"""The vendors' clients against a real server: what each kind of answer comes to, and how Responses are read."""

import asyncio
from itertools import product
from typing import Any

import pytest

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.connection import Connection
from reasrm.apis.error_classification import ErrorKind, PromptRefusal
from reasrm.apis.openai_responses import RESPONSE
from reasrm.apis.reply_format import BrokenReplyError
from reasrm.apis.request_format import ApiProtocol
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TraceOutcome
from tests.fake_vendor.oracle_on_loopback import EACH_VENDOR, LocalOracle, oracle, questions

Expected = tuple[TraceOutcome | ErrorKind, str]
"""The outcome of the reply or the kind of the error, and what its detail holds."""
SERVERS: dict[str, tuple[dict[str, Any], Expected]] = {
    "ok": ({}, (TraceOutcome.OK, "")),
    "refused": ({"faults": {"refusal": 1.0}}, (TraceOutcome.REFUSED, "")),
    "cut": ({"faults": {"truncated": 1.0}}, (TraceOutcome.TRUNCATED, "")),
    "empty": ({"faults": {"empty": 1.0}}, (TraceOutcome.EMPTY, "")),
    "invalid": ({"faults": {"invalid": 1.0}}, (ErrorKind.INVALID, "the request is invalid")),
    "no credit": ({"credit_usd": 0.0}, (ErrorKind.NO_CREDIT, "")),
    "spend limit": ({"credit_usd": 0.0, "credit_stop": "spend_limit"}, (ErrorKind.NO_CREDIT, "")),
    "down": ({"outages": [(0.0, 1e9)]}, (ErrorKind.OVERLOADED, "overloaded")),
    "server error": ({"faults": {"server_error": 1.0}}, (ErrorKind.SERVER_ERROR, "try again later")),
    "bad JSON": ({"faults": {"bad_json": 1.0}}, (ErrorKind.BROKEN_REPLY, "it begins with '{")),
}
ODD_SERVERS: dict[str, tuple[dict[str, Any], Expected]] = {
    "HTML": ({"faults": {"html": 1.0}}, (ErrorKind.BROKEN_REPLY, "it begins with '<!doctype html>")),
    "an error in a 200": ({"faults": {"wrapped_error": 1.0}}, (ErrorKind.SERVER_ERROR, "upstream is down")),
    "odd ending": ({"faults": {"odd_ending": 1.0}}, (TraceOutcome.GAVE_UP, "unknown reason")),
    "no usage": ({"faults": {"no_usage": 1.0}}, (ErrorKind.BROKEN_REPLY, "with its usage")),
    "too large": ({"faults": {"too_large": 1.0}}, (ErrorKind.INVALID, "equest")),
    "usage limit": ({"credit_usd": 0.0, "credit_stop": "usage_limit"}, (ErrorKind.NO_CREDIT, "")),
    "in parts": ({"content_in_parts": True}, (TraceOutcome.OK, "")),
    "echo": ({"echoes_keys": True}, (ErrorKind.NOT_ALLOWED, "invalid key: ")),
}
LOSSES = {"reset": ErrorKind.CONNECTION, "cut": ErrorKind.CONNECTION, "hang": ErrorKind.TIMEOUT}
"""Faults of the connection. The SDKs' transport reports a reset as a timeout, which it is not."""


def attempts(
    protocol: ApiProtocol, server: LocalOracle, question: Any, settings: dict[str, Any]
) -> list[AttemptResult]:
    """One reply of a faultless server, then two of one with `settings`, over one client."""
    who = oracle(protocol)
    body = who.format().body(question.messages, 400)

    async def ask() -> list[AttemptResult]:
        client = who.connect(Connection(1.0 if "hang" in settings.get("faults", {}) else 60.0, 4, server.url))
        server.restart()
        first = await client.attempt(body)
        server.restart(**settings)
        try:
            return [first, await client.attempt(body), await client.attempt(body)]
        finally:
            await client.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("protocol", "server_is"),
    [*product(ApiProtocol, SERVERS), *product((ApiProtocol.ANTHROPIC, ApiProtocol.OPENAI), ODD_SERVERS)],
)
def test_what_each_kind_of_answer_comes_to(
    protocol: ApiProtocol, server_is: str, server: LocalOracle, pairs: list[PreferencePair]
) -> None:
    settings, (expected, said) = (SERVERS | ODD_SERVERS)[server_is]
    first, *others = attempts(protocol, server, next(questions(pairs)).prompt, settings)
    assert first.reply is not None
    assert first.reply.outcome is TraceOutcome.OK
    for attempt in others:
        found = attempt.reply.outcome if attempt.reply else attempt.error_kind
        assert found is expected
        assert said in (attempt.reply.detail if attempt.reply else attempt.detail)
        assert "local-oracle-needs-no-key" not in attempt.detail
        is_broken = expected in (ErrorKind.BROKEN_REPLY, ErrorKind.NOT_ALLOWED)
        assert attempt.limits.requests is not None or is_broken or server_is == "an error in a 200"


def test_a_rate_limit_names_the_pause(server: LocalOracle, pairs: list[PreferencePair]) -> None:
    settings = {"requests_per_minute": 0.5}
    _, let_in, limited = attempts(ApiProtocol.ANTHROPIC, server, next(questions(pairs)).prompt, settings)
    assert let_in.reply is not None
    assert limited.error_kind is ErrorKind.RATE_LIMITED
    assert limited.limits.retry_after is not None
    assert 60 < limited.limits.retry_after <= 120


@pytest.mark.parametrize("header", ["no", "-1"])
def test_limits_that_make_no_sense_are_none(header: str, server: LocalOracle, pairs: list[PreferencePair]) -> None:
    odd = {"odd_headers": {"anthropic-ratelimit-requests-limit": header}}
    _, attempt, _ = attempts(ApiProtocol.ANTHROPIC, server, next(questions(pairs)).prompt, odd)
    assert attempt.reply is not None
    assert attempt.limits.requests is None
    assert attempt.limits.input_tokens is not None


def test_a_request_that_is_too_large_is_told_from_one_that_is_invalid(
    server: LocalOracle, pairs: list[PreferencePair]
) -> None:
    question = next(questions(pairs)).prompt
    for fault, refusal in (("too_large", PromptRefusal.TOO_LONG), ("invalid", PromptRefusal.UNEXPLAINED)):
        _, attempt, _ = attempts(ApiProtocol.OPENAI, server, question, {"faults": {fault: 1.0}})
        assert attempt.prompt_refusal is refusal


@pytest.mark.parametrize("fault", LOSSES)
@EACH_VENDOR
def test_a_lost_reply_may_have_been_billed(
    vendor: ApiProtocol, fault: str, server: LocalOracle, pairs: list[PreferencePair]
) -> None:
    found = attempts(vendor, server, next(questions(pairs)).prompt, {"faults": {fault: 1.0}})
    assert [attempt.error_kind for attempt in found] == [None, LOSSES[fault], LOSSES[fault]]
    assert all(attempt.error_kind is None or attempt.error_kind.maybe_billed for attempt in found)


@pytest.mark.parametrize("protocol", list(ApiProtocol))
def test_a_proxy_of_the_environment_is_used(
    protocol: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://oracle.invalid")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://oracle.invalid/v1")
    monkeypatch.setenv("http_proxy", server.url)  # the local server takes any host: it serves as the proxy
    who = oracle(protocol)
    body = who.format().body(next(questions(pairs)).prompt.messages, 400)

    async def ask() -> list[AttemptResult]:
        client = who.connect(Connection(5, 4))
        try:
            return [await client.attempt(body) for _ in range(3)]
        finally:
            await client.close()

    assert all(attempt.reply is not None for attempt in asyncio.run(ask()))
    assert server.request_log()["billed"] == 3


def response(**changes: Any) -> dict[str, Any]:
    """A Response object as OpenAI sends it."""
    part = {"type": "output_text", "text": "[[A]]", "annotations": []}
    message = {"type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 64}, "output_tokens": 9}
    usual = {
        "id": "resp_1", "object": "response", "status": "completed", "error": None, "incomplete_details": None,
        "model": "o", "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, message], "usage": usage,
    }  # fmt: skip
    return usual | changes


def says(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    """The output of a Response with these parts."""
    return [{"type": "message", "content": list(parts)}]


TEXT = {"type": "output_text", "text": "well"}
REFUSAL = {"type": "refusal", "refusal": "no"}


def incomplete(reason: str) -> dict[str, Any]:
    """What an incomplete Response says of itself."""
    return {"status": "incomplete", "incomplete_details": {"reason": reason}}


@pytest.mark.parametrize(
    ("changes", "outcome", "text"),
    [
        ({}, TraceOutcome.OK, "[[A]]"),
        ({"output": says(TEXT, TEXT)}, TraceOutcome.OK, "wellwell"),
        ({"output": says()}, TraceOutcome.EMPTY, ""),
        ({"output": [{"type": "reasoning"}]}, TraceOutcome.EMPTY, ""),
        ({"output": says(REFUSAL)}, TraceOutcome.REFUSED, ""),
        ({"output": says(TEXT, REFUSAL)}, TraceOutcome.REFUSED, "well"),
        (incomplete("max_output_tokens"), TraceOutcome.TRUNCATED, "[[A]]"),
        (incomplete("max_output_tokens") | {"output": []}, TraceOutcome.TRUNCATED, ""),
        (incomplete("content_filter"), TraceOutcome.REFUSED, "[[A]]"),
    ],
)
def test_a_response_is_read_by_its_status(changes: dict[str, Any], outcome: TraceOutcome, text: str) -> None:
    answer = RESPONSE.read(response(**changes), "req")
    assert (answer.outcome, answer.text) == (outcome, text)
    assert (answer.usage.input_tokens, answer.usage.cache_read_tokens, answer.usage.output_tokens) == (36, 64, 9)


@pytest.mark.parametrize(
    ("changes", "error_kind"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "m"}}, ErrorKind.SERVER_ERROR),
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "m"}}, ErrorKind.RATE_LIMITED),
        ({"status": "failed", "error": {"code": "invalid_prompt", "message": "m"}}, ErrorKind.INVALID),
        ({"status": "failed", "error": None}, ErrorKind.SERVER_ERROR),
        ({"status": "failed", "error": {"code": "insufficient_quota", "message": "m"}}, ErrorKind.NO_CREDIT),
        ({"error": {"code": 401, "message": "m"}}, ErrorKind.NOT_ALLOWED),
        ({"usage": None}, ErrorKind.BROKEN_REPLY),
        ({"usage": {"input_tokens": 1, "output_tokens": None}}, ErrorKind.BROKEN_REPLY),
    ],
)
def test_a_response_that_is_no_answer_says_what_to_do(changes: dict[str, Any], error_kind: ErrorKind) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        RESPONSE.read(response(**changes), "req")
    assert caught.value.error_kind is error_kind


@pytest.mark.parametrize(
    "changes", [{"status": "in_progress"}, incomplete("steered"), {"status": "incomplete"}, {"output": None}]
)
def test_an_odd_response_that_was_paid_is_booked_and_given_up(changes: dict[str, Any]) -> None:
    answer = RESPONSE.read(response(**changes), "req")
    assert answer.outcome is TraceOutcome.GAVE_UP
    assert answer.usage.output_tokens == 9
    assert answer.detail.startswith("paid, but")
