"""Files of comparisons against a service that stops: what is printed, what is kept, what a second run asks."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from reasrm.judging.verdict import Unreadable
from reasrm.records.ledger import Ledger
from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import Fault, honest, judge_server, no_fault, served_file

pytestmark = pytest.mark.slow

ROWS = 20


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    rows = [{"id": place, "prompt": f"Which of {place:02}?", "a": "the right one", "b": "x"} for place in range(ROWS)]
    Path("cases.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


class Service:
    """A served judge whose fault can change; counts what reaches it."""

    def __init__(self) -> None:
        self.fault: Fault = no_fault
        self.answered: list[str] = []

    def __call__(self, said: str, body: dict[str, Any]) -> tuple[int, str] | None:
        """The fault of now."""
        wrong = self.fault(said, body)
        self.answered += [] if wrong else [said]
        return wrong

    def until(self, count: int) -> Fault:
        """Out of order after `count` replies."""
        return lambda _, __: (503, "gone") if len(self.answered) >= count else None


def judge(url: str, *arguments: str) -> int:
    return reasrm("judge", "--jsonl", "cases.jsonl", "--served", str(served_file(Path(), url)), *arguments)


def test_the_same_command_goes_on_and_asks_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    service, out = Service(), Path("judged.jsonl")
    with judge_server(honest, service) as url:
        service.fault = service.until(11)
        assert judge(url, "--out", str(out)) == ExitCode.STOPPED_RESUMABLE
        said = capsys.readouterr()
        assert "every reply so far is kept, the same command goes on" in said.err
        assert not out.exists()
        with Ledger(Path("judged.replies.jsonl")) as kept:
            assert len(kept) == len(service.answered)
        service.fault = no_fault
        assert judge(url, "--out", str(out)) == ExitCode.DONE
        assert len(service.answered) == len(set(service.answered)) == 2 * ROWS
        whole = out.read_bytes()
        assert judge(url, "--out", str(out)) == ExitCode.DONE
        assert len(service.answered) == 2 * ROWS
    assert capsys.readouterr().out == ""
    assert out.read_bytes() == whole
    rows = [json.loads(line) for line in whole.splitlines()]
    assert [(row["id"], row["verdict"]) for row in rows] == [(place, "A") for place in range(ROWS)]


def test_without_out_nothing_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service()
    with judge_server(honest, service) as url:
        service.fault = service.until(21)
        assert judge(url) == ExitCode.STOPPED_RESUMABLE
    said = capsys.readouterr()
    assert "every reply so far is kept" not in said.err
    assert "--out" in said.err
    printed = [json.loads(line)["id"] for line in said.out.splitlines()]
    assert printed == list(range(len(printed)))
    assert len(printed) >= 8


def test_rows_are_printed_as_soon_as_all_before_them_are(capsys: pytest.CaptureFixture[str]) -> None:
    """The last row's reply waits until the first rows are on the screen."""
    seen = threading.Event()

    def last_waits(said: str, _: dict[str, Any]) -> None:
        if f"{ROWS - 1:02}" in said:
            assert seen.wait(20)

    def watch() -> None:
        for _ in range(1000):
            printed.append(capsys.readouterr().out)
            if sum(text.count("\n") for text in printed) == ROWS - 1:
                break
            threading.Event().wait(0.02)
        seen.set()

    printed: list[str] = []
    watcher = threading.Thread(target=watch)
    with judge_server(honest, last_waits) as url:
        watcher.start()
        assert judge(url) == ExitCode.DONE
        watcher.join()
    assert sum(text.count("\n") for text in printed) == ROWS - 1


def test_a_refused_row_is_one_row_without_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(said: str, _: dict[str, Any]) -> tuple[int, str] | None:
        return (400, "maximum context length is 99 tokens") if "Which of 07?" in said else None

    with judge_server(honest, refuse) as url:
        assert judge(url) == 5
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert reasrm("judge", "--prompt", "Which of 07?", "--a", "x", "--b", "y", "--served", "served.yaml") == 5
    assert [row["id"] for row in found if row["verdict"] is None] == [7]
    assert {order["unreadable"] for order in found[7]["orders"]} == {Unreadable.TOO_LONG}
    assert "could not be read (too_long)" in capsys.readouterr().out


def test_two_runs_do_not_write_to_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    with judge_server(honest) as url, Ledger(Path("judged.replies.jsonl")):
        assert judge(url, "--out", "judged.jsonl") == ExitCode.BUSY
    assert "another run" in capsys.readouterr().err
