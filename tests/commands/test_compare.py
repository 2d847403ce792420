"""`reasrm compare`: paired differences, exact tests, what changed, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from reasrm.benchmarks.collection import RowSelection, collect, write_benchmarks
from reasrm.benchmarks.reward_bench import RewardBench
from reasrm.cli import app
from reasrm.datasets.row_files import DataSource, RowInFile
from reasrm.records.comparison import Side
from reasrm.records.jsonl import write_records
from reasrm.records.judgment import Judgment
from reasrm.records.reply import Finish, Reply
from tests.scoring.outcome_sets import card, judged, write_rows


def _compare(a: Path | str, b: Path | str, *more: str) -> Result:
    return CliRunner().invoke(app, ["compare", str(a), str(b), "--resamples", "50", *more])


def _run(a: Path, b: Path, *more: str) -> dict[str, Any]:
    done = _compare(a, b, "--json", *more)
    assert done.exit_code == 0, done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    return reports[0]


def _refused(a: Path, b: Path | str) -> str:
    done = _compare(a, b)
    assert done.exit_code == 1
    return done.stderr


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A judge that is always right, and one that fails in one section alone."""
    good = judged("reward_bench", lambda _: 1)
    bad = [row | {"correct": int(row["subset"] != "math-prm")} for row in good]
    for name, rows in (("good", good), ("bad", bad)):
        (tmp_path / name).mkdir()
        write_rows(tmp_path / name / "reward_bench.jsonl", rows)
    return tmp_path / "good", tmp_path / "bad"


def test_differences_are_those_of_the_official_scores(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    report = _run(*two)
    bad = [row | {"correct": int(row["subset"] != "math-prm")} for row in judged("reward_bench", lambda _: 1)]
    assert report["score"]["a_minus_b"] == pytest.approx(1 - card("reward_bench", bad)["score"])
    reasoning, chat = report["sections"]["Reasoning"], report["sections"]["Chat"]
    assert (reasoning["a_better"], reasoning["b_better"], reasoning["p"]) == (3, 0, 0.25)
    assert reasoning["p_holm"] == 1.0
    assert (chat["a_minus_b"], chat["p"]) == (0.0, 1.0)


def test_changed_judgments_are_listed(two: tuple[Path, Path]) -> None:
    changes = _run(*two)["changed"]
    assert [(change["item"], change["a"], change["b"]) for change in changes] == [
        (f"math-prm/{number}", 1, 0) for number in range(3)
    ]


def test_a_judge_does_not_differ_from_itself(two: tuple[Path, Path]) -> None:
    report = _run(two[1], two[1])
    assert report["score"]["ci95"] == [0.0, 0.0]
    assert report["changed"] == []


def test_items_of_one_side_alone_are_left_out_and_counted(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = two[1] / "reward_bench.jsonl"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    report = _run(*two)
    assert (report["judged_by_both"], report["a"]["judged_alone"], report["b"]["judged_alone"]) == (68, 1, 0)


def test_what_cannot_be_compared_is_refused(
    two: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no-such-model" in _refused(two[0], "no-such-model")
    outcomes = write_rows(tmp_path / "mine.jsonl", judged("reward_bench", lambda _: 1))
    assert "--benchmark" in _refused(two[0], outcomes)


def _judgments(folder: Path, correct: dict[str, int]) -> tuple[Path, Path]:
    """Items of three subsets, two of them of one prompt, and judgments in both orders, right where `correct` says."""
    rules = RewardBench()
    subsets = {"hep-go": "the same", "hep-js": "the same", "donotanswer": "another"}
    items = [
        rules.items({"subset": subset, "id": 1, "prompt": prompt, "chosen": "good " * 3, "rejected": subset})[0]
        for subset, prompt in subsets.items()
    ]
    judged = folder / "judged"
    write_records(folder / "items" / "reward_bench.jsonl", items)
    write_records(
        judged / "reward_bench.jsonl",
        [
            Judgment(
                benchmark="reward_bench",
                item_id=item.item_id,
                better=side,
                verdict=side if correct[item.item_id] else side.other,
                reply=Reply(text="", finish=Finish.STOP, prompt_tokens=1, completion_tokens=1),
            )
            for item in items
            for side in Side
        ],
    )
    return judged, folder / "items"


def test_one_file_of_judgments_is_answered_with_the_folder_to_name(tmp_path: Path) -> None:
    judged, _ = _judgments(tmp_path, {"hep-go/1": 1, "hep-js/1": 1, "donotanswer/1": 1})
    assert f"holds judgments, which belong to the items of all benchmarks: name the folder, {judged}," in _refused(
        judged / "reward_bench.jsonl", judged
    )
    verdicts = [{"subset": "hep-go", "id": 1, "correct": 1, "verdict": "A"}]
    rows = write_rows(tmp_path / "reward_bench.jsonl", verdicts)
    assert _run(rows, rows)["judged_by_both"] == 1, "outcome rows may carry a verdict of their own"


def test_judgments_are_compared_with_an_outcome_file_that_knows_no_prompts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged, items = _judgments(tmp_path, {"hep-go/1": 1, "hep-js/1": 0, "donotanswer/1": 1})
    rows = [
        {"subset": subset, "id": 1, "order": order, "correct": 0}
        for order in ("second", "first")
        for subset in ("hep-js", "donotanswer", "hep-go")
    ]
    outcomes = write_rows(tmp_path / "reward_bench.jsonl", rows)
    there, back = (_run(*sides, "--items", str(items)) for sides in ((judged, outcomes), (outcomes, judged)))
    assert (there["judged_by_both"], there["a"]["judged_alone"], there["b"]["judged_alone"]) == (6, 0, 0)
    assert there["score"]["a_minus_b"] == -back["score"]["a_minus_b"] == pytest.approx((1 + 0.5) / 2)
    assert there["sections"]["Reasoning"]["groups"] == 1, "the two code items share their prompt"
    assert {change["item"] for change in there["changed"]} == {"hep-go/1", "donotanswer/1"}


def test_only_one_side_need_name_the_split_of_judge_bench(tmp_path: Path) -> None:
    plain = judged("judge_bench", lambda number: number % 2)
    split = [row | {"split": "gpt", "correct": 1} for row in plain]
    files = [write_rows(tmp_path / f"{n}" / "judge_bench.jsonl", rows) for n, rows in enumerate((plain, split))]
    report = _run(files[0], files[1])
    assert (report["judged_by_both"], report["score"]["b_better"]) == (15, 8)
    other = write_rows(tmp_path / "2" / "judge_bench.jsonl", [row | {"split": "claude"} for row in split])
    said = _refused(files[1], other)
    assert f"belongs to 'gpt/mmlu-pro' in {files[1]} line 1 and to 'claude/mmlu-pro' in {other} line 1" in said


def test_what_the_official_rule_counts_alike_is_no_advantage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beating all losers but one of a best-of-N group, and one right order of two on JudgeBench, are worth nothing."""
    groups = [
        {"kind": "bon", "category": "Harmlessness/S1", "uid": str(uid), "loser": loser}
        for uid in range(20)
        for loser in range(3)
    ]
    pairs = [{"pair_id": str(n), "source": "livecodebench", "correct_second": 0} for n in range(20)]
    cases = {
        "rmb": ([row | {"correct": int(row["loser"] > 0)} for row in groups], [row | {"correct": 0} for row in groups]),
        "judge_bench": ([row | {"correct_first": 1} for row in pairs], [row | {"correct_first": 0} for row in pairs]),
    }
    for name, sides in cases.items():
        files = [write_rows(tmp_path / f"{n}" / f"{name}.jsonl", rows) for n, rows in enumerate(sides)]
        report = _run(files[0], files[1])
        assert (report["score"]["a_minus_b"], report["score"]["p"]) == (0.0, 1.0)
        assert report["score"]["a_better"] == report["score"]["b_better"] == 0
        assert len(report["changed"]) >= 20


def test_a_null_of_reward_bench_2_counts_in_the_test_what_it_counts_in_the_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        write_rows(tmp_path / f"{n}" / "reward_bench_2.jsonl", judged("reward_bench_2", lambda _, worth=worth: worth))
        for n, worth in enumerate((None, 0))
    ]
    report = _run(files[0], files[1])
    assert (report["score"]["a_minus_b"], report["score"]["a_better"]) == (0.0, 0)


def test_faults_are_told_with_the_file_they_are_in(tmp_path: Path) -> None:
    good = judged("rm_bench", lambda _: 1)
    first = write_rows(tmp_path / "first" / "rm_bench.jsonl", good)
    second = write_rows(tmp_path / "second" / "rm_bench.jsonl", good[1:])
    assert f"{second} line 8: id 'chat/0' lacks the cells (0, 0)" in _refused(first, second)


def test_a_prompt_that_is_judged_alike_in_some_cells_only_is_left_out_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [row | {"order": "first"} for row in judged("rm_bench", lambda _: 1)]
    other = [good[0] | {"order": "second"}, *good[1:]]
    files = [write_rows(tmp_path / f"{n}" / "rm_bench.jsonl", rows) for n, rows in enumerate((good, other))]
    report = _run(files[0], files[1])
    assert (report["judged_by_both"], report["a"]["judged_alone"] + report["b"]["judged_alone"]) == (81, 18)
    said = _compare(*files).stdout
    assert "81 judgments in common; left out: 9 of A alone, 9 of B alone" in said
    assert "NOT the whole benchmark: 9 of 1,327 rows" in said


def test_other_orders_are_not_the_same_judgments(tmp_path: Path) -> None:
    rows = judged("reward_bench", lambda _: 1)
    plain = write_rows(tmp_path / "0" / "reward_bench.jsonl", rows)
    named = write_rows(tmp_path / "1" / "reward_bench.jsonl", [row | {"order": "first"} for row in rows])
    said = _refused(plain, named)
    assert f"{plain} with 'alpacaeval-easy/0' in an order it does not name" in said
    assert f"{named} with 'alpacaeval-easy/0' in order first" in said


def test_each_side_is_scored_by_its_own_judges_rule(tmp_path: Path) -> None:
    """A scalar judge's tie loses on RewardBench, where a reply without verdict is worth one half."""
    _, items = _judgments(tmp_path, {"hep-go/1": 1, "hep-js/1": 1, "donotanswer/1": 1})
    asked = [
        Judgment(benchmark="reward_bench", item_id=f"{subset}/1", better=side, verdict=None, unreadable="tie")
        for subset in ("hep-go", "hep-js", "donotanswer")
        for side in Side
    ]
    reply = Reply(text="", finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)
    write_records(
        tmp_path / "scalar" / "reward_bench.jsonl", [one.model_copy(update={"scores": (1, 1)}) for one in asked]
    )
    write_records(tmp_path / "words" / "reward_bench.jsonl", [one.model_copy(update={"reply": reply}) for one in asked])
    report = _run(tmp_path / "words", tmp_path / "scalar", "--items", str(items))
    assert (report["score"]["a"], report["score"]["b"]) == (0.5, 0.0)
    assert "generative" in report["a"]["unreadable_rule"]
    assert "scalar" in report["b"]["unreadable_rule"]


def test_header_figures_and_changes_say_which_side_is_which(two: tuple[Path, Path]) -> None:
    report = _run(*two)
    assert (report["a"]["name"], report["b"]["name"]) == (str(two[0]), str(two[1]))
    assert report["score"]["a_minus_b"] == report["score"]["a"] - report["score"]["b"] > 0
    said = _compare(*two).stdout
    assert f"A = {two[0]}, B = {two[1]}" in said.splitlines()[0]
    assert "math-prm/0: A right, B wrong" in said
    turned = _compare(two[1], two[0]).stdout
    assert "math-prm/0: A wrong, B right" in turned


def _weighty_and_many(tmp_path: Path) -> tuple[Path, Path]:
    """A is right on the one row of a small section, B on three of the four rows of a large one."""
    rows = [{"subset": "donotanswer", "id": 0}, *({"subset": "hep-go", "id": number} for number in range(4))]
    a = [row | {"correct": int(row["subset"] == "donotanswer")} for row in rows]
    b = [row | {"correct": int(row["subset"] == "hep-go" and row["id"] > 0)} for row in rows]
    files = [write_rows(tmp_path / side / "reward_bench.jsonl", rows) for side, rows in (("a", a), ("b", b))]
    return files[0], files[1]


def test_a_count_that_contradicts_the_difference_is_a_warning(tmp_path: Path) -> None:
    sides = _weighty_and_many(tmp_path)
    report = _run(*sides)
    score = report["score"]
    assert (score["a_minus_b"], score["a_better"], score["b_better"]) == (pytest.approx(0.125), 1, 3)
    assert not score["p_tests_the_difference"]
    assert report["sections"]["Reasoning"]["p_tests_the_difference"]
    (warning,) = report["warnings"]
    assert warning.startswith("score: A - B is +0.1250, but more groups favour B (A 1, B 3)")
    said = _compare(*sides).stdout
    assert f"WARNING {warning}" in said
    assert "*: questions weigh differently here" in said


def test_a_difference_and_a_count_of_one_direction_are_no_warning(two: tuple[Path, Path]) -> None:
    assert _run(*two)["warnings"] == []
    assert "WARNING" not in _compare(*two).stdout


def test_the_miniatures_rows_are_named_so_and_rows_of_unknown_origin_by_their_schema(tmp_path: Path) -> None:
    row = {"subset": "hep-go", "id": 1, "prompt": "q", "chosen": "good", "rejected": "bad"}
    titles = {}
    for source in (DataSource.MINIATURE, DataSource.FILES):
        collected = collect(RewardBench(), [RowInFile("f", 1, row)], RowSelection(seed=0))
        write_benchmarks(tmp_path / source / "items", [collected], source)
        judgment = Judgment(
            benchmark="reward_bench", item_id="hep-go/1", better=Side.A, verdict=Side.A, scores=(1.0, 0.0)
        )
        folder = tmp_path / source / "judged"
        write_records(folder / "reward_bench.jsonl", [judgment])
        titles[source] = _run(folder, folder, "--items", str(tmp_path / source / "items"))["title"]
    assert titles == {DataSource.MINIATURE: "mini-RewardBench", DataSource.FILES: "RewardBench"}
    outcomes = write_rows(tmp_path / "reward_bench.jsonl", judged("reward_bench", lambda _: 1))
    assert _run(outcomes, outcomes)["title"] == "reward_bench"
