"""`reasrm compare`: paired differences, exact tests, what changed, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from outcome_sets import card, judged, write_rows

from stages.benchmarks.compare_command import main


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
