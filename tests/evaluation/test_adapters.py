"""Each adapter for a published judge, from the user's prompt file to the verdict in both orders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.judge_opening import open_judge
from reasrm.evaluation.judge_params import JudgeParams, RunningParams
from reasrm.evaluation.judge_template import PublishedTemplate
from reasrm.evaluation.pairwise_judgment import PairwiseJudgment, judge_pair
from reasrm.evaluation.published_judges.prompt_file import PromptFileError, load_prompt_file
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import EngineName, OpenModel, open_model, plain_prompts
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.judging.prompt import RESPONSE_END, RESPONSE_START
from reasrm.judging.verdict import Unreadable
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from stages.judge import judge_items
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import honest, judge_server, served_file
from tests.fixtures.tiny_prompts import user

GOOD, BAD = "GOOD is what this answer is", "this one is not"
PAIR = f"Q {{question}}\n{RESPONSE_START[Side.A]}\n{{answer_a}}\n{RESPONSE_END[Side.A]}\n" + (
    f"{RESPONSE_START[Side.B]}\n{{answer_b}}\n{RESPONSE_END[Side.B]}"
)
ALONE = {"single_turn": "Rate.\n{question}\n---\n{answer}", "multi_turn": "Rate.\n{conversation}"}

Words = Callable[[bool], str]
"""What a judge writes if the answer it prefers is A."""


def rubric(first: bool) -> str:
    return f"<eval>[[{'B' if first else 'A'}]] is not it</eval><answer>[[{'A' if first else 'B'}]]</answer>"


def thinker(first: bool) -> str:
    return f"<think>{rubric(not first)}</think>\n{rubric(first)}"


def two_scores(first: bool) -> str:
    scores = (9, 3) if first else (3, 9)
    return f"one of them 5 of 10</think><answer>{scores[0]}</answer><answer>{scores[1]}</answer>"


def brackets(first: bool) -> str:
    return f"Not [[{'B' if first else 'A'}]].\nMy final verdict is: [[{'A' if first else 'B'}]]"


def boxed(first: bool) -> str:
    return f"Specific Criteria: 1. 2.\nScores: \\boxed{{{'8, 4' if first else '4, 8'}}}."


ADAPTERS: dict[str, tuple[dict[str, Any], Words]] = {
    "RM-R1 instruct": ({"system": "S", "reader": "last_answer"}, rubric),
    "RM-R1 reasoning": ({"reader": "last_answer"}, thinker),
    "JudgeLRM": ({"system": "S", "reader": "answer_scores", "begins": "<think>"}, two_scores),
    "Self-taught evaluator": ({"system": "S", "reader": "last_brackets"}, brackets),
    "DeepSeek-GRM, both at once": ({"reader": "boxed_scores"}, boxed),
    "API judge": ({"system": "S", "reader": "last_brackets"}, brackets),
}


def written(folder: Path, **texts: Any) -> Path:
    path = folder / "prompt.yaml"
    write_yaml(path, texts)
    return path


def judge_of(file: Path, script: Callable[[tuple[Message, ...]], str]) -> tuple[TextJudge, ScriptedEngine]:
    """The judge of a prompt file, played by `script`."""
    template, engine = PublishedTemplate(load_prompt_file(file)), ScriptedEngine(script, "judge")
    sampling = Sampling(max_new_tokens=64, temperature=0.0, top_p=1.0, seed=0, stop=template.stop)
    return TextJudge(OpenModel(engine, plain_prompts), template, [sampling]), engine


def verdicts_of(judgment: PairwiseJudgment) -> list[Side | None]:
    return [judgment.verdict, *(order.verdict for order in judgment.orders)]


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_published_judge_from_its_file_to_the_verdict(tmp_path: Path, name: str) -> None:
    texts, words = ADAPTERS[name]
    judge, engine = judge_of(
        written(tmp_path, single_turn=PAIR, **texts),
        lambda messages: words("GOOD" in messages[-1].content.split(RESPONSE_END[Side.A])[0]),
    )
    assert verdicts_of(judge_pair(judge, "which?", a=GOOD, b=BAD)) == [Side.A] * 3
    assert verdicts_of(judge_pair(judge, "which?", a=BAD, b=GOOD)) == [Side.B] * 3
    assert {prompt.begun for prompt in engine.asked} == {texts.get("begins", "")}
    assert [len(prompt.messages) for prompt in engine.asked] == [2 if "system" in texts else 1] * 4


def rate(messages: tuple[Message, ...]) -> str:
    """Rates one answer, which it sees alone."""
    said = messages[-1].content
    assert not ("GOOD" in said and BAD in said)
    return "Analysis.\nScore: \\boxed{%s}" % ("7" if "even" in said else "9" if "GOOD" in said else "2")


def test_each_answer_rated_alone(tmp_path: Path) -> None:
    """DeepSeek-GRM, pointwise: two prompts for both orders of a comparison, the higher number wins."""
    judge, engine = judge_of(written(tmp_path, reader="boxed_scores", **ALONE), rate)
    judgment = judge_pair(judge, "which?", a=GOOD, b=BAD)
    assert verdicts_of(judgment) == [Side.A] * 3
    assert [order.scores for order in judgment.orders] == [(9.0, 2.0), (9.0, 2.0)]
    assert len(engine.asked) == 2
    assert judgment.orders[0].reply == f"[A] {rate(user(GOOD))}\n\n[B] {rate(user(BAD))}"
    talk = [Message(role=role, content=role.value) for role in (Role.USER, Role.ASSISTANT, Role.USER)]
    assert verdicts_of(judge_pair(judge, talk, a=BAD, b=GOOD)) == [Side.B] * 3
    equal = judge_pair(judge, "which?", a="even", b="even more")
    assert [order.unreadable for order in equal.orders] == [Unreadable.TIE, Unreadable.TIE]


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        ("no number", Unreadable.NO_ANSWER),
        ("\\boxed{7, 5}", Unreadable.BAD_SCORE),
        ("<think>\\boxed{9}", Unreadable.UNCLOSED),
        ("", Unreadable.EMPTY),
    ],
)
def test_one_rating_that_cannot_be_read_leaves_no_verdict(tmp_path: Path, score: str, reason: Unreadable) -> None:
    script = lambda messages: score if BAD in messages[-1].content else rate(messages)  # noqa: E731
    judge, _ = judge_of(written(tmp_path, reader="boxed_scores", **ALONE), script)
    judgment = judge_pair(judge, "which?", a=GOOD, b=BAD)
    assert [order.unreadable for order in judgment.orders] == [reason, reason]


def test_an_answer_pulls_nothing_into_the_other_ones_prompt(tmp_path: Path) -> None:
    judge, engine = judge_of(written(tmp_path, reader="boxed_scores", **ALONE), lambda _: "\\boxed{1}")
    judge_pair(judge, "{answer}", a="{question} {answer_b} {conversation}", b=GOOD)
    assert {prompt.messages[-1].content for prompt in engine.asked} == {
        "Rate.\n{answer}\n---\n{question} {answer_b} {conversation}",
        f"Rate.\n{{answer}}\n---\n{GOOD}",
    }


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"single_turn": "{answer}", "reader": "boxed_scores"}, "`single_turn` lacks {question}"),
        ({**ALONE, "multi_turn": "{conversation_1}", "reader": "boxed_scores"}, "`multi_turn` lacks {conversation}"),
        ({**ALONE, "reader": "last_answer"}, "must give numbers: answer_scores, boxed_scores"),
        ({"single_turn": "{question} {answer} {answer_a}", "reader": "boxed_scores"}, "lacks {answer_b}"),
    ],
)
def test_a_prompt_file_that_cannot_work_is_refused(tmp_path: Path, texts: dict[str, str], said: str) -> None:
    with pytest.raises(PromptFileError, match=said.replace("{", r"\{")):
        load_prompt_file(written(tmp_path, **texts))


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_an_api_judge_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    """As `docs/judging.md` shows it, over HTTP."""
    for vendor in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{vendor}_API_KEY", "test")
    file = written(tmp_path, single_turn=PAIR, reader="last_brackets")
    words = ["--prompt", "which?", "--a", "right", "--b", "wrong", "--prompt-file", str(file), "--json"]
    with judge_server(lambda answers: f"{honest(answers)}: {brackets('right' in answers[Side.A])}") as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url.removesuffix("/v1"))
        assert reasrm("judge", *words, "--api", protocol, "--model", "judge-2026-01-01") == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["verdict"] == "A"


def test_a_service_cannot_begin_its_reply_as_a_prompt_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    template = PublishedTemplate(
        load_prompt_file(written(tmp_path, single_turn=PAIR, reader="answer_scores", begins="<think>"))
    )
    served = served_file(tmp_path, "http://127.0.0.1:9/v1")
    with open_judge(served, EngineName.API, template) as judge, pytest.raises(StageError, match="opens_thinking"):
        judge_pair(judge, "q", a="x", b="y")


def test_a_reply_goes_on_from_what_its_prompt_file_begins(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any
) -> None:
    template = PublishedTemplate(
        load_prompt_file(written(tmp_path, single_turn=PAIR, reader="answer_scores", begins="<think>"))
    )
    model = open_model(EngineName.TRANSFORMERS, settings)
    (plain,), (begun,) = (model.render([user("why")], begins).values() for begins in ("", template.begins))
    assert begun.token_ids == (*plain.token_ids, *tokenizer("<think>", add_special_tokens=False)["input_ids"])
    sampling = Sampling(max_new_tokens=4, temperature=0.0, top_p=1.0, seed=0, stop="")
    ((_, reply),) = model.engine.generate([begun], sampling)
    model.engine.close()
    assert reply.text.startswith("<think>")
    assert template.read([reply]) == (Unreadable.TRUNCATED, None)


def test_the_stage_asks_each_rated_answer_once(
    tmp_path: Path, settings: LocalModelSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two items that share an answer, in both orders: three prompts; the tiny judge's replies hold no number."""
    document = read_yaml(Path(__file__).parents[2] / "params.yaml")
    file = written(tmp_path, reader="boxed_scores", **ALONE)
    judge = {"kind": "generative", "prompt": "full", "published_prompt": str(file), "reads": str(file)}
    sizes = {"checkpoint": settings.checkpoint, "max_new_tokens": 32, "max_context_tokens": 256, "token_budgets": [4]}
    params = JudgeParams.model_validate(document["judge"] | judge | sizes)
    pairs = [PreferencePair(prompt=user("q"), chosen="x", rejected=text, source="t") for text in ("y", "z")]
    items = [BenchmarkItem(benchmark="rmb", item_id=p.rejected, group="g", pair=p, keys={}) for p in pairs]
    shown = [(item, side) for item in items for side in Side]
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        judged = judge_items(shown, params, RunningParams(**document["judge_running"]), ledger)
    assert (judged.identity["asked"], judged.identity["judgments"]) == (3, 4)
    assert judged.identity["form"]["reader"] == "boxed_scores"
    for one, ended in zip(judged.judgments, judged.budgets[4], strict=True):
        assert one.reply is not None
        assert one.reply.text.startswith("[A] ")
        assert ended.reply is not None
        assert ended.reply.text.count("\n\\boxed{") == 2
