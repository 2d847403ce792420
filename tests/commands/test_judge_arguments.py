"""Options and texts of `reasrm judge` that cannot be meant: each is refused in one line, none ends in a traceback."""

import io
import json
import os
from pathlib import Path

import pytest

from reasrm.evaluation.judge_opening import open_judge
from reasrm.evaluation.pairwise_judgment import judge_pair
from reasrm.records.pair import Message, Role
from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import honest, judge_server, served_file

CASE = ["--prompt", "Which?", "--a", "the right one", "--b", "x"]
BROKEN = b"caf\xe9"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Standard input as a shell in the C locale gives it: bytes that are no UTF-8 are let through."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="surrogateescape"))


def judged(*arguments: str) -> int:
    with judge_server(honest) as url:
        return reasrm("judge", *arguments, "--served", str(served_file(Path(), url)))


def test_bytes_that_are_no_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    feed(monkeypatch, BROKEN)
    assert judged("--prompt", "q", "--a", "-", "--b", "x") == ExitCode.FAILED
    assert "--a '-': cannot be read as UTF-8" in capsys.readouterr().err
    assert judged("--prompt", "q", "--a", os.fsdecode(BROKEN), "--b", "x") == ExitCode.FAILED
    assert "--a 'caf\\udce9'" in capsys.readouterr().err
    Path("broken.txt").write_bytes(BROKEN)
    assert judged("--prompt", "@broken.txt", "--a", "x", "--b", "y") == ExitCode.FAILED
    assert "--prompt '@broken.txt'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["-", "broken.jsonl"])
def test_rows_that_are_no_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str) -> None:
    rows = b'{"prompt": "q", "a": "right", "b": "y"}\n{"prompt": "' + BROKEN + b'", "a": "x", "b": "y"}\n'
    feed(monkeypatch, rows)
    Path("broken.jsonl").write_bytes(rows)
    assert judged("--jsonl", name) == ExitCode.FAILED
    assert f"{name} line 2: " in capsys.readouterr().err


@pytest.mark.parametrize("question", ["", " \n"])
def test_an_empty_question_is_refused_everywhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    feed(monkeypatch, question.encode())
    for word in (question, "-"):
        assert judged("--prompt", word, "--a", "x", "--b", "y") == ExitCode.FAILED
        assert "question is empty" in capsys.readouterr().err
    for prompt in (question, [{"role": "user", "content": question}]):
        Path("rows.jsonl").write_text(json.dumps({"prompt": prompt, "a": "x", "b": "y"}))
        assert judged("--jsonl", "rows.jsonl") == ExitCode.FAILED
        assert "question is empty" in capsys.readouterr().err


@pytest.mark.parametrize("last", ["assistant", "system", None])
def test_a_conversation_ends_with_the_client(capsys: pytest.CaptureFixture[str], last: str | None) -> None:
    talk = [] if last is None else [{"role": "user", "content": "hi"}, {"role": last, "content": "It is 4."}]
    Path("rows.jsonl").write_text(json.dumps({"prompt": talk, "a": "x", "b": "y"}))
    assert judged("--jsonl", "rows.jsonl") == ExitCode.FAILED
    said = capsys.readouterr().err
    assert "rows.jsonl line 1: prompt" in said
    assert ("at least one turn" if last is None else f"it is the {last}'s") in said
    turns = [Message(role=Role(turn["role"]), content=turn["content"]) for turn in talk]
    with open_judge(served_file(Path(), "http://127.0.0.1:9"), "api") as judge, pytest.raises(ValueError, match="turn"):
        judge_pair(judge, turns, "x", "y")


@pytest.mark.parametrize(("word", "text"), [("@@home", "@home"), ("@@@", "@@"), ("a@b", "a@b")])
def test_a_text_may_begin_with_an_at(capsys: pytest.CaptureFixture[str], word: str, text: str) -> None:
    assert judged("--prompt", "q", "--a", f"{word} right", "--b", "x", "--json") == ExitCode.DONE
    judgment = json.loads(capsys.readouterr().out)
    assert judgment["orders"][0]["quotes"][0]["text"] == f"{text} right"


@pytest.mark.parametrize(
    "arguments",
    [
        [*CASE, "--max-new-tokens", "0"],
        [*CASE, "--max-new-tokens", "-5"],
        [*CASE, "--max-new-tokens", "many"],
        [*CASE, "--served", "s.yaml", "--model", "m"],
        [*CASE, "--served", "s.yaml", "--base-url", "http://127.0.0.1:9/v1"],
        [*CASE, "--base-url", "http://127.0.0.1:9/v1"],
        [*CASE, "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--engine", "vllm"],
        [*CASE, "--served", "s.yaml", "--api", "openai"],
        [*CASE, "--served", "s.yaml", "--engine", "transformers"],
        [*CASE, "--api", "openai", "--model", "m", "--dtype", "float32"],
        [*CASE, "--api", "openai", "--model", "m", "--data-parallel", "2"],
        [*CASE, "--tensor-parallel", "2"],
        [*CASE, "--engine", "scalar", "--tensor-parallel", "2"],
        [*CASE, "--engine", "scalar", "--variant", "full"],
        [*CASE, "--prompt-file", "p.yaml", "--variant", "full"],
        [*CASE, "--out", "o.jsonl"],
        ["--jsonl", "rows.jsonl", "--out", "rows.jsonl"],
        ["--jsonl", "rows.replies.jsonl", "--out", "rows.jsonl"],
        ["--jsonl", "rows.jsonl", "--out", "."],
    ],
)
def test_options_that_exclude_each_other(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("rows.jsonl").write_text("")
    Path("rows.replies.jsonl").write_text("{")
    assert reasrm("judge", *arguments) == ExitCode.USAGE
    assert "Traceback" not in capsys.readouterr().err
    assert Path("rows.replies.jsonl").read_text() == "{"


@pytest.mark.parametrize("kind", ["no_ledger", "no_folder"])
def test_an_output_that_cannot_be_written(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    Path("rows.jsonl").write_text(json.dumps({"prompt": "q", "a": "right", "b": "y"}))
    Path("file").write_text("")
    Path("judged.replies.jsonl").write_text("{}\n")
    out = "judged.jsonl" if kind == "no_ledger" else "file/judged.jsonl"
    assert judged("--jsonl", "rows.jsonl", "--out", out) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert said.startswith("reasrm judge: ")
    assert ("judged.replies.jsonl" if kind == "no_ledger" else "'file'") in said


@pytest.mark.parametrize("made", ["folder", "bytes", "list"])
def test_what_is_no_description_of_a_served_model(capsys: pytest.CaptureFixture[str], made: str) -> None:
    file = Path("served.yaml")
    if made == "folder":
        file.mkdir()
    else:
        file.write_bytes(BROKEN if made == "bytes" else b"- a list")
    assert reasrm("judge", *CASE, "--served", str(file)) == ExitCode.FAILED
    assert capsys.readouterr().err.startswith("reasrm judge: served.yaml: ")
