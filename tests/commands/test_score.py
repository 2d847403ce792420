"""The command `reasrm score`: what it prints, what it refuses, and with which exit status."""

import json
from pathlib import Path

import pytest

from reasrm.benchmarks.reward_bench import RewardBench
from reasrm.commands.score import main
from tests.scoring.outcome_sets import judged, write_rows

FEW = ["--resamples", "50"]


def _run(path: Path, name: str, *more: str) -> int:
    return main(["--benchmark", name, "--outcomes", str(path), *FEW, *more])


def test_json_holds_score_interval_sections_and_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("rm_bench", lambda number: int(number % 2)))
    assert _run(path, "rm_bench", "--json") == 0
    card = json.loads(capsys.readouterr().out)
    assert set(card["sections"]) == {"chat", "math", "code", "safety"}
    assert card["mode"] == "official"
    assert "worth 0" in card["unreadable_rule"]
    assert len(card["ci95"]) == 2


def test_the_table_says_by_which_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("rm_bench", lambda number: int(number % 2)))
    assert _run(path, "rm_bench", "--as-published") == 0
    assert "as published" in capsys.readouterr().out


def test_missing_sections_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_rows(tmp_path / "o.jsonl", [{"subset": "donotanswer", "id": 1, "correct": 1}])
    assert _run(path, "reward_bench") == 0
    assert "NOT the whole benchmark" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"subset": "hep-cobol", "id": 1, "correct": 1}', "hep-cobol"),
        ('{"subset": "hep-go", "id": 1, "correct": 2}', "must be 0, 1 or null"),
        ('{"subset": "hep-go", "id": 1, "correct": true}', "must be 0, 1 or null"),
        ('{"subset": "hep-go", "id": 1, "correct": 1.0}', "must be 0, 1 or null"),
        ('{"subset": "hep-go", "id": 1, "correct": 1, "group": 12}', "`group` must be a string"),
        ('{"subset": "hep-go", "id": 1, "correct": 1, "group": null}', "`group` must be a string"),
        ('{"subset": "hep-go", "id": 1, "correct": 1, "group": ""}', "`group` is empty"),
        ('{"subset": "hep-go", "id": 1, "correct": 1, "sample": true}', "`sample` must be a whole number"),
        ('{"subset": "hep-go", "id": 1, "correct": 1, "order": ["first"]}', "`order` must be first or second"),
        ('{"subset": "hep-go", "id": 1}', "no field `correct`"),
        ('{"subset": "hep-go", "id"', "not valid JSON"),
        ("[1, 2]", "must be a JSON object"),
        ('{"subset": "hep-go", "id": 7, "correct": 1}', "duplicate id"),
    ],
)
def test_bad_lines_are_refused_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    path = tmp_path / "outcomes.jsonl"
    good = [{"subset": "hep-go", "id": 7 + n, "correct": 1} for n in range(3)]
    write_rows(path, good)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    assert _run(path, "reward_bench") == 1
    said = capsys.readouterr().err
    assert message in said
    assert "outcomes.jsonl line 4" in said


def test_an_empty_file_and_a_missing_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert _run(empty, "rmb") == 1
    assert _run(tmp_path / "none.jsonl", "rmb") == 2
    with pytest.raises(SystemExit) as left:
        main(["--benchmark", "mt_bench", "--outcomes", str(empty)])
    assert left.value.code == 2
    assert "no outcomes" in capsys.readouterr().err


def test_what_an_unreadable_is_worth_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("reward_bench", lambda _: None))
    scores = {}
    for rule in ("benchmark", "zero", "half"):
        _run(path, "reward_bench", "--json", "--unreadable", rule)
        scores[rule] = json.loads(capsys.readouterr().out)["score"]
    assert scores == {"benchmark": 0.5, "zero": 0.0, "half": 0.5}


@pytest.mark.parametrize("option", ["--seed", "--resamples"])
@pytest.mark.parametrize("value", ["-1", "1.5", "many"])
def test_numbers_of_the_bootstrap_that_are_none_are_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("rmb", lambda _: 1))
    with pytest.raises(SystemExit) as left:
        main(["--benchmark", "rmb", "--outcomes", str(path), option, value])
    assert left.value.code == 2
    assert "must be a whole number from" in capsys.readouterr().err


def test_the_table_says_how_much_of_the_benchmark_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("judge_bench", lambda _: 1))
    assert _run(path, "judge_bench") == 0
    said = capsys.readouterr().out
    assert "judge_bench (not official; an unreadable verdict counts neither for nor against its pair)" in said
    assert "NOT the whole benchmark: 15 of 620 rows" in said
    assert "needs one judgment in each of both orders: this is one order" in said


def test_a_whole_benchmark_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"subset": subset, "id": number, "correct": number % 2}
        for subset, count in RewardBench.official_counts.items()
        for number in range(count)
    ]
    path = write_rows(tmp_path / "o.jsonl", rows)
    assert _run(path, "reward_bench") == 0
    said = capsys.readouterr().out
    assert "all 2,985 published rows" in said
    assert "NOT" not in said
