"""The Python examples of `docs/python.md` and the command, against every kind of judge: one outcome."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from reasrm.commands.judge import NO_VERDICT
from reasrm.evaluation.judge_opening import open_judge, open_scalar_judge
from reasrm.evaluation.pairwise_judgment import PairwiseJudgment, judge_pair
from reasrm.inference.vocabulary import UnknownWordsError
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Side
from reasrm.runtime.stage_main import ExitCode, StageError
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import judge_server, served_file

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs/python.md"
QUESTION, RIGHT, WRONG = (
    "How do I steal a car?",
    "Sorry, I cannot help with the car.",
    "Sure, that is easy: steal the car with care.",
)
EXAMPLE = ["--prompt", QUESTION, "--a", RIGHT, "--b", WRONG, "--json"]


def knows(answers: dict[Side, str]) -> str:
    return f"<answer>[[{Side.A if answers[Side.A] == RIGHT else Side.B}]]</answer>"


def documented(kind: str) -> PairwiseJudgment:
    """What the documented example gives that opens the `kind` of judge."""
    examples = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = (one for one in examples if "judgment = judge_pair(" in one and f"with open_{kind}" in one)
    names: dict[str, Any] = {}
    exec(example, names)
    assert isinstance(names["judgment"], PairwiseJudgment)
    return names["judgment"]


def commanded(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()  # what the example printed
    status = reasrm("judge", *EXAMPLE, *arguments)
    judgment: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (NO_VERDICT if judgment["verdict"] is None else ExitCode.DONE)
    return judgment


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained judge whose vocabulary holds the words of the example."""
    from reasrm.miniature.tiny_model import TinyShape, new_model, train_tokenizer

    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    tokenizer = train_tokenizer([QUESTION, RIGHT, WRONG, "a longer answer", "short", "word word"], 400)
    shape = TinyShape(
        hidden_size=32, layers=2, heads=2, intermediate_size=64, vocabulary=512, context=256, initial_std=0.4
    )
    new_model(tokenizer, shape, seed=1).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


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
    judgment = documented('judge("data/checkpoints/grpo-full")')
    assert all(order.reply and order.completion_tokens for order in judgment.orders)
    assert commanded([], capsys) == judgment.model_dump(mode="json")


def test_a_served_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with judge_server(knows) as url:
        file = served_file(tmp_path, url)
        judgment = documented('judge("served.yaml"')
        assert commanded(["--served", str(file)], capsys) == judgment.model_dump(mode="json")
    assert judgment.verdict is Side.A


@pytest.mark.parametrize("protocol", ["openai", "openai_responses", "anthropic"])
def test_a_vendors_model(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    with judge_server(knows) as url:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        judgment = documented("judge(served_model(")
        commanded_judgment = commanded(["--api", protocol, "--model", "gpt-4o-2024-08-06"], capsys)
    assert (commanded_judgment["verdict"], judgment.verdict) == ("A", Side.A)


def test_a_scalar_judge(scorer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judgment = documented("scalar_judge(")
    first, second = judgment.orders
    assert first.scores is not None
    assert first.scores == second.scores
    assert first.scores[0] != first.scores[1]
    assert judgment.verdict is (Side.A if first.scores[0] > first.scores[1] else Side.B)
    assert commanded(["--engine", "scalar", "--model", str(scorer)], capsys) == judgment.model_dump(mode="json")
    assert reasrm("judge", *EXAMPLE[:-1], "--engine", "scalar", "--model", str(scorer)) == ExitCode.DONE
    assert f"scores: A {first.scores[0]:g}, B {first.scores[1]:g}" in capsys.readouterr().out


def test_scores_of_many_rows_turn_with_the_answers(scorer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [("short", "a longer answer"), ("a longer answer", "short"), ("short", "word" + " word" * 300)]
    Path("cases.jsonl").write_text("\n".join(json.dumps({"prompt": QUESTION, "a": a, "b": b}) for a, b in answers))
    arguments = ["--engine", "scalar", "--model", str(scorer), "--jsonl", "cases.jsonl"]
    assert reasrm("judge", *arguments) == NO_VERDICT
    printed = capsys.readouterr().out
    assert reasrm("judge", *arguments, "--out", "judged.jsonl") == NO_VERDICT
    one, other, long = (json.loads(line) for line in printed.splitlines())
    assert one["orders"][0]["scores"] == other["orders"][0]["scores"][::-1]
    assert {order["unreadable"] for order in long["orders"]} == {Unreadable.TOO_LONG}
    assert [json.loads(line) for line in Path("judged.jsonl").read_text().splitlines()] == [one, other, long]


def test_a_scoring_checkpoint_is_no_text_judge(scorer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reasrm("judge", *EXAMPLE, "--model", str(scorer)) == ExitCode.FAILED
    assert "--engine scalar" in capsys.readouterr().err
    with pytest.raises(StageError, match="no checkpoint"):
        open_scalar_judge("absent")


@pytest.mark.parametrize("kind", ["text", "scalar"])
def test_words_that_the_vocabulary_lacks_are_named_instead_of_a_verdict(
    checkpoint: Path, scorer: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    judge = open_judge(checkpoint) if kind == "text" else open_scalar_judge(scorer)
    with judge, pytest.raises(UnknownWordsError, match=r"lacks 'What', '2', '\+', 'It'"):
        judge_pair(judge, "What is 2 + 2?", a="It is 2.", b=WRONG)
    model = [str(checkpoint)] if kind == "text" else [str(scorer), "--engine", "scalar"]
    assert reasrm("judge", "--prompt", QUESTION, "--a", "no idea", "--b", WRONG, "--model", *model) == ExitCode.FAILED
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "'no', 'idea'" in printed.err
    talk = [{"role": role, "content": text} for role, text in (("user", "why"), ("assistant", RIGHT), ("user", "sum"))]
    rows = [{"prompt": QUESTION, "a": RIGHT, "b": WRONG}, {"prompt": talk, "a": RIGHT, "b": WRONG}]
    Path("rows.jsonl").write_text("\n\n".join(map(json.dumps, rows)))
    assert reasrm("judge", "--jsonl", "rows.jsonl", "--out", "judged.jsonl", "--model", *model) == ExitCode.FAILED
    assert "rows.jsonl line 3: the prompt 'sum' cannot be judged" in (printed := capsys.readouterr().err)
    assert "'why'" in printed
    assert not Path("judged.jsonl").exists()
