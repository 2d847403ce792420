"""What a service does to a run of many prompts: refusals of one, of all, slow replies, failures; over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.api_engine import PLAIN_QUESTION, ApiEngine
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.prompt_run import ask_all
from reasrm.inference.served_model import ServedModel, load_served_model, served_model
from reasrm.judging.verdict import Unreadable, read_verdict
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, Role
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError, StoppedResumable
from tests.fixtures.judge_server import Fault, judge_server, no_fault, served_file
from tests.fixtures.tiny_prompts import user

pytestmark = pytest.mark.slow

TOO_LONG = [
    (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
    (400, "prompt is too long: 208310 tokens > 200000 maximum"),
    (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
    (413, "Request exceeds the maximum size"),
    (429, "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 35000."),
    (422, "`inputs` tokens + `max_new_tokens` must be <= 4096"),
]
AGAINST_POLICY = [
    (400, "The response was filtered due to the prompt triggering our content management policy."),
    (400, "Output blocked by content filtering policy"),
    (400, "Invalid prompt: your prompt was flagged as potentially violating our usage policy."),
    (422, "something that nobody has seen before"),
    (200, "an error that a gateway wrapped into a reply without choices"),
]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


@pytest.fixture
def asked() -> list[str]:
    """Every last message that reached the service."""
    return []


def counted(asked: list[str], fault: Fault) -> Fault:
    def count(said: str, body: dict[str, Any]) -> tuple[int, str] | None:
        asked.append(said)
        return fault(said, body)

    return count


@contextmanager
def service(folder: Path, fault: Fault, **changes: object) -> Iterator[ApiEngine]:
    """An engine that asks a service which has `fault`."""
    with judge_server(lambda _: "well <answer>[[A]]</answer>", fault) as url:
        served = load_served_model(served_file(folder, url))
        engine = ApiEngine(ServedModel.model_validate(served.model_dump() | changes))
        yield engine
        engine.close()


def prompts(count: int) -> list[Prompt]:
    system = Message(role=Role.SYSTEM, content="judge")
    return [Prompt((system, *user(f"case {place:02}"))) for place in range(count)]


def refusing(cases: set[str], status: int, message: str) -> Fault:
    return lambda said, _: (status, message) if said in cases else None


def ask(engine: ApiEngine, given: list[Prompt], sampling: Sampling, path: Path) -> dict[str, Reply]:
    with Ledger(path) as ledger:
        return ask_all(engine, given, sampling, ledger, ProgressLine("test"))


def in_ledger(path: Path) -> int:
    with Ledger(path) as ledger:
        return len(ledger)


@pytest.mark.parametrize(
    ("status", "message", "finish"),
    [
        *((status, message, Finish.TOO_LONG) for status, message in TOO_LONG),
        *((status, message, Finish.REFUSED) for status, message in AGAINST_POLICY),
    ],
)
def test_a_refused_prompt_is_kept_as_refused_and_the_run_goes_on(
    tmp_path: Path, greedy: Sampling, asked: list[str], status: int, message: str, finish: Finish
) -> None:
    given, ledger = prompts(12), tmp_path / "l.jsonl"
    fault = counted(asked, refusing({"case 00", "case 07"}, status, message))
    with service(tmp_path, fault) as engine:
        first = ask(engine, given, greedy, ledger)
        before = len(asked)
        assert ask(engine, given, greedy, ledger) == first
        assert len(asked) == before
    refused = {Unreadable.REFUSED, Unreadable.TOO_LONG}
    for prompt in given:
        reply, was_refused = first[prompt.key], prompt.messages[-1].content in ("case 00", "case 07")
        assert (read_verdict(reply.text, reply.finish) in refused) is was_refused
        assert (reply.finish is finish) is was_refused


def test_where_all_are_refused_the_run_stops_and_keeps_nothing(
    tmp_path: Path, greedy: Sampling, asked: list[str]
) -> None:
    def unknown_field(_: str, body: dict[str, Any]) -> tuple[int, str] | None:
        return (400, "Unrecognized request argument: logprobs") if "logprobs" in body else None

    path = tmp_path / "l.jsonl"
    with (
        service(tmp_path, counted(asked, unknown_field)) as engine,
        pytest.raises(StageError, match=r"logprobs.*`leave_out`") as caught,
    ):
        ask(engine, prompts(40), greedy, path)
    assert not isinstance(caught.value, StoppedResumable)
    assert in_ledger(path) == 0
    assert asked.count(PLAIN_QUESTION) == 1
    assert len(asked) <= 5, "nothing is sent after the first refusal but what was under way, and the plain question"
    with service(tmp_path, unknown_field, leave_out=["logprobs", "seed"]) as engine:
        assert len(ask(engine, prompts(40), greedy, path)) == 40


@pytest.mark.parametrize("words", [f"{'x' * 30} credit balance is too low", "maximum context length is 10 tokens"])
def test_a_service_that_refuses_even_a_plain_question_is_no_fault_of_the_prompt(
    tmp_path: Path, greedy: Sampling, words: str
) -> None:
    with service(tmp_path, lambda _, __: (400, words)) as engine, pytest.raises(StageError, match=words) as caught:
        ask(engine, prompts(3), greedy, tmp_path / "l.jsonl")
    assert isinstance(caught.value, StoppedResumable) is ("credit" in words)
    assert in_ledger(tmp_path / "l.jsonl") == 0


def test_credit_that_ends_half_way_refuses_no_prompt(tmp_path: Path, greedy: Sampling, asked: list[str]) -> None:
    path, given = tmp_path / "l.jsonl", prompts(30)

    def spent(_: str, __: dict[str, Any]) -> tuple[int, str] | None:
        return (400, "Your credit balance is too low to access the API") if len(asked) > 10 else None

    faults: list[Fault] = [spent]
    with service(tmp_path, counted(asked, lambda *request: faults[0](*request))) as engine:
        with pytest.raises(StoppedResumable, match=r"credit.*the same command goes on"):
            ask(engine, given, greedy, path)
        assert in_ledger(path) == 10
        faults[0] = no_fault
        replies = ask(engine, given, greedy, path)
    assert {reply.finish for reply in replies.values()} == {Finish.STOP}


def test_only_refusals_are_left_to_ask(tmp_path: Path, greedy: Sampling, asked: list[str]) -> None:
    """A run that is taken up again at its long tail: every prompt of this process is refused, and rightly so."""
    with service(tmp_path, counted(asked, refusing({f"case {n:02}" for n in range(30)}, *TOO_LONG[0]))) as engine:
        replies = ask(engine, prompts(30), greedy, tmp_path / "l.jsonl")
    assert {reply.finish for reply in replies.values()} == {Finish.TOO_LONG}
    assert asked.count(PLAIN_QUESTION) == 1


@pytest.mark.parametrize("status", [500, 401])
def test_a_failure_loses_no_reply_that_came(tmp_path: Path, greedy: Sampling, asked: list[str], status: int) -> None:
    """The first request fails while three slower ones are under way: all three are kept, none is asked again."""
    path, given = tmp_path / "l.jsonl", prompts(12)
    order = [prompt.messages[-1].content for prompt in sorted(given, key=lambda prompt: prompt.key)]
    failed, four = threading.Event(), threading.Barrier(4)

    def first_fails(said: str, _: dict[str, Any]) -> tuple[int, str] | None:
        four.wait(10)
        if said == order[0]:
            failed.set()
            return status, "gone"
        failed.wait(10)
        threading.Event().wait(0.3)
        return None

    faults: list[Fault] = [first_fails]
    with service(tmp_path, counted(asked, lambda *request: faults[0](*request))) as engine:
        with pytest.raises(StageError):
            ask(engine, given, greedy, path)
        assert sorted(asked) == sorted(order[:4])
        assert in_ledger(path) == 3
        faults[0] = no_fault
        assert len(ask(engine, given, greedy, path)) == 12
    assert sorted(asked[4:]) == sorted([order[0], *order[4:]])


def test_a_slow_reply_holds_nobody_up(tmp_path: Path, greedy: Sampling) -> None:
    slow, others = threading.Event(), []

    def one_is_slow(said: str, _: dict[str, Any]) -> tuple[int, str] | None:
        if said == "case 00":
            slow.wait(10)
        return None

    with service(tmp_path, one_is_slow) as engine:
        for prompt, _ in engine.generate(prompts(20), greedy):
            others.append(prompt.messages[-1].content)
            if len(others) == 19:
                slow.set()
    assert others[-1] == "case 00"


def test_two_services_of_one_name_share_no_replies(
    tmp_path: Path, greedy: Sampling, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given, path = prompts(3), tmp_path / "l.jsonl"
    say: list[Callable[[], str]] = [lambda: "first <answer>[[A]]</answer>", lambda: "second <answer>[[B]]</answer>"]
    found = []
    for one in say:
        with judge_server(lambda _, one=one: one(), counted(asked, lambda _, __: None)) as url:
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            served = load_served_model(served_file(tmp_path, "null"))
            engine = ApiEngine(served)
            assert engine.identity()["base_url"] == url
            found.append(ask(engine, given, greedy, path))
            engine.close()
    assert len(asked) == 6
    assert [{reply.text.split()[0] for reply in replies.values()} for replies in found] == [{"first"}, {"second"}]


def test_a_password_in_an_address_is_told_to_nobody(tmp_path: Path) -> None:
    served = load_served_model(served_file(tmp_path, "https://someone:secret@judge.example/v1"))
    assert ApiEngine(served).identity()["base_url"] == "https://judge.example/v1"


@pytest.mark.parametrize("status", [400, 401, 503])
def test_a_key_that_a_server_repeats_is_hidden(
    tmp_path: Path, greedy: Sampling, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-4711")
    with (
        service(tmp_path, lambda _, __: (status, "Bearer canary-4711 will not do")) as engine,
        pytest.raises(StageError, match=r"\[key\] will not do") as caught,
    ):
        ask(engine, prompts(1), greedy, tmp_path / "l.jsonl")
    assert "canary" not in str(caught.value)


def test_lines_cut_out_of_the_ledger_are_asked_again(tmp_path: Path, greedy: Sampling, asked: list[str]) -> None:
    path, given = tmp_path / "l.jsonl", prompts(8)
    faults = [refusing({"case 03"}, *TOO_LONG[0])]
    with service(tmp_path, counted(asked, lambda *request: faults[0](*request))) as engine:
        ask(engine, given, greedy, path)
        kept = [line for line in path.read_text().splitlines(keepends=True) if '"finish":"too_long"' not in line]
        path.write_text("".join(kept))
        faults[0], before = no_fault, len(asked)
        replies = ask(engine, given, greedy, path)
    assert len(kept) == 7
    assert asked[before:] == ["case 03"]
    assert {reply.finish for reply in replies.values()} == {Finish.STOP}


def test_a_rate_limit_inside_a_good_reply_is_no_refusal(tmp_path: Path, greedy: Sampling) -> None:
    path, given = tmp_path / "l.jsonl", prompts(8)

    def limited(said: str, _: dict[str, Any]) -> tuple[int, str] | None:
        return (200, "Rate limit exceeded") if said == "case 03" else None

    with judge_server(lambda _: "<answer>[[A]]</answer>", limited, code=429) as url:
        engine = ApiEngine(served_model("judge", url, retries=1, leave_out=["seed"]))
        with pytest.raises(StoppedResumable, match="rate_limited"):
            ask(engine, given, greedy, path)
        engine.close()
    with Ledger(path) as ledger:
        kept = [reply["finish"] for entry in ledger.entries() for reply in entry["replies"]]
    assert kept.count("stop") == len(kept)


def test_a_page_in_place_of_every_reply_says_to_check_the_address(greedy: Sampling) -> None:
    with judge_server(lambda _: "yes") as url:
        engine = ApiEngine(served_model("judge", url.removesuffix("/v1") + "/page", retries=0))
        with pytest.raises(StageError, match="check address") as caught:
            list(engine.generate(prompts(3), greedy))
        engine.close()
    assert not isinstance(caught.value, StoppedResumable)
