"""`reasrm compare`: paired differences, exact tests, what changed, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from reasrm.benchmarks.reward_bench import RewardBench
from reasrm.commands.compare import main
from reasrm.records.comparison import Side
from reasrm.records.jsonl import write_records
from reasrm.records.judgment import Judgment
from reasrm.records.reply import Finish, Reply
from tests.scoring.outcome_sets import card, judged, write_rows


def _run(first: Path, second: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([str(first), str(second), "--json", "--resamples", "50"]) == 0
    reports: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return reports[0]


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
    report = _run(*two, capsys)
    bad = [row | {"correct": int(row["subset"] != "math-prm")} for row in judged("reward_bench", lambda _: 1)]
    assert report["score"]["difference"] == pytest.approx(1 - card("reward_bench", bad)["score"])
    reasoning, chat = report["sections"]["Reasoning"], report["sections"]["Chat"]
    assert (reasoning["first_better"], reasoning["second_better"], reasoning["p"]) == (3, 0, 0.25)
    assert reasoning["p_holm"] == 1.0
    assert (chat["difference"], chat["p"]) == (0.0, 1.0)


def test_changed_judgments_are_listed(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    changes = _run(*two, capsys)["changed"]
    assert [(change["item"], change["first"], change["second"]) for change in changes] == [
        (f"math-prm/{number}", 1, 0) for number in range(3)
    ]


def test_a_judge_does_not_differ_from_itself(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    report = _run(two[1], two[1], capsys)
    assert report["score"]["ci95"] == [0.0, 0.0]
    assert report["changed"] == []


def test_items_of_one_side_alone_are_left_out_and_counted(
    two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = two[1] / "reward_bench.jsonl"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    report = _run(*two, capsys)
    assert (report["judged_by_both"], report["judged_by_one"]) == (68, 1)


def test_what_cannot_be_compared_is_refused(
    two: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(two[0]), "no-such-model"]) == 1
    assert "no-such-model" in capsys.readouterr().err
    outcomes = write_rows(tmp_path / "mine.jsonl", judged("reward_bench", lambda _: 1))
    assert main([str(two[0]), str(outcomes)]) == 1
    assert "--benchmark" in capsys.readouterr().err


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
    reports = []
    for sides in ((judged, outcomes), (outcomes, judged)):
        assert main([*map(str, sides), "--items", str(items), "--json", "--resamples", "50"]) == 0
        reports += json.loads(capsys.readouterr().out)
    there, back = reports
    assert (there["judged_by_both"], there["judged_by_one"]) == (6, 0)
    assert there["score"]["difference"] == -back["score"]["difference"] == pytest.approx((1 + 0.5) / 2)
    assert there["sections"]["Reasoning"]["groups"] == 1, "the two code items share their prompt"
    assert {change["item"] for change in there["changed"]} == {"hep-go/1", "donotanswer/1"}


def test_only_one_side_need_name_the_split_of_judge_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = judged("judge_bench", lambda number: number % 2)
    split = [row | {"split": "gpt", "correct": 1} for row in plain]
    files = [write_rows(tmp_path / f"{n}" / "judge_bench.jsonl", rows) for n, rows in enumerate((plain, split))]
    report = _run(files[0], files[1], capsys)
    assert (report["judged_by_both"], report["score"]["second_better"]) == (15, 8)
    other = write_rows(tmp_path / "2" / "judge_bench.jsonl", [row | {"split": "claude"} for row in split])
    assert main([str(files[1]), str(other)]) == 1
    said = capsys.readouterr().err
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
        report = _run(files[0], files[1], capsys)
        assert (report["score"]["difference"], report["score"]["p"]) == (0.0, 1.0)
        assert report["score"]["first_better"] == report["score"]["second_better"] == 0
        assert len(report["changed"]) >= 20


def test_a_null_of_reward_bench_2_counts_in_the_test_what_it_counts_in_the_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        write_rows(tmp_path / f"{n}" / "reward_bench_2.jsonl", judged("reward_bench_2", lambda _, worth=worth: worth))
        for n, worth in enumerate((None, 0))
    ]
    report = _run(files[0], files[1], capsys)
    assert (report["score"]["difference"], report["score"]["first_better"]) == (0.0, 0)


def test_faults_are_told_with_the_file_they_are_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = judged("rm_bench", lambda _: 1)
    first = write_rows(tmp_path / "first" / "rm_bench.jsonl", good)
    second = write_rows(tmp_path / "second" / "rm_bench.jsonl", good[1:])
    assert main([str(first), str(second)]) == 1
    assert f"{second} line 8: id 'chat/0' lacks the cells (0, 0)" in capsys.readouterr().err


def test_a_prompt_that_is_judged_alike_in_some_cells_only_is_left_out_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [row | {"order": "first"} for row in judged("rm_bench", lambda _: 1)]
    other = [good[0] | {"order": "second"}, *good[1:]]
    files = [write_rows(tmp_path / f"{n}" / "rm_bench.jsonl", rows) for n, rows in enumerate((good, other))]
    report = _run(files[0], files[1], capsys)
    assert (report["judged_by_both"], report["judged_by_one"]) == (81, 18)
    assert main([str(files[0]), str(files[1]), "--resamples", "50"]) == 0
    said = capsys.readouterr().out
    assert "81 judgments in common; left out: 9 of A alone, 9 of B alone" in said
    assert "NOT the whole benchmark: 9 of 1,327 rows" in said


def test_other_orders_are_not_the_same_judgments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = judged("reward_bench", lambda _: 1)
    plain = write_rows(tmp_path / "0" / "reward_bench.jsonl", rows)
    named = write_rows(tmp_path / "1" / "reward_bench.jsonl", [row | {"order": "first"} for row in rows])
    assert main([str(plain), str(named)]) == 1
    said = capsys.readouterr().err
    assert f"{plain} with 'alpacaeval-easy/0' in an order it does not name" in said
    assert f"{named} with 'alpacaeval-easy/0' in order first" in said


def test_each_side_is_scored_by_its_own_judges_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    names = [str(tmp_path / "words"), str(tmp_path / "scalar"), "--items", str(items), "--json", "--resamples", "50"]
    assert main(names) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["score"]["first"], report["score"]["second"]) == (0.5, 0.0)
    assert "generative" in report["unreadable_rules"][0]
    assert "scalar" in report["unreadable_rules"][1]
