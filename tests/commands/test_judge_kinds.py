"""The call of three lines, as `docs/judging.md` shows it, and the command, against every kind of judge: one outcome."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from reasrm.commands.judge import NO_VERDICT, main
from reasrm.evaluation.pairwise_judgment import Opinion
from reasrm.evaluation.scalar_judge import open_scalar_judge
from reasrm.inference.served_model import served_model
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Side
from reasrm.runtime.stage_main import ExitCode, StageError
from tests.fixtures.judge_server import judge_server, served_file

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs/judging.md"
WORDS = ["--prompt", "What is 2 + 2?", "--a", "It is 4.", "--b", "It is 5.", "--json"]


def knows(answers: dict[Side, str]) -> str:
    return f"<answer>[[{Side.A if '4' in answers[Side.A] else Side.B}]]</answer>"


def documented(kind: str) -> Opinion:
    """What the documented lines give, with the line that opens the `kind` of judge in them."""
    shown = [line.strip() for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("    ")]
    (start,) = (line for line in shown if line.startswith("from reasrm.evaluation.text_judge"))
    (opened,) = (line.partition("#")[0] for line in shown if line.startswith("judge = ") and kind in line)
    (asked,) = (line[len("print(") : -len(".verdict)")] for line in shown if line.startswith("print(judge."))
    known: dict[str, Any] = {"served_model": served_model, "open_scalar_judge": open_scalar_judge}
    exec("\n".join((start, opened, f"said = {asked}", "judge.close()")), known)
    assert isinstance(known["said"], Opinion)
    return known["said"]


def commanded(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    status = main([*WORDS, *words])
    opinion: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (NO_VERDICT if opinion["verdict"] is None else ExitCode.DONE)
    return opinion


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "test")


@pytest.fixture
def scorer(checkpoint: Path, tmp_path: Path) -> Path:
    """A classifier of the miniature's architecture, untrained."""
    import torch
    from transformers import AutoModelForSequenceClassification

    folder = tmp_path / "data/checkpoints/scalar_rm"
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=1)
    model.config.pad_token_id = 0
    shutil.copytree(checkpoint, folder)
    model.save_pretrained(folder)
    return folder


def test_a_checkpoint(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(checkpoint, tmp_path / "data/checkpoints/grpo-full")
    said = documented("grpo-full")
    assert all(order.reply and order.completion_tokens for order in said.orders)
    assert commanded([], capsys) == said.model_dump(mode="json")


def test_a_served_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with judge_server(knows) as url:
        file = served_file(tmp_path, url)
        said = documented("served.yaml")
        assert commanded(["--served", str(file)], capsys) == said.model_dump(mode="json")
    assert said.verdict is Side.A


@pytest.mark.parametrize("protocol", ["openai", "openai_responses", "anthropic"])
def test_a_vendors_model(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    with judge_server(knows) as url:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        said = documented("served_model(")
        opinion = commanded(["--api", protocol, "--model", "gpt-4o-2024-08-06"], capsys)
    assert (opinion["verdict"], said.verdict) == ("A", Side.A)


def test_a_scalar_judge(scorer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = documented("open_scalar_judge")
    first, second = said.orders
    assert first.scores is not None
    assert first.scores == second.scores
    assert first.scores[0] != first.scores[1]
    assert said.verdict is (Side.A if first.scores[0] > first.scores[1] else Side.B)
    assert commanded(["--engine", "scalar", "--model", str(scorer)], capsys) == said.model_dump(mode="json")
    assert main([*WORDS[:-1], "--engine", "scalar", "--model", str(scorer)]) == ExitCode.DONE
    assert f"scores: A {first.scores[0]:g}, B {first.scores[1]:g}" in capsys.readouterr().out


def test_scores_of_many_rows_turn_with_the_answers(scorer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("q", "short", "a longer answer"), ("q", "a longer answer", "short"), ("q", "x", "word " * 300)]
    Path("cases.jsonl").write_text("\n".join(json.dumps({"prompt": q, "a": a, "b": b}) for q, a, b in rows))
    words = ["--engine", "scalar", "--model", str(scorer), "--jsonl", "cases.jsonl"]
    assert main(words) == NO_VERDICT
    printed = capsys.readouterr().out
    assert main([*words, "--out", "opinions.jsonl"]) == NO_VERDICT
    one, other, long = (json.loads(line) for line in printed.splitlines())
    assert one["orders"][0]["scores"] == other["orders"][0]["scores"][::-1]
    assert {order["unreadable"] for order in long["orders"]} == {Unreadable.TOO_LONG}
    assert [json.loads(line) for line in Path("opinions.jsonl").read_text().splitlines()] == [one, other, long]


def test_a_scoring_checkpoint_is_no_text_judge(scorer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--model", str(scorer)]) == ExitCode.FAILED
    assert "--engine scalar" in capsys.readouterr().err
    with pytest.raises(StageError, match="no checkpoint"):
        open_scalar_judge("absent")
