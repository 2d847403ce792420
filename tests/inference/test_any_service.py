"""A judge's service may answer anything, over real HTTP: every prompt is settled, or the run stops and can go on."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reasrm.apis.request_format import ApiProtocol
from reasrm.inference.api_engine import ApiEngine
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.prompt_run import ask_all
from reasrm.inference.served_model import served_model
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.ledger import Ledger
from reasrm.records.reply import Finish
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError, StoppedResumable
from tests.fixtures.odd_service import TEXT, WHOLE, OddService, any_reply, json_bytes, odd_service
from tests.fixtures.tiny_prompts import user

EACH = pytest.mark.parametrize("protocol", ApiProtocol)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[OddService]:
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_API_KEY", "canary-4711")
    with odd_service() as one:
        yield one


def engine_for(service: OddService, protocol: ApiProtocol, **changes: object) -> ApiEngine:
    base = service.url + ("" if protocol is ApiProtocol.ANTHROPIC else "/v1")
    return ApiEngine(
        served_model("m", base, protocol, **{"concurrency": 1, "retries": 0, "timeout_seconds": 20} | changes)
    )


@pytest.mark.slow
@EACH
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_comes_is_settled_or_stops_the_run_in_one_line(
    service: OddService, greedy: Sampling, tmp_path: Path, protocol: ApiProtocol, data: st.DataObject
) -> None:
    service.body = data.draw(any_reply(protocol))
    engine, stopped = engine_for(service, protocol), ""
    try:
        replies = list(engine.generate([Prompt(user("case"))], greedy))
    except StageError as stop:
        stopped, replies = str(stop), []
    finally:
        engine.close()
    assert len(replies) == (not stopped)
    assert "\n" not in stopped
    assert "canary" not in stopped


@EACH
def test_one_odd_reply_among_good_ones_is_settled_and_the_others_are_kept(
    service: OddService, greedy: Sampling, tmp_path: Path, protocol: ApiProtocol
) -> None:
    """Without a usage too: an answer of the protocol that holds nothing is about the prompt, if others are answered."""
    given_prompts = [Prompt(user(f"case {place}")) for place in range(3)]
    field = {"openai": "choices", "openai_responses": "output", "anthropic": "content"}[protocol.value]
    for odd in ({field: None}, {field: None, "usage": None}, {field: [None], "usage": {}}, {field: 5, "usage": None}):
        engine, service.body = engine_for(service, protocol), json_bytes(WHOLE[protocol])
        found = dict(engine.generate(given_prompts, greedy))
        assert {reply.finish for reply in found.values()} == {Finish.STOP}
        service.body = json_bytes(WHOLE[protocol] | odd)
        found = dict(engine.generate(given_prompts[:1], greedy))
        assert {(reply.finish, reply.text) for reply in found.values()} == {(Finish.REFUSED, "")}
        engine.close()


@EACH
def test_no_encoding_of_a_key_that_a_reply_repeats_is_kept(
    service: OddService, greedy: Sampling, tmp_path: Path, protocol: ApiProtocol
) -> None:
    key, engine = "canary-4711", engine_for(service, protocol)
    forms = (key, base64.b64encode(key.encode()).decode(), key.encode().hex())
    for place, form in enumerate(forms):
        service.body = json_bytes(WHOLE[protocol]).replace(b"fine", form.encode())
        with Ledger(tmp_path / f"{place}.jsonl") as ledger:
            replies = ask_all(engine, [Prompt(user("case"))], greedy, ledger, ProgressLine("test"))
        assert {reply.text for reply in replies.values()} == {TEXT.replace("fine", "[key]")}
        assert not any(form in (tmp_path / f"{place}.jsonl").read_text() for form in forms)
    engine.close()


@EACH
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Provider returned error", "code": 429}},
        {"error": {"message": "slow down: too many requests"}},
        {"object": "error", "message": "x", "type": "RateLimitError"},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"detail": "Service temporarily unavailable"},
    ],
)
def test_a_passing_fault_inside_a_good_reply_is_kept_as_no_refusal(
    service: OddService, greedy: Sampling, tmp_path: Path, protocol: ApiProtocol, body: object
) -> None:
    engine = engine_for(service, protocol)
    service.body = json_bytes(WHOLE[protocol])
    with Ledger(tmp_path / "l.jsonl") as ledger:
        ask_all(engine, [Prompt(user("first"))], greedy, ledger, ProgressLine("test"))
        service.body = json_bytes(body)
        with pytest.raises(StoppedResumable):
            ask_all(engine, [Prompt(user("first")), Prompt(user("second"))], greedy, ledger, ProgressLine("test"))
        assert len(ledger) == 1
        service.body = json_bytes(WHOLE[protocol])
        replies = ask_all(engine, [Prompt(user("second"))], greedy, ledger, ProgressLine("test"))
    engine.close()
    assert all(isinstance(read_verdict(reply.text, reply.finish), Verdict) for reply in replies.values())


@EACH
@pytest.mark.parametrize(
    ("status", "retry_after"), [(429, "1e9"), (429, "9" * 400), (503, "601"), (529, "Fri, 31 Dec 9999 23:59:59 GMT")]
)
def test_a_pause_beyond_the_bound_stops_the_run_at_once(
    service: OddService, greedy: Sampling, protocol: ApiProtocol, status: int, retry_after: str
) -> None:
    service.status, service.headers, service.body = (
        status,
        {"retry-after": retry_after},
        b'{"error": {"message": "slow"}}',
    )
    engine = engine_for(service, protocol, retries=6)
    with pytest.raises(StoppedResumable, match=r"asks for a pause of .*: slow"):
        list(engine.generate([Prompt(user("case"))], greedy))
    engine.close()
    assert len(service.authorizations) == 1


@EACH
def test_a_prompt_that_a_firewall_blocks_ends_no_run(
    service: OddService, greedy: Sampling, protocol: ApiProtocol
) -> None:
    service.status, service.body = 403, b"<html>Request blocked</html>"
    engine = engine_for(service, protocol)
    assert [reply.finish for _, reply in engine.generate([Prompt(user("case"))], greedy)] == [Finish.REFUSED]
    engine.close()


@EACH
@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_takes_no_key_along(
    service: OddService, greedy: Sampling, protocol: ApiProtocol, status: int
) -> None:
    with odd_service() as elsewhere:
        service.status, service.headers = status, {"location": f"{elsewhere.url}/v1/messages?key=canary-4711"}
        engine = engine_for(service, protocol)
        with pytest.raises(StageError, match=rf"status {status} to 'http://127.*/v1/messages', which") as caught:
            list(engine.generate([Prompt(user("case"))], greedy))
        engine.close()
        assert not isinstance(caught.value, StoppedResumable)
        assert elsewhere.authorizations == []
