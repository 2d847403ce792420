"""The stage `judge`: orders, one question per distinct prompt, refusals, scores, files that are the same every time."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.benchmark_judgments import items_in_orders, read_items, write_judgments
from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.verdict import Unreadable
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Orders, Side, hashed_side, show
from reasrm.records.jsonl import write_records
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import read_yaml
from stages.judge import JudgeParams, RunningParams, judge_items
from tests.fixtures.judge_server import first_is_best, judge_server, served_file

PARAMS = {
    "kind": "generative",
    "prompt": "full",
    "published_prompt": None,
    "reads": "data/benchmarks",
    "engine": "transformers",
    "orders": "both",
    "seed": 0,
    "max_new_tokens": 8,
    "max_context_tokens": 128,
    "temperature": 0.0,
    "top_p": 1.0,
    "samples": 1,
    "token_budgets": [],
    "batch_size": 4,
    "batch_tokens": 512,
    "dtype": "float32",
    "attention": "eager",
    "threads": 1,
    "cache_tokens": 4096,
    "tensor_parallel": 1,
}
RUNNING = RunningParams(data_parallel=1, memory_share=0.9)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "test")


def item(number: int, question: str, chosen: str, rejected: str) -> BenchmarkItem:
    turns = (Message(role=Role.USER, content=question),)
    pair = PreferencePair(prompt=turns, chosen=chosen, rejected=rejected, source="test")
    benchmark = "rm_bench" if number % 2 else "rmb"
    return BenchmarkItem(benchmark=benchmark, item_id=f"i{number}", group="g", pair=pair, keys={})


@pytest.fixture
def items() -> list[BenchmarkItem]:
    """Four items: one pair twice, one too long."""
    twice = [item(number, "why", "because", "no idea") for number in (0, 1)]
    return [*twice, item(2, "who", "she", "he"), item(3, "what", "long " * 200, "short")]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained judge and an untrained scorer of the miniature's architecture."""
    from transformers import Qwen3ForSequenceClassification

    from reasrm.miniature.tiny_model import TinyShape, new_model, train_tokenizer

    folder = tmp_path_factory.mktemp("checkpoints")
    tokenizer = train_tokenizer(["why because no idea who she he what long short"], 300)
    shape = TinyShape(
        hidden_size=32, layers=1, heads=2, intermediate_size=32, vocabulary=512, context=256, initial_std=0.4
    )
    model = new_model(tokenizer, shape, seed=1)
    model.save_pretrained(folder / "judge")
    model.config.num_labels = 1
    Qwen3ForSequenceClassification(model.config).save_pretrained(folder / "scorer")
    for name in ("judge", "scorer"):
        tokenizer.save_pretrained(folder / name)
    return folder


def params(checkpoint: Path, **changes: Any) -> JudgeParams:
    return JudgeParams.model_validate(PARAMS | {"checkpoint": checkpoint} | changes)


def test_orders(items: list[BenchmarkItem]) -> None:
    both = items_in_orders(items, Orders.BOTH, 0)
    assert [side for _, side in both] == [Side.A, Side.B] * len(items)
    hashed = items_in_orders(items, Orders.HASHED, 0)
    assert hashed == [(one, hashed_side(one.pair, 0)) for one in items]


def test_distinct_prompts_are_asked_once_and_long_ones_refused(
    items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path
) -> None:
    shown = items_in_orders(items, Orders.BOTH, 0)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        judgments, _, identity = judge_items(shown, params(checkpoints / "judge"), RUNNING, ledger)
        again, _, same = judge_items(shown, params(checkpoints / "judge"), RUNNING, ledger)
    assert (judgments, identity) == (again, same)
    assert [(one.item_id, one.better) for one in judgments] == [(one.item_id, side) for one, side in shown]
    assert (identity["judgments"], identity["asked"], identity["too_long"], identity["engine_starts"]) == (8, 4, 2, 1)
    assert identity["form"] == RubricsTemplate(PromptVariant.FULL).identity()
    refused = [one for one in judgments if one.unreadable == Unreadable.TOO_LONG]
    assert {one.item_id for one in refused} == {"i3"}
    assert all(one.reply is None and one.verdict is None for one in refused)
    assert all(one.reply is not None for one in judgments if one.item_id != "i3")


@pytest.mark.parametrize(
    ("kind", "longest"),
    [
        ("generative", r"of which a reply may take 8; the longest needs 229 tokens"),
        ("scalar", r"the longest needs \d+ tokens"),
    ],
)
def test_a_run_in_which_nothing_was_asked_fails_and_says_what_would_help(
    items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path, kind: str, longest: str
) -> None:
    shown = items_in_orders(items, Orders.BOTH, 0)
    source = checkpoints / {"generative": "judge", "scalar": "scorer"}[kind]
    with Ledger(tmp_path / "ledger.jsonl") as ledger, pytest.raises(StageError) as caught:
        judge_items(shown, params(source, kind=kind, max_context_tokens=2), RUNNING, ledger)
    assert re.search(
        rf"no prompt was asked \(\d too long, 0 not rendered.*`max_context_tokens`.* is 2.*{longest}", str(caught.value)
    )


def _refusing(checkpoint: Path, folder: Path, condition: str) -> Path:
    """A copy of `checkpoint` whose chat template refuses a turn that meets `condition`."""
    shutil.copytree(checkpoint, folder)
    template = folder / "chat_template.jinja"
    refusal = "{% for m in messages %}{% if " + condition + " %}{{ raise_exception('no she') }}{% endif %}{% endfor %}"
    template.write_text(refusal + template.read_text())
    return folder


@pytest.mark.parametrize("kind", ["generative", "scalar"])
def test_a_prompt_that_the_template_does_not_render_is_one_unreadable_judgment(
    items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = items_in_orders(items, Orders.BOTH, 0)
    source = checkpoints / {"generative": "judge", "scalar": "scorer"}[kind]
    drawn = {"token_budgets": [4], "max_new_tokens": 40, "max_context_tokens": 160}
    choosy = params(_refusing(source, tmp_path / "choosy", "'she' in m.content"), kind=kind, **drawn)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        judged = judge_items(shown, choosy, RUNNING, ledger)
        assert judge_items(shown, choosy, RUNNING, ledger) == judged
    unrendered = [one for one in judged.judgments if one.unreadable == Unreadable.UNRENDERABLE]
    assert {one.item_id for one in unrendered} == {"i2"}
    assert all(one.reply is None and one.scores is None for one in unrendered)
    assert judged.identity["unrenderable"] == {"generative": 2, "scalar": 1}[kind]
    assert judged.identity["too_long"] == {"generative": 2, "scalar": 1}[kind]
    for within in judged.budgets.values():
        assert {one.item_id for one in within if one.unreadable == Unreadable.UNRENDERABLE} == {"i2"}
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if "not judged (`unrenderable`)" in line and "no she" in line]) == 2
    if kind == "generative":
        again = choosy.model_copy(update={"engine": EngineName.REPLAY, "checkpoint": tmp_path / "ledger.jsonl"})
        with Ledger(tmp_path / "other.jsonl") as other:
            replayed = judge_items(shown, again.model_copy(update={"token_budgets": ()}), RUNNING, other)
        assert replayed.judgments == judged.judgments
        assert replayed.identity["unrenderable"] == 2


@pytest.mark.parametrize("kind", ["generative", "scalar"])
def test_a_template_that_does_not_render_a_plain_comparison_either_is_refused_before_anything_is_asked(
    items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path, kind: str
) -> None:
    source = checkpoints / {"generative": "judge", "scalar": "scorer"}[kind]
    choosy = params(_refusing(source, tmp_path / "choosy", "m.content"), kind=kind)
    with Ledger(tmp_path / "ledger.jsonl") as ledger, pytest.raises(StageError, match="refuses a conversation of"):
        judge_items(items_in_orders(items, Orders.BOTH, 0), choosy, RUNNING, ledger)
    assert not (tmp_path / "ledger.jsonl").exists() or not (tmp_path / "ledger.jsonl").read_text()


def test_engine_starts_are_counted(items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path) -> None:
    shown = items_in_orders(items, Orders.BOTH, 0)
    long = items_in_orders(items[3:], Orders.BOTH, 0)
    drawn = {"samples": 3, "temperature": 1.0, "max_new_tokens": 40, "token_budgets": [4, 9]}
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        assert (
            judge_items(shown, params(checkpoints / "judge", **drawn), RUNNING, ledger).identity["engine_starts"] == 1
        )
        with pytest.raises(StageError, match="nothing was judged"):
            judge_items(long, params(checkpoints / "judge"), RUNNING, ledger)
        scorer = params(checkpoints / "scorer", kind="scalar")
        assert judge_items(shown, scorer, RUNNING, ledger).identity["engine_starts"] == 1
        assert judge_items(shown, scorer, RUNNING, ledger).identity["engine_starts"] == 1


def test_a_second_load_is_counted(items: list[BenchmarkItem], checkpoints: Path) -> None:
    given = params(checkpoints / "judge")
    model, template = open_model(given.engine, given.local_model(RUNNING)), given.template()
    prompts = list(model.render(template.prompts(show(items[0].pair, Side.A))).values())
    assert model.engine.starts == 0
    for expected in (1, 1):
        list(model.engine.generate(prompts, given.samplings(template.stop)[0]))
        assert model.engine.starts == expected
    model.engine.close()
    list(model.engine.generate(prompts, given.samplings(template.stop)[0]))
    assert model.engine.starts == 2


def test_a_scorer_scores_each_answer_once(items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path) -> None:
    shown = items_in_orders(items, Orders.BOTH, 0)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        judgments, _, identity = judge_items(shown, params(checkpoints / "scorer", kind="scalar"), RUNNING, ledger)
    assert (identity["asked"], identity["too_long"]) == (5, 1)
    for first, second in zip(judgments[::2], judgments[1::2], strict=True):
        if first.item_id == "i3":
            assert (first.unreadable, first.scores) == (Unreadable.TOO_LONG, None)
            continue
        assert first.scores is not None
        assert second.scores == first.scores[::-1]
        assert first.verdict is (Side.A if first.scores[0] > first.scores[1] else Side.B)
        assert second.verdict is first.verdict.other


def test_a_replay_gives_the_same_judgments(items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path) -> None:
    """A checkpoint's and a service's, prompts that were too long for them included."""
    shown = items_in_orders(items, Orders.BOTH, 0)

    def too_long(said: str, _: dict[str, Any]) -> tuple[int, str] | None:
        return (400, "maximum context length is 99 tokens") if "long long" in said else None

    with judge_server(first_is_best, too_long) as url:
        for name, judge in (("transformers", checkpoints / "judge"), ("api", served_file(tmp_path, url))):
            path = tmp_path / f"{name}.jsonl"
            with Ledger(path) as ledger:
                first = judge_items(shown, params(judge, engine=name), RUNNING, ledger)
            with Ledger(tmp_path / f"{name} again.jsonl") as ledger:
                again = judge_items(shown, params(path, engine="replay"), RUNNING, ledger)
            assert again.judgments == first.judgments
            counts = [(one.identity["asked"], one.identity["too_long"]) for one in (first, again)]
            assert counts == [(4, 2), (4, 2)]
            assert {one.item_id for one in again.judgments if one.unreadable == Unreadable.TOO_LONG} == {"i3"}
            assert all(one.reply is None for one in again.judgments if one.item_id == "i3")


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_what_was_not_sent_is_not_said_to_be(items: list[BenchmarkItem], tmp_path: Path, protocol: str) -> None:
    with judge_server(first_is_best) as url:
        file = served_file(tmp_path, url)
        file.write_text(file.read_text().replace("protocol: openai", f"protocol: {protocol}"))
        with Ledger(tmp_path / "ledger.jsonl") as ledger:
            shown = items_in_orders(items[:1], Orders.BOTH, 0)
            identity = judge_items(shown, params(file, engine="api"), RUNNING, ledger).identity
    recorded = identity["params"]
    assert (recorded["temperature"], recorded["top_p"]) == ((None, None) if protocol == "anthropic" else (0.0, 1.0))
    assert recorded["max_new_tokens"] == 8
    assert "checkpoint" not in recorded


def test_samples_vote(items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path) -> None:
    shown = items_in_orders(items[:1], Orders.BOTH, 0)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        with pytest.raises(StageError, match="temperature 0"):
            judge_items(shown, params(checkpoints / "judge", samples=3), RUNNING, ledger)
        judgments, _, _ = judge_items(shown, params(checkpoints / "judge", samples=3, temperature=1.0), RUNNING, ledger)
        assert len(ledger) == 3
    for one in judgments:
        assert one.scores is not None
        votes = [round(3 * share, 9) for share in one.scores]
        assert set(votes) <= {0, 1, 2, 3}
        ahead = {votes[0] > votes[1]: Side.A, votes[1] > votes[0]: Side.B}.get(True)
        assert (one.verdict, one.unreadable is None) == (ahead, ahead is not None)


def test_files_follow_their_items(items: list[BenchmarkItem], checkpoints: Path, tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    for name in ("rmb", "rm_bench", "reward_bench"):
        write_records(folder / f"{name}.jsonl", [one for one in items if one.benchmark == name])
    (folder / "refused.jsonl").write_text('{"not": "an item"}\n', encoding="utf-8")
    read = read_items(folder)
    assert {name: len(part) for name, part in read.items()} == {"rmb": 2, "rm_bench": 2, "reward_bench": 0}
    shown = items_in_orders([one for part in read.values() for one in part], Orders.BOTH, 0)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        judgments, _, _ = judge_items(shown, params(checkpoints / "judge"), RUNNING, ledger)
    write_judgments(tmp_path / "out", read, judgments)
    rows = [json.loads(line) for line in (tmp_path / "out/rmb.jsonl").read_text().splitlines()]
    assert [(row["item_id"], row["better"]) for row in rows] == [("i0", "A"), ("i0", "B"), ("i2", "A"), ("i2", "B")]
    assert (tmp_path / "out/reward_bench.jsonl").read_text() == ""


def test_no_items_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="collect_benchmarks"):
        read_items(tmp_path)


def test_the_committed_settings_are_valid_for_each_model() -> None:
    file = Path(__file__).resolve().parents[2] / "params.yaml"
    for model in read_yaml(file)["judge_variants"]:
        JudgeParams.load(model, file)


@pytest.mark.parametrize("changed", [{"engine": "transformers"}, {"engine": "vllm", "kind": "scalar"}])
def test_who_cannot_split_a_model_is_refused_before_anything_runs(changed: dict[str, str]) -> None:
    whole = PARAMS | {"tensor_parallel": 2, "checkpoint": "data/checkpoints/sft"} | changed
    with pytest.raises(ValueError, match="does not split a model: 1"):
        JudgeParams.model_validate(whole)
    JudgeParams.model_validate(whole | {"engine": "vllm", "kind": "generative"})
