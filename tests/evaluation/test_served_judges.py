"""Judges behind HTTP whose replies hold thoughts or split characters: what counts, and with what probability."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from reasrm.commands.judge import NO_VERDICT
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.inference.replies import logprob_in_pieces, verdict_letter
from reasrm.inference.served_model import load_served_model, served_model
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison, Side
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import judge_server, served_file
from tests.fixtures.tiny_prompts import user

REHEARSAL = "The form is <answer>[[A]]</answer>, so I go on and"
CASE = ["--prompt", "Which?", "--a", "x", "--b", "y", "--json"]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def judged(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, finish: str, opens_thinking: bool
) -> tuple[int, dict[str, Any]]:
    """Exit status and judgment of the command when the served judge writes `text`."""
    with judge_server(lambda _: text, finish=finish) as url:
        status = reasrm("judge", *CASE, "--served", str(served_file(folder, url, opens_thinking)))
    return status, json.loads(capsys.readouterr().out)


def test_a_served_thought_that_is_cut_has_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, judgment = judged(tmp_path, capsys, REHEARSAL, "length", opens_thinking=True)
    assert status == NO_VERDICT
    for order in judgment["orders"]:
        assert (order["unreadable"], order["verdict"], order["confidence"]) == ("truncated", None, None)
        assert order["reply"] == f"<think>{REHEARSAL}"


@pytest.mark.parametrize("begun", ["", "<think>", "\n<think>\n"])
def test_a_served_thought_that_ends_is_read_behind_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], begun: str
) -> None:
    """Whether or not the server gives the opening tag back."""
    text = f"{begun}{REHEARSAL} é end.</think>\n<answer>[[B]]</answer>"
    status, judgment = judged(tmp_path, capsys, text, "stop", opens_thinking=True)
    assert status == NO_VERDICT
    assert [order["verdict"] for order in judgment["orders"]] == ["B", "A"]
    assert [order["reply"].count("<think>") for order in judgment["orders"]] == [1, 1]
    assert [order["confidence"] for order in judgment["orders"]] == [pytest.approx(math.exp(-0.1))] * 2


def test_a_verdict_before_the_limit_stands_where_nothing_is_thought(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, judgment = judged(tmp_path, capsys, "<answer>[[A]]</answer> and on", "length", opens_thinking=False)
    assert [order["verdict"] for order in judgment["orders"]] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("“naïve” 🦊 <eval>é</eval><answer>[[A]]</answer> as I said: ü", "</answer>"),
        ("🦊 is better: **[[A]]**", ""),
        ("<think>[[B]]</think> ü [[A]]", ""),
    ],
)
def test_split_characters_do_not_shift_the_verdicts_probability(
    tmp_path: Path, greedy: Sampling, text: str, stop: str
) -> None:
    with judge_server(lambda _: text) as url:
        settings = LocalModelSettings.model_construct(checkpoint=served_file(tmp_path, url))
        model = open_model(EngineName.API, settings)
        shown = Comparison(pair_id="p", prompt=user("q"), response_a="x", response_b="y", better=Side.A)
        asked = Prompt(judge_prompt(shown, PromptVariant.FULL))
        ((_, reply),) = model.engine.generate([asked], greedy.model_copy(update={"stop": stop}))
        model.engine.close()
    assert reply.verdict_logprob == -0.1


def test_thoughts_among_the_pieces_and_damaged_ones_are_no_obstacle() -> None:
    written = "é <answer>[[B]]</answer>"
    pieces = [
        (b"I think [[B]]", -5.0),
        ("\ufffd\ufffd <answer>[[".encode(), -4.0),
        (b"B", -1.0),
        (b"]]</answer>", -3.0),
    ]
    assert logprob_in_pieces(written, written.index("B"), pieces) == -1.0
    assert logprob_in_pieces(written, written.index("B"), pieces[:2]) is None
    assert logprob_in_pieces(written, written.index("B"), []) is None


@pytest.mark.parametrize(
    ("text", "stop", "place"),
    [
        ("so <answer>[[A]]</answer>", "</answer>", 13),
        ("so [[A]]", "</answer>", None),
        ("so [[A]]", "", 5),
        ("so [[A]], I think", "", None),
        ("<think>so [[A]]", "", None),
        ("<answer>[[A]]</answer> or rather [[B]]", "", None),
        ("<answer>[[A]]</answer> it is", "", 10),
    ],
)
def test_where_the_verdicts_letter_stands(text: str, stop: str, place: int | None) -> None:
    reply = Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)
    assert verdict_letter(reply, stop) == place


def test_a_name_and_an_address_are_a_whole_description(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "served.yaml"
    with judge_server(lambda _: "<answer>[[A]]</answer>") as url:
        file.write_text(f"model: judge\nbase_url: {url}\n")
        assert reasrm("judge", *CASE, "--served", str(file)) == NO_VERDICT
    assert load_served_model(file) == served_model("judge", url)
    file.write_text("base_url: http://127.0.0.1:9/v1\n")
    assert reasrm("judge", *CASE, "--served", str(file)) == ExitCode.FAILED
    assert "model: Field required" in capsys.readouterr().err
