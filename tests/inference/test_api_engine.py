"""Judges behind APIs, over real HTTP to a small server on loopback that speaks all three protocols."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reasrm.apis.request_format import ApiProtocol, RequestField
from reasrm.inference.api_engine import ApiEngine
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.served_model import ServedModel, served_model
from reasrm.records.pair import Message, Role
from reasrm.records.reply import Finish
from reasrm.runtime.stage_main import StageError, StoppedResumable
from tests.fixtures.tiny_prompts import user


class EchoHandler(BaseHTTPRequestHandler):
    """Answers with the last message in capitals; `status` in the question makes it fail with that status."""

    seen: list[dict[str, object]]
    authorizations: list[str | None]

    def do_POST(self) -> None:
        """One request of any protocol."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append(body)
        self.authorizations.append(self.headers["authorization"])
        said = body["input"] if "input" in body else body["messages"][-1]["content"]
        if said.startswith("status"):
            message = f"as you wish, {self.headers['authorization']}"
            self._send(int(said.split()[1]), {"error": {"message": message, "type": "test"}})
        elif self.path.endswith("/chat/completions"):
            self._send(200, chat(said, body))
        elif self.path.endswith("/responses"):
            self._send(200, response(said, body))
        else:
            self._send(200, messages(said))

    def _send(self, status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def tokens(said: str) -> list[dict[str, object]]:
    parts = [said.upper(), " <answer>[[", "B", "]]</answer>", " tail"]
    return [{"token": part, "logprob": -0.5 * place, "top_logprobs": []} for place, part in enumerate(parts)]


def response(said: str, body: dict[str, object]) -> dict[str, object]:
    part = {"type": "output_text", "text": f"{said.upper()} <answer>[[B]]</answer> tail", "annotations": []}
    if "message.output_text.logprobs" in body.get("include", ()):
        part["logprobs"] = tokens(said)
    refusal = {"type": "refusal", "refusal": "no"}
    message = {"type": "message", "role": "assistant", "content": [refusal if said == "bad" else part]}
    usage = {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5, "total_tokens": 8}
    return {"id": "x", "object": "response", "status": "completed", "model": "m", "output": [message], "usage": usage}


def chat(said: str, body: dict[str, object]) -> dict[str, object]:
    text = f"{said.upper()} <answer>[[B]]</answer> tail"
    logprobs = {"content": tokens(said)}
    choice = {
        "index": 0,
        "finish_reason": "content_filter" if said == "bad" else "stop",
        "message": {"role": "assistant", "content": text},
        "logprobs": logprobs if body.get("logprobs") else None,
    }
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


def messages(said: str) -> dict[str, object]:
    return {
        "id": "x",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": f"{said.upper()} <answer>[[A]]</answer> tail"}],
        "stop_reason": "refusal" if said == "bad" else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    EchoHandler.seen = []
    EchoHandler.authorizations = []
    with serving(EchoHandler) as server:
        yield server


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def engine_for(server: ThreadingHTTPServer, protocol: ApiProtocol, **changes: object) -> ApiEngine:
    base = f"http://127.0.0.1:{server.server_address[1]}"
    settings: dict[str, object] = {
        "protocol": protocol,
        "model": "judge-2026-01-01",
        "base_url": base + ("" if protocol is ApiProtocol.ANTHROPIC else "/v1"),
        "concurrency": 4,
        "timeout_seconds": 20,
        "retries": 0,
        "leave_out": frozenset(),
        "opens_thinking": False,
    }
    return ApiEngine(ServedModel.model_validate(settings | changes))


@pytest.mark.parametrize(
    ("protocol", "side"), [(ApiProtocol.OPENAI, "B"), (ApiProtocol.OPENAI_RESPONSES, "B"), (ApiProtocol.ANTHROPIC, "A")]
)
def test_each_prompt_gets_its_reply_and_it_is_cut(
    vendor: ThreadingHTTPServer, greedy: Sampling, protocol: ApiProtocol, side: str
) -> None:
    engine = engine_for(vendor, protocol)
    system = Message(role=Role.SYSTEM, content="judge")
    prompts = [Prompt((system, *user(f"case {place}"))) for place in range(9)]
    found = dict(engine.generate(prompts, greedy))
    replies = [found[prompt] for prompt in prompts]
    engine.close()
    assert [reply.text for reply in replies] == [f"CASE {place} <answer>[[{side}]]</answer>" for place in range(9)]
    assert {(reply.prompt_tokens, reply.completion_tokens, reply.finish) for reply in replies} == {(3, 5, Finish.STOP)}
    assert replies[0].verdict_logprob == (None if protocol is ApiProtocol.ANTHROPIC else -1.0)


def test_refusals_are_said(vendor: ThreadingHTTPServer, greedy: Sampling) -> None:
    for protocol in ApiProtocol:
        engine = engine_for(vendor, protocol)
        assert next(engine.generate([Prompt(user("bad"))], greedy))[1].finish is Finish.REFUSED
        engine.close()


def test_fields_that_a_model_refuses_are_not_sent(vendor: ThreadingHTTPServer, greedy: Sampling) -> None:
    engine = engine_for(vendor, ApiProtocol.OPENAI, leave_out=frozenset(RequestField))
    list(engine.generate([Prompt(user("x"))], greedy))
    engine.close()
    assert set(EchoHandler.seen[0]) == {"model", "messages", "max_completion_tokens"}


def test_an_api_is_sent_the_fields_that_it_knows(vendor: ThreadingHTTPServer, greedy: Sampling) -> None:
    known = {
        ApiProtocol.OPENAI: {"temperature", "top_p", "seed", "logprobs"},
        ApiProtocol.OPENAI_RESPONSES: {"temperature", "top_p", "include", "store"},
        ApiProtocol.ANTHROPIC: set(),
    }
    for protocol, fields in known.items():
        engine = engine_for(vendor, protocol)
        list(engine.generate([Prompt(user("x"))], greedy))
        engine.close()
        sent = set(EchoHandler.seen.pop())
        assert (
            sent - {"model", "messages", "input", "max_tokens", "max_completion_tokens", "max_output_tokens"} == fields
        )


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_what_passes_is_resumable_and_what_does_not_is_an_error(
    vendor: ThreadingHTTPServer, greedy: Sampling, protocol: ApiProtocol
) -> None:
    engine = engine_for(vendor, protocol)
    for status, kind in ((529, StoppedResumable), (429, StoppedResumable), (401, StageError), (404, StageError)):
        with pytest.raises(kind) as caught:
            list(engine.generate([Prompt(user(f"status {status}"))], greedy))
        assert type(caught.value) is kind
    engine.close()


def test_no_server_is_resumable(greedy: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    engine = ApiEngine(served_model("m", "http://127.0.0.1:9", timeout_seconds=5, retries=0))
    with pytest.raises(StoppedResumable, match="openai model m: connection: Cannot connect to host"):
        list(engine.generate([Prompt(user("x"))], greedy))
    engine.close()


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_no_key_is_said(greedy: Sampling, monkeypatch: pytest.MonkeyPatch, protocol: ApiProtocol) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    served = served_model("m", "http://judge.invalid", protocol)
    with pytest.raises(StageError, match="_API_KEY"):
        list(ApiEngine(served).generate([Prompt(user("x"))], greedy))


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_a_model_served_on_this_machine_needs_no_key(
    vendor: ThreadingHTTPServer, greedy: Sampling, monkeypatch: pytest.MonkeyPatch, protocol: ApiProtocol
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    engine = engine_for(vendor, protocol)
    assert list(engine.generate([Prompt(user("x"))], greedy))
    engine.close()


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_user_and_password_of_an_address_are_sent_and_said_to_nobody(
    vendor: ThreadingHTTPServer, greedy: Sampling, protocol: ApiProtocol
) -> None:
    address = f"http://someone:p%40ssword@127.0.0.1:{vendor.server_address[1]}/v1"
    engine = engine_for(vendor, protocol, base_url=address)
    assert list(engine.generate([Prompt(user("x"))], greedy))
    with pytest.raises(StageError, match=r"as you wish, Basic \[key\]"):
        list(engine.generate([Prompt(user("status 401"))], greedy))
    engine.close()
    token = base64.b64encode(b"someone:p@ssword").decode()
    assert EchoHandler.authorizations == [f"Basic {token}"] * 2


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_a_key_that_no_header_can_hold_is_refused(
    greedy: Sampling, monkeypatch: pytest.MonkeyPatch, protocol: ApiProtocol
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "canary-4711\r")
    with pytest.raises(StageError, match="carriage return") as caught:
        list(ApiEngine(served_model("m", "http://127.0.0.1:9", protocol)).generate([Prompt(user("x"))], greedy))
    assert "canary" not in str(caught.value)


def test_a_limited_request_waits_as_long_as_the_server_asks(greedy: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    sent: list[float] = []

    class LimitedOnce(EchoHandler):
        def do_POST(self) -> None:
            """A rate limit of one second, then replies."""
            sent.append(time.monotonic())
            self.rfile.read(int(self.headers["content-length"]))
            if len(sent) == 1:
                self._send(429, {"error": {"message": "slow down"}}, {"retry-after": "1"})
            else:
                time.sleep(0.05)
                self._send(200, chat("x", {}))

    with serving(LimitedOnce) as server:
        engine = engine_for(server, ApiProtocol.OPENAI, concurrency=1, retries=2)
        assert len(list(engine.generate([Prompt(user(f"case {place}")) for place in range(4)], greedy))) == 4
        engine.close()
    assert len(sent) == 5
    assert 1 <= sent[1] - sent[0] < 3
