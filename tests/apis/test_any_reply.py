"""A service may send anything: the reader settles it or says which passing or lasting fault it is, and never raises."""

import asyncio
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.api_reply import ApiReply, AttemptResult
from reasrm.apis.batches import anthropic, openai
from reasrm.apis.batches.api import BatchApiError, batch_errors
from reasrm.apis.clients import open_client
from reasrm.apis.connection import Connection
from reasrm.apis.error_classification import ApiError, ErrorKind
from reasrm.apis.json_documents import Document, UnreadableBodyError, parsed
from reasrm.apis.request_format import ApiProtocol
from reasrm.records.content_hash import canonical_json
from reasrm.records.trace import TraceOutcome
from tests.fixtures.odd_service import ANY_JSON, TEXT, WHOLE, any_reply, json_bytes, mutated

NOWHERE = "http://127.0.0.1:9"
CLIENTS = {protocol: open_client(protocol, Connection(1, 1, base_url=NOWHERE)) for protocol in ApiProtocol}
LINES: dict[ApiProtocol, dict[str, Any]] = {
    **{
        protocol: {"custom_id": "c", "error": None, "response": {"status_code": 200, "request_id": "r", "body": body}}
        for protocol, body in WHOLE.items()
    },
    ApiProtocol.ANTHROPIC: {
        "custom_id": "c",
        "result": {"type": "succeeded", "message": WHOLE[ApiProtocol.ANTHROPIC]},
    },
}
"""A line of a batch's results of each protocol."""


def check(result: AttemptResult) -> None:
    """Exactly one of reply and error, and it can be kept and read back."""
    assert (result.reply is None) is (result.error_kind is not None)
    assert result.detail.isprintable()
    if result.reply is None:
        canonical_json({"detail": result.detail})
        return
    kept = orjson.loads(canonical_json(result.reply.as_entry()))
    assert ApiReply.from_entry(kept).as_entry() == result.reply.as_entry()
    assert result.reply.outcome is not TraceOutcome.OK or result.reply.text.strip()
    assert result.reply.outcome is not TraceOutcome.GAVE_UP or result.reply.detail
    assert all(logprob is None or logprob <= 0 for _, logprob in result.reply.token_logprobs)


@pytest.mark.parametrize("protocol", ApiProtocol)
@given(data=st.data())
def test_any_body_is_settled_or_an_error_of_a_kind(protocol: ApiProtocol, data: st.DataObject) -> None:
    body = data.draw(any_reply(protocol))
    check(CLIENTS[protocol].read_body(body))


@pytest.mark.parametrize("protocol", ApiProtocol)
@given(data=st.data())
def test_any_line_of_a_batch_is_settled_or_an_error_of_a_kind(protocol: ApiProtocol, data: st.DataObject) -> None:
    client: Any = CLIENTS[protocol]
    value = data.draw(mutated(LINES[protocol]) | st.fixed_dictionaries({"custom_id": st.just("c"), "result": ANY_JSON}))
    try:
        line = parsed(json_bytes(value), str)
    except UnreadableBodyError:
        return
    if isinstance(line.value, dict):
        check((anthropic if protocol is ApiProtocol.ANTHROPIC else openai).read_result(line, client))


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_a_whole_reply_is_read_alike_online_and_in_a_batch(protocol: ApiProtocol) -> None:
    client: Any = CLIENTS[protocol]
    online = client.read_body(json_bytes(WHOLE[protocol])).reply
    module = anthropic if protocol is ApiProtocol.ANTHROPIC else openai
    in_batch = module.read_result(Document(LINES[protocol]), client).reply
    assert (online.outcome, online.text, online.usage) == (in_batch.outcome, in_batch.text, in_batch.usage)
    assert (online.outcome, online.text) == (TraceOutcome.OK, TEXT)


@given(ANY_JSON, st.sampled_from([None, 200, 400, 404, 429, 500]))
def test_any_error_is_of_a_kind(body: Any, status: int | None) -> None:
    error = ApiError.from_body(body, status)
    assert isinstance(error.error_kind, ErrorKind)
    assert error.prompt_refusal is None or not error.error_kind.is_of_the_server or status == 200
    assert isinstance(error.message, str)


@pytest.mark.parametrize("protocol", ApiProtocol)
@pytest.mark.parametrize("depth", [500, 900, 1000])
def test_deep_nesting_is_settled_wherever_it_stands(protocol: ApiProtocol, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for name in (*WHOLE[protocol], "error", "detail"):
        check(CLIENTS[protocol].read_body(orjson.dumps(WHOLE[protocol] | {name: "deep"}).replace(b'"deep"', deep)))
    assert ApiError.from_body({"error": orjson.loads(deep)}, 400).error_kind is ErrorKind.INVALID


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_half_a_character_is_replaced_and_said(protocol: ApiProtocol) -> None:
    body = json_bytes(WHOLE[protocol]).replace(b"fine", rb"\ud83d")
    reply = CLIENTS[protocol].read_body(body).reply
    assert reply is not None
    assert (reply.outcome, reply.text) == (TraceOutcome.OK, TEXT.replace("fine", "\N{REPLACEMENT CHARACTER}"))
    assert reply.detail.endswith("damaged characters replaced")


def test_a_reply_that_repeats_our_key_is_kept_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-4711")
    client = open_client(ApiProtocol.OPENAI, Connection(1, 1, base_url=NOWHERE))
    body = json_bytes(WHOLE[ApiProtocol.OPENAI] | {"model": "canary-4711"}).replace(
        b"fine", b"canary-4711 sk-of-others-1"
    )
    reply = client.read_body(body, "req-canary-4711").reply
    assert reply is not None
    assert (reply.model, reply.request_id) == ("[key]", "req-[key]")
    assert reply.text == TEXT.replace("fine", "[key] sk-of-others-1"), "a text may quote keys that are not ours"


def test_what_a_batch_api_answers_is_never_raised_as_it_is() -> None:
    async def broken(error: Exception) -> BatchApiError:
        with pytest.raises(BatchApiError) as caught, batch_errors(CLIENTS[ApiProtocol.OPENAI]):
            raise error
        return caught.value

    for error in (AttributeError("x"), KeyError("id"), RecursionError(), json.JSONDecodeError("x", "", 0)):
        found = asyncio.run(broken(error))
        assert (found.error_kind, found.__cause__) == (ErrorKind.BROKEN_REPLY, None)
