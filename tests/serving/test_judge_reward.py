"""`reasrm.judge_reward` as TRL calls it, against a real service; what goes wrong stops the training."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import reasrm
from reasrm.serving.judge_client import JudgeClient, JudgeServiceError
from tests.fixtures.judge_server import honest, judge_server, mute, served_file
from tests.fixtures.serve_judge_process import ServedProcess, serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProcess]:
    folder = tmp_path_factory.mktemp("service")
    with judge_server(honest) as url, serving("--served", str(served_file(folder, url))) as served:
        yield served


@pytest.mark.slow
def test_completions_are_rewarded_among_those_of_their_prompt(service: ServedProcess) -> None:
    """The order of prompts is the caller's, and other columns are nothing to it."""
    logged: dict[str, float] = {}
    reward = reasrm.judge_reward(service.url)
    assert reward.__name__ == "judge_reward"
    rewards = reward(
        prompts=["first?", "second?", "first?", "second?"],
        completions=["right", "bad", "wrong", "right too"],
        completion_ids=[[1]] * 4,
        level=["easy"] * 4,
        log_metric=logged.__setitem__,
    )
    assert rewards == [1.0, -1.0, -1.0, 1.0]
    assert logged == {"judge_unreadable": 0.0}
    turns = [{"role": "user", "content": "third?"}]
    spoken = [[{"role": "assistant", "content": text}] for text in ("wrong", "the right one", "wrong")]
    assert reward(prompts=[turns] * 3, completions=spoken) == [-0.5, 1.0, -0.5]


@pytest.mark.slow
def test_rewards_that_mean_nothing_stop_the_training(tmp_path: Path, service: ServedProcess) -> None:
    reward = reasrm.judge_reward(service.url)
    with pytest.raises(JudgeServiceError, match="has one completion in this process"):
        reward(prompts=["first?", "first?", "second?"], completions=["a", "b", "c"])
    with pytest.raises(JudgeServiceError, match="tool calls are not judged"):
        reward(prompts=["first?"] * 2, completions=[[{"role": "assistant", "content": None}]] * 2)
    with pytest.raises(JudgeServiceError, match=r"422: prompt: .*question is empty"):
        reward(prompts=[" ", " "], completions=["a", "b"])
    with pytest.raises(JudgeServiceError, match="422: scheme: own_scores takes an answer's own score"):
        reasrm.judge_reward(service.url, scheme="own_scores")(prompts=["Q?"] * 2, completions=["a", "b"])
    with (
        judge_server(mute) as url,
        serving("--served", str(served_file(tmp_path, url))) as served,
        pytest.raises(JudgeServiceError, match=r"none of 2 comparisons has a verdict \(no_answer\)"),
    ):
        reasrm.judge_reward(served.url)(prompts=["Q?"] * 2, completions=["a", "b"])


@pytest.mark.parametrize("url", ["127.0.0.1:8765", "file:///etc/passwd", "http://", "http://host?x=1", ""])
def test_what_is_no_address_is_refused_before_a_training_begins(url: str) -> None:
    with pytest.raises(ValueError, match="is no address of a served judge"):
        reasrm.judge_reward(url)


Script = Callable[[int], tuple[int, dict[str, str], bytes]]
"""From the number of the request to status, headers and body."""


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], tuple[str, list[str | None]]]]:
    """Starts a server that replies by a script; gives its address, and the `Authorization` of each request."""
    servers: list[ThreadingHTTPServer] = []

    def begin(script: Script) -> tuple[str, list[str | None]]:
        seen: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                seen.append(self.headers["authorization"])
                status, headers, body = script(len(seen))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815  as the base class names it

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", seen

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


GOOD = json.dumps({"rewards": [1, -1]}).encode()


def test_a_service_that_is_busy_is_asked_again_and_another_error_is_not(scripted: Any) -> None:
    refused = json.dumps({"error": "full", "where": "queue", "status": 503}).encode()
    url, seen = scripted(lambda number: (200, {}, GOOD) if number == 3 else (503, {"Retry-After": "0.01"}, refused))
    assert JudgeClient(url, token=None).compare("Q?", ["a", "b"])["rewards"] == [1, -1]
    assert seen == [None] * 3
    url, seen = scripted(lambda _: (503, {"Retry-After": "0.01"}, refused))
    with pytest.raises(JudgeServiceError, match=r"queue: full \(tried \d+ times in 0.1 s\)"):
        JudgeClient(url, patience_seconds=0.1).compare("Q?", ["a", "b"])
    url, seen = scripted(lambda _: (500, {}, b"<html>"))
    with pytest.raises(JudgeServiceError, match="/compare: 500: Internal Server Error"):
        JudgeClient(url).compare("Q?", ["a", "b"])
    assert len(seen) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"{}", b'{"rewards": [1]}', b'{"rewards": [1, null]}', b'{"rewards": [1, true]}', b"hello"]
)
def test_what_is_no_reward_for_each_answer_is_never_taken_for_one(scripted: Any, body: bytes) -> None:
    url, _ = scripted(lambda _: (200, {}, body))
    with pytest.raises(JudgeServiceError, match="is it the judge"):
        JudgeClient(url).compare("Q?", ["a", "b"])


def test_nan_is_no_reward(scripted: Any) -> None:
    url, _ = scripted(lambda _: (200, {}, b'{"rewards": [NaN, 1]}'))
    with pytest.raises(JudgeServiceError, match="is it the judge"):
        JudgeClient(url).compare("Q?", ["a", "b"])


def test_the_token_follows_no_redirect(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASRM_SERVE_TOKEN", "a-token-of-more-than-16")
    elsewhere, seen_elsewhere = scripted(lambda _: (200, {}, GOOD))
    url, seen = scripted(lambda _: (302, {"Location": elsewhere}, b""))
    client = JudgeClient(url)
    with pytest.raises(JudgeServiceError, match="302"):
        client.compare("Q?", ["a", "b"])
    assert seen == ["Bearer a-token-of-more-than-16"]
    assert not seen_elsewhere
    assert "a-token" not in repr(client)
