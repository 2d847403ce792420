"""A real service process in front of a scripted judge: rewards, errors, limits, restarts, and its end."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reasrm.runtime.stage_main import ExitCode
from reasrm.serving.addresses import TOKEN
from tests.fixtures.judge_server import Habit, first_is_best, honest, judge_server, mute, served_file
from tests.fixtures.serve_judge_process import ServedProcess, serving, start

pytestmark = pytest.mark.slow

SECRET = "a-token-of-more-than-16"


class Vendor:
    """What befalls the requests to the judge behind the service: they are counted, and may have to wait."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.asked = 0
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def fault(self, _: str, __: dict[str, Any]) -> None:
        """As `judge_server` takes it."""
        with self._lock:
            self.asked += 1
        self.gate.wait(60)
        time.sleep(self.seconds)

    def asked_in_all(self) -> int:
        """How often it was asked, once what a killed client had sent is read: no request for half a second."""
        found = -1
        while found != self.asked:
            found = self.asked
            time.sleep(0.5)
        return found


@pytest.fixture(scope="module")
def honest_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProcess]:
    """One that stays; its largest body is a megabyte."""
    folder = tmp_path_factory.mktemp("service")
    with judge_server(honest) as url, serving("--served", str(served_file(folder, url)), "--max-body", "1") as served:
        yield served


def question(number: int, answers: int = 2) -> dict[str, Any]:
    return {
        "prompt": f"Which of {number}?",
        "answers": ["the right one", *(f"other {one}" for one in range(1, answers))],
    }


def test_two_answers_are_judged_in_both_orders(honest_service: ServedProcess) -> None:
    reply = honest_service.ask("/compare", question(0)).json
    assert reply["rewards"] == [1.0, -1.0]
    assert [(one["first"], one["second"], one["winner"]) for one in reply["comparisons"]] == [(0, 1, 0), (1, 0, 0)]
    assert all(one["confidence"] == pytest.approx(0.905, abs=0.001) for one in reply["comparisons"])
    assert (reply["judged"], reply["kept"], reply["prompt_tokens"], reply["completion_tokens"]) == (2, 0, 18, 14)
    judgment = reply["judgment"]
    assert (judgment["verdict"], judgment["consistent"]) == ("A", True)
    assert judgment["orders"][0]["quotes"][1]["grounding"] != judgment["orders"][0]["quotes"][0]["grounding"]
    again = honest_service.ask("/compare", question(0)).json
    assert (again["judged"], again["kept"], again["rewards"]) == (0, 2, [1.0, -1.0])


def test_of_several_answers_each_is_rewarded_by_what_it_wins(honest_service: ServedProcess) -> None:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Which of them?"}]
    answers = ["wrong", "the right one", "wrong", "off"]
    reply = honest_service.ask("/compare", {"prompt": turns, "answers": answers, "scheme": "debiased_tournament"}).json
    # two equal answers are not judged against each other, and where nothing is right the judge names the last
    assert reply["rewards"] == [pytest.approx(-1 / 3), 1.0, pytest.approx(-1 / 3), pytest.approx(-1 / 3)]
    assert len(reply["comparisons"]) == 10
    assert (reply["judged"], reply["kept"]) == (6, 4)
    assert reply["judgment"] is None


@pytest.mark.parametrize(("scheme", "asked"), [("ring", 4), ("knockout", 6), ("greedy_anchor", 8)])
def test_a_request_names_its_scheme(honest_service: ServedProcess, scheme: str, asked: int) -> None:
    """The judge names the last of two that are both not right."""
    answers = [f"{word} by {scheme}" for word in ("bad", "right", "worse", "worst")]
    anchor = {"anchor": f"poor by {scheme}"} if scheme == "greedy_anchor" else {}
    reply = honest_service.ask("/compare", {"prompt": "Which?", "answers": answers, "scheme": scheme} | anchor).json
    assert (reply["scheme"], reply["judged"]) == (scheme, asked)
    assert reply["rewards"][1] == 1.0
    assert all(reward < 1 for place, reward in enumerate(reply["rewards"]) if place != 1)


@pytest.mark.parametrize(("habit", "rewards"), [(first_is_best, [0, 0]), (mute, [0, 0])])
def test_what_favours_no_answer_gives_both_the_same(tmp_path: Path, habit: Habit, rewards: list[float]) -> None:
    with judge_server(habit) as url, serving("--served", str(served_file(tmp_path, url))) as served:
        reply = served.ask("/compare", question(1)).json
        assert reply["rewards"] == rewards
        unreadable = {} if habit is first_is_best else {"no_answer": 2}
        assert reply["unreadable"] == unreadable
        assert served.metric('reasrm_unreadable_total{reason="no_answer"}') == sum(unreadable.values())


@pytest.mark.parametrize(
    ("body", "status", "where", "said"),
    [
        ({"prompt": "Q?"}, 422, "answers", "Field required"),
        ({"prompt": "Q?", "answers": ["a"]}, 422, "answers", "at least 2 items"),
        ({"prompt": "Q?", "answers": ["a"] * 65}, 422, "answers", "at most 64 items"),
        ({"prompt": "Q?", "answers": ["a", 3]}, 422, "answers[1]", "valid string (got 3)"),
        ({"prompt": " ", "answers": ["a", "b"]}, 422, "prompt", "question is empty"),
        ({"prompt": [], "answers": ["a", "b"]}, 422, "prompt", "at least one turn"),
        ({"prompt": [{"role": "robot", "content": "Q"}], "answers": ["a", "b"]}, 422, "prompt", "role"),
        ({"prompt": "Q?", "answers": ["a", "b"], "extra": 1}, 422, "extra", "not permitted"),
        (
            {"prompt": "Q?", "answers": ["a", "b"], "scheme": "\x1b[2Jnone"},
            422,
            "scheme",
            "there are greedy_anchor, ring, debiased_tournament",
        ),
        ({"prompt": "Q?", "answers": ["a", "b" * 400_001]}, 422, "answers[1]", "at most 400000 characters"),
        ({"prompt": "Q?", "answers": ["a", "b"], "scheme": "own_scores"}, 422, "scheme", "compares two answers"),
        ({"prompt": "Q?", "answers": ["a", "b"], "scheme": "greedy_anchor"}, 422, "anchor", "one more"),
        ({"prompt": "Q?", "answers": ["a", "b"], "anchor": "c"}, 422, "anchor", "no use for it"),
        ([1], 422, "body", "must be an object, and is a list"),
        (b'{"prompt": "Q?", "answers": ["a", NaN]}', 422, "answers[1]", "valid string (got nan)"),
        (b'{"prompt": "Q?", "answers": ["a", "\\ud800"]}', 400, "body", "half of a character"),
        (b'{"prompt": "Q?", "prompt": "R?", "answers": ["a", "b"]}', 400, "body", "occurs twice"),
        (b"[" * 100_000, 400, "body", "nested deeper"),
        (b"\xff\xfe{}", 400, "body", "JSON"),
        (b"", 400, "body", "JSON"),
        (b" " * 1_000_001, 413, "body", "has 1,000,001 bytes, and no more than 1,000,000 are taken"),
        (b"x" * 100_000_000, 413, "body", "has 100,000,000 bytes"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(
    honest_service: ServedProcess, body: Any, status: int, where: str, said: str
) -> None:
    refused = honest_service.ask("/compare", body)
    assert refused.status == status
    assert refused.json["status"] == status
    assert where in refused.json["where"]
    assert said in refused.json["error"] or said in refused.json["where"]
    assert b"\x1b" not in refused.body
    assert "\x1b" not in refused.json["error"]
    assert honest_service.ask("/health").status == 200


@pytest.mark.parametrize(
    ("path", "headers", "status", "where"),
    [
        ("/compare", {"Content-Type": "text/plain"}, 415, "header content-type"),
        ("/compare", {"Host": "evil.example"}, 421, "header host"),
        ("/compare", {"Host": "127.0.0.1.evil.example:80"}, 421, "header host"),
        ("/health", {}, 405, "path"),
        ("/compare/../etc", {}, 404, "path"),
        ("/compare%0d%0aX-Injected:%20yes", {}, 404, "path"),
    ],
)
def test_what_a_page_in_a_browser_could_send_is_refused(
    honest_service: ServedProcess, path: str, headers: dict[str, str], status: int, where: str
) -> None:
    refused = honest_service.ask(path, question(0), headers)
    assert (refused.status, refused.json["where"]) == (status, where)
    assert "x-injected" not in refused.headers


def test_metrics_name_no_path_that_a_client_makes_up(honest_service: ServedProcess) -> None:
    honest_service.ask("/made-up-by-a-client")
    text = honest_service.ask("/metrics").body.decode()
    assert 'reasrm_requests_total{path="other",status="404"}' in text
    assert "made-up" not in text
    described = json.loads(honest_service.ask("/openapi.json").body)
    assert "answers" in json.dumps(described["paths"]["/compare"]["post"]["requestBody"])


def test_a_client_that_sends_slowly_or_hangs_up_harms_nobody(honest_service: ServedProcess) -> None:
    host, _, port = honest_service.url.removeprefix("http://").partition(":")
    head = b"POST /compare HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    slow = [socket.create_connection((host, int(port))) for _ in range(50)]
    for one in slow:
        one.sendall(head)
    assert honest_service.ask("/compare", question(2)).status == 200
    for one in slow:
        one.close()
    assert honest_service.ask("/compare", question(3)).status == 200


def test_requests_that_wait_are_judged_together_and_equal_ones_once(tmp_path: Path) -> None:
    vendor = Vendor()
    with judge_server(honest, vendor.fault) as url:
        arguments = ("--served", str(served_file(tmp_path, url)), "--max-batch", "16", "--max-wait", "500")
        with serving(*arguments) as served, ThreadPoolExecutor(16) as clients:
            replies = list(clients.map(lambda number: served.ask("/compare", question(number % 8)).json, range(16)))
            assert all(reply["rewards"] == [1.0, -1.0] for reply in replies)
            assert vendor.asked == 16
            assert served.metric("reasrm_batch_comparisons_count") <= 2
            assert served.metric('reasrm_comparisons_total{source="judged"}') == 16
            assert served.metric('reasrm_comparisons_total{source="kept"}') == 16


def test_who_waits_too_long_is_told_and_finds_the_judgment_later(tmp_path: Path) -> None:
    vendor = Vendor()
    vendor.gate.clear()
    with judge_server(honest, vendor.fault) as url:
        arguments = ("--served", str(served_file(tmp_path, url)), "--timeout", "0.5", "--queue", "4")
        with serving(*arguments) as served:
            late = served.ask("/compare", question(4))
            assert (late.status, late.json["where"], late.headers["retry-after"]) == (504, "judge", "1")
            assert "within 0.5 seconds (--timeout)" in late.json["error"]
            with ThreadPoolExecutor(2) as clients:
                list(clients.map(lambda number: served.ask("/compare", question(number)), (5, 6)))
            full = served.ask("/compare", question(7))
            assert (full.status, full.json["where"]) == (503, "queue")
            assert "4 of 4 comparisons wait" in full.json["error"]
            assert int(full.headers["retry-after"]) >= 1
            assert served.ask("/compare", question(8, answers=4)).json["where"] == "answers"
            vendor.gate.set()
            until = time.monotonic() + 20
            while served.metric("reasrm_batch_comparisons_sum") < 6 and time.monotonic() < until:
                time.sleep(0.05)
            found = served.ask("/compare", question(4)).json
            assert (found["judged"], found["kept"], found["rewards"]) == (0, 2, [1.0, -1.0])
            assert vendor.asked == 6


def test_killed_under_load_and_started_again_nothing_is_paid_twice(tmp_path: Path) -> None:
    """The vendor answers slowly and one by one; the kill strikes while requests are under way."""
    vendor, ledger = Vendor(0.02), tmp_path / "judged.jsonl"
    asked_after: dict[str, Any] = {}
    with judge_server(honest, vendor.fault) as url:
        arguments = ("--served", str(served_file(tmp_path, url)), "--ledger", str(ledger))
        with serving(*arguments) as served, ThreadPoolExecutor(8) as clients:
            sent = [clients.submit(_tolerant, served, number) for number in range(40)]
            until = time.monotonic() + 30
            while ledger.read_bytes().count(b"\n") < 20 and time.monotonic() < until:
                time.sleep(0.01)
            served.process.send_signal(signal.SIGKILL)
            served.process.wait(20)
            for one in sent:
                one.result()
        in_flight = 4
        kept, before = ledger.read_bytes().count(b'"replies"'), vendor.asked_in_all()
        assert kept >= 10
        assert before - kept <= in_flight
        with serving(*arguments) as served, ThreadPoolExecutor(8) as clients:
            for number, reply in zip(
                range(40), clients.map(lambda number: served.ask("/compare", question(number)), range(40)), strict=True
            ):
                asked_after[str(number)] = reply.json
        assert all(reply["rewards"] == [1.0, -1.0] for reply in asked_after.values())
        assert vendor.asked - before == 80 - kept


def _tolerant(served: ServedProcess, number: int) -> None:
    try:
        served.ask("/compare", question(number))
    except OSError:
        return


def test_a_second_service_on_one_ledger_or_address_is_refused(tmp_path: Path) -> None:
    with judge_server(honest) as url:
        arguments = ("--served", str(served_file(tmp_path, url)), "--ledger", str(tmp_path / "judged.jsonl"))
        with serving(*arguments) as served:
            other = start(*arguments)
            assert other.process.wait(20) == ExitCode.BUSY
            assert "is being written by another run" in other.said[-1]
            port = int(served.url.rpartition(":")[2])
            other = start(*arguments[:2], port=port)
            assert other.process.wait(20) == ExitCode.FAILED
            assert "cannot be listened on" in other.said[-1]
            assert len(other.said) == 1


def test_a_signal_answers_what_is_judged_and_refuses_what_waits(tmp_path: Path) -> None:
    vendor = Vendor()
    vendor.gate.clear()
    with judge_server(honest, vendor.fault) as url:
        arguments = ("--served", str(served_file(tmp_path, url)), "--max-batch", "2", "--max-wait", "0")
        with serving(*arguments) as served, ThreadPoolExecutor(4) as clients:
            judged = clients.submit(served.ask, "/compare", question(0))
            while vendor.asked < 2:
                time.sleep(0.01)
            waiting = clients.submit(served.ask, "/compare", question(1))
            while served.metric("reasrm_waiting_comparisons") < 2:
                time.sleep(0.01)
            served.process.send_signal(signal.SIGTERM)
            assert waiting.result(10).status == 503
            assert "stopping" in waiting.result().json["error"]
            vendor.gate.set()
            assert judged.result(20).json["rewards"] == [1.0, -1.0]
            assert served.process.wait(20) == ExitCode.DONE
            assert not [line for line in served.said if "Traceback" in line]
        with serving(*arguments) as served:
            assert served.end(signal.SIGINT) == ExitCode.INTERRUPTED


def test_another_address_needs_a_token_that_is_never_shown(tmp_path: Path) -> None:
    os.environ.pop(TOKEN, None)
    with judge_server(honest) as url:
        arguments = ("--served", str(served_file(tmp_path, url)), "--host", "0.0.0.0")
        refused = start(*arguments)
        assert refused.process.wait(20) == ExitCode.FAILED
        assert f"set {TOKEN}" in refused.said[-1]
        short = start(*arguments, **{TOKEN: "short-secret"})
        assert short.process.wait(20) == ExitCode.FAILED
        assert "short-secret" not in "".join(short.said)
        with serving(*arguments, **{TOKEN: SECRET}) as served:
            served.url = served.url.replace("0.0.0.0", "127.0.0.1")
            for given in ("", SECRET, f"Basic {SECRET}", f"Bearer {SECRET[:-1]}", "Bearer \xe9\xff"):
                refused_reply = served.ask("/compare", question(0), {"Authorization": given} if given else {})
                assert (refused_reply.status, refused_reply.headers["www-authenticate"]) == (401, "Bearer")
                assert SECRET.encode() not in refused_reply.body
            assert served.ask("/metrics").status == 401
            bearer = {"Authorization": f"Bearer {SECRET}"}
            assert served.ask("/compare", question(0), bearer).json["rewards"] == [1.0, -1.0]
            assert served.end() == ExitCode.DONE
            assert SECRET not in "".join(served.said)


def test_a_judge_that_cannot_be_used_is_told_to_every_client(tmp_path: Path) -> None:
    """A key that is refused is no passing error; a busy service is, and a client may come again."""
    fault = {"status": 401}
    with (
        judge_server(honest, lambda _, __: (fault["status"], "no")) as url,
        serving("--served", str(served_file(tmp_path, url))) as served,
    ):
        refused = served.ask("/compare", question(0))
        assert (refused.status, refused.json["where"]) == (502, "judge")
        fault["status"] = 503
        refused = served.ask("/compare", question(0))
        assert (refused.status, refused.json["where"]) == (503, "judge"), refused.json
        assert refused.headers["retry-after"] == "10"


def test_openrlhf_gets_its_rewards_in_one_request_or_one_by_one(tmp_path: Path) -> None:
    """A sample alone waits for the others to its prompt, is given up in time, and joins again."""
    replies = ("bad", "right", "worse")

    def body(*places: int, prompt: str = "Which?") -> dict[str, Any]:
        query = [f"{prompt}{replies[place]}<end>" for place in places]
        return {"query": query, "prompts": [prompt] * len(places), "labels": [None] * len(places)}

    with (
        judge_server(honest) as url,
        serving(
            *("--served", str(served_file(tmp_path, url)), "--end-of-reply", "<end>"),
            *("--group-size", "3", "--timeout", "2"),
        ) as served,
        ThreadPoolExecutor(4) as clients,
    ):
        whole = served.ask("/get_reward", body(0, 1)).json
        assert (whole["rewards"], whole["scores"]) == ([-1, 1], [0, 1])
        early = served.ask("/get_reward", body(0))
        assert (early.status, early.json["where"]) == (504, "prompts")
        assert "1 of 3 answers to this prompt came" in early.json["error"]
        singles = list(clients.map(lambda place: served.ask("/get_reward", body(place)).json["rewards"], (2, 1, 0)))
        assert singles[1] == [1.0]
        assert sum(rewards[0] for rewards in singles) == pytest.approx(0)


def test_nemo_gym_is_answered_in_its_own_words(honest_service: ServedProcess) -> None:
    texts = ("the right one", "another")
    responses = [
        {"output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}]} for text in texts
    ]
    body = {"conversation_history": [{"role": "user", "content": "Which?"}], "response_objs": responses}
    reply = honest_service.ask("/compare", body).json
    assert (reply["rewards"], reply["metrics"]["unreadable_rate"]) == ([1.0, -1.0], 0.0)
    refused = honest_service.ask("/compare", body | {"principle": "Be brief."})
    assert (refused.status, refused.json["where"]) == (422, "principle")
    alone = honest_service.ask("/get_reward", {"query": ["Qa"], "prompts": ["Q"], "labels": [None]})
    assert "start the service with --group-size" in alone.json["error"]
