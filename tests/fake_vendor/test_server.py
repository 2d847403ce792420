"""The fake vendor's protocols, limits and faults, seen over plain HTTP."""

import http.client
import json
import random
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reasrm.fake_vendor.rate_limits import ServerTokenBucket
from reasrm.fake_vendor.settings import PASSING, FakeVendorSettings, Fault
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.miniature.oracle_server import local_oracle
from reasrm.miniature.slices import Family
from reasrm.miniature.world import Split, make_pair
from reasrm.records.comparison import Side, show

SYSTEM, USER = (
    message.content
    for message in judge_prompt(
        show(make_pair(Family.DIAL, Split.TRAIN, random.Random(0), 0.5), Side.A), PromptVariant.FULL
    )
)
ANTHROPIC = ("/v1/messages", {"model": "m", "max_tokens": 500, "system": SYSTEM})
ANTHROPIC[1]["messages"] = [{"role": "user", "content": USER}]
OPENAI = ("/v1/chat/completions", {"model": "m", "max_completion_tokens": 500})
OPENAI[1]["messages"] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}]

Send = Callable[..., tuple[int, Any, Any]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with local_oracle() as address:
        yield address


@pytest.fixture
def send(url: str) -> Send:
    """Give a function that sends a body and returns status, body and headers; the server starts empty and faultless."""

    def request(path: str, body: Any = None, key: str | None = "k") -> tuple[int, Any, Any]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url + path, data, headers), timeout=5) as response:
                return response.status, json.loads(response.read()), response.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers

    request("/settings", {})
    return request


def test_both_protocols_carry_the_same_judgment(send: Send) -> None:
    status, message, _ = send(*ANTHROPIC)
    assert status == 200
    text = message["content"][0]["text"]
    assert isinstance(read_verdict(text), Verdict)
    assert message["stop_reason"] == "end_turn"
    status, completion, _ = send(*OPENAI)
    assert status == 200
    assert completion["choices"][0]["message"]["content"] == text
    assert completion["usage"]["completion_tokens"] == message["usage"]["output_tokens"]
    assert send("/request-log")[1]["billed"] == 2


@pytest.mark.parametrize(
    ("request_", "changes", "status"),
    [
        (ANTHROPIC, {"temperature": 1.0}, 400),
        (ANTHROPIC, {"max_tokens": 0}, 400),
        (ANTHROPIC, {"messages": []}, 400),
        (ANTHROPIC, {"messages": [{"role": "user", "content": "hello"}]}, 400),
        (ANTHROPIC, {"model": "unknown-model"}, 404),
        (OPENAI, {"model": "o3-2025-04-16", "max_tokens": 5}, 400),
        (OPENAI, {"model": "o3-2025-04-16", "temperature": 0.2}, 400),
    ],
)
def test_what_the_vendors_refuse_is_refused(
    request_: tuple[str, dict[str, Any]], changes: dict[str, Any], status: int, send: Send
) -> None:
    got, body, _ = send(request_[0], request_[1] | changes)
    assert got == status
    assert body["error"]["message"]
    assert send("/request-log")[1]["billed"] == 0


@pytest.mark.parametrize("key", [None, "withdrawn"])
def test_a_key_is_needed(key: str | None, send: Send) -> None:
    assert send(*ANTHROPIC, key=key)[0] == 401
    assert send("/v1/batches", key=key)[0] == 401


@pytest.mark.parametrize("request_", [ANTHROPIC, OPENAI])
def test_over_the_limit_comes_429_with_a_time_to_wait(request_: tuple[str, Any], send: Send) -> None:
    send("/settings", {"requests_per_minute": 2, "burst_seconds": 60})
    answers = [send(*request_) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 429, 429]
    limited = answers[-1][2]
    assert 0 < float(limited["retry-after"]) <= 30
    names = ("anthropic-ratelimit-requests-limit", "x-ratelimit-limit-requests")
    assert (limited[names[0]] or limited[names[1]]) == "2"


def test_headers_can_be_left_out(send: Send) -> None:
    send("/settings", {"limit_headers": False})
    assert not [name for name in send(*ANTHROPIC)[2] if "ratelimit" in name]


@pytest.mark.parametrize(
    ("fault", "status", "ending"),
    [
        ("overloaded", 529, None),
        ("server_error", 500, None),
        ("invalid", 400, None),
        ("refusal", 200, "refusal"),
        ("truncated", 200, "max_tokens"),
        ("empty", 200, "end_turn"),
    ],
)
def test_faults_that_the_response_names(fault: str, status: int, ending: str | None, send: Send) -> None:
    send("/settings", {"faults": {fault: 1.0}})
    got, body, _ = send(*ANTHROPIC)
    assert got == status
    assert body.get("stop_reason") == ending
    assert send("/request-log")[1]["billed"] == (status == 200)


@pytest.mark.parametrize(("fault", "billed"), [("reset", 0), ("reset_billed", 1), ("cut", 1), ("bad_json", 1)])
def test_faults_that_break_the_reply(fault: str, billed: int, send: Send) -> None:
    send("/settings", {"faults": {fault: 1.0}})
    with pytest.raises((OSError, http.client.HTTPException, json.JSONDecodeError)):
        send(*OPENAI)
    log = send("/request-log")[1]
    assert (log["billed"], log["billed_lost"]) == (billed, billed)


def test_passing_faults_pass_and_lasting_ones_last() -> None:
    settings = FakeVendorSettings(faults={Fault.RESET: 0.5, Fault.REFUSAL: 0.5})
    assert len({settings.passing_fault("key", nth) for nth in range(40)}) == 2
    drawn = [settings.lasting_fault(f"key {number}") for number in range(400)]
    assert drawn == [settings.lasting_fault(f"key {number}") for number in range(400)]
    assert 150 < drawn.count(Fault.REFUSAL) < 250
    with pytest.raises(ValueError, match="add up to"):
        FakeVendorSettings(faults=dict.fromkeys(PASSING, 0.5))


def test_a_prompt_without_a_comparison_gets_the_default_reply_if_there_is_one(send: Send) -> None:
    greeting = (ANTHROPIC[0], ANTHROPIC[1] | {"messages": [{"role": "user", "content": "Hello, Claude"}]})
    assert send(*greeting)[0] == 400
    send("/settings", {"default_reply": "Hello!"})
    status, message, _ = send(*greeting)
    assert (status, message["content"][0]["text"]) == (200, "Hello!")
    assert send("/request-log")[1]["billed"] == 1


def test_money_ends(send: Send) -> None:
    send("/settings", {"credit_usd": 1e-6})
    assert send(*ANTHROPIC)[0] == 200
    status, body, _ = send(*ANTHROPIC)
    assert status == 400
    assert "credit balance" in body["error"]["message"]
    assert send(*OPENAI)[1]["error"]["code"] == "insufficient_quota"
    assert send("/request-log")[1]["after_credit_stop"] == 2


def test_a_bucket_refills_and_may_be_overdrawn() -> None:
    now = [0.0]
    bucket = ServerTokenBucket(60, burst_seconds=10, clock=lambda: now[0])
    assert bucket.level == bucket.capacity == 10
    bucket.take(15)
    assert bucket.seconds_until(1) == 6
    now[0] = 6
    assert bucket.seconds_until(1) == 0
    now[0] = 1000
    assert bucket.level == 10


def test_the_server_ends_with_its_parent() -> None:
    command = [sys.executable, "-m", "reasrm.miniature.oracle_server", "--port", "0", "--with-parent"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    assert "port" in json.loads(child.stdout.readline())
    child.stdin.close()
    assert child.wait(timeout=60) == 0
