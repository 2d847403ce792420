"""The command `reasrm score`: what it prints, what it refuses, and with which exit status."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from reasrm.benchmarks.registry import BENCHMARKS
from reasrm.benchmarks.reward_bench import RewardBench
from reasrm.cli import app
from tests.scoring.outcome_sets import judged, write_rows

FEW = ["--resamples", "50"]


def _run(path: Path, name: str, *more: str) -> Result:
    return CliRunner().invoke(app, ["score", "--benchmark", name, "--outcomes", str(path), *FEW, *more])


def _done(result: Result) -> str:
    """What a command printed that went well."""
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_json_holds_score_interval_sections_and_rule(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("rm_bench", lambda number: int(number % 2)))
    card = json.loads(_done(_run(path, "rm_bench", "--json")))
    assert set(card["sections"]) == {"chat", "math", "code", "safety"}
    assert card["mode"] == "official"
    assert "worth 0" in card["unreadable_rule"]
    assert len(card["ci95"]) == 2


def test_the_table_says_by_which_rule(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("rm_bench", lambda number: int(number % 2)))
    assert "as published" in _done(_run(path, "rm_bench", "--as-published"))


def test_missing_sections_are_said(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "o.jsonl", [{"subset": "donotanswer", "id": 1, "correct": 1}])
    assert "NOT the whole benchmark" in _done(_run(path, "reward_bench"))


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
def test_bad_lines_are_refused_with_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "outcomes.jsonl"
    good = [{"subset": "hep-go", "id": 7 + n, "correct": 1} for n in range(3)]
    write_rows(path, good)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    refused = _run(path, "reward_bench")
    assert refused.exit_code == 1
    assert message in refused.stderr
    assert "outcomes.jsonl line 4" in refused.stderr


def test_an_empty_file_and_a_missing_one(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    refused = _run(empty, "rmb")
    assert refused.exit_code == 1
    assert "no outcomes" in refused.stderr
    missing = _run(tmp_path / "none.jsonl", "rmb")
    assert missing.exit_code == 2
    assert "none.jsonl" in re.sub(r"[\s│]", "", missing.stderr)  # the box breaks a long path


def test_an_unknown_benchmark_is_a_usage_error_that_names_the_known_ones(tmp_path: Path) -> None:
    refused = _run(write_rows(tmp_path / "o.jsonl", []), "mt_bench")
    assert refused.exit_code == 2
    assert "mt_bench" in refused.stderr
    assert all(name in refused.stderr for name in BENCHMARKS)


@pytest.mark.parametrize("more", [[], ["--json", "--resamples", "1"]])
def test_a_reader_that_goes_away_gets_no_traceback(tmp_path: Path, more: list[str]) -> None:
    """As `reasrm score ... | head` with a short and a long output."""
    path = write_rows(tmp_path / "o.jsonl", judged("rmb", lambda number: number % 2))
    command = [sys.executable, "-m", "reasrm.cli", "score", "--benchmark", "rmb", "--outcomes", str(path), *FEW, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_help_shows_the_rows_of_every_benchmark() -> None:
    shown = _done(CliRunner().invoke(app, ["score", "--help"], env={"COLUMNS": "200"}))
    for name, rules in BENCHMARKS.items():
        assert f"{name}:" in shown
        assert all(example in shown for example in rules.outcome_examples)


def test_what_an_unreadable_is_worth_can_be_chosen(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("reward_bench", lambda _: None))
    scores = {}
    for rule in ("benchmark", "zero", "half"):
        scores[rule] = json.loads(_done(_run(path, "reward_bench", "--json", "--unreadable", rule)))["score"]
    assert scores == {"benchmark": 0.5, "zero": 0.0, "half": 0.5}


@pytest.mark.parametrize("option", ["--seed", "--resamples"])
@pytest.mark.parametrize("value", ["-1", "1.5", "many"])
def test_numbers_of_the_bootstrap_that_are_none_are_wrong_usage(tmp_path: Path, option: str, value: str) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("rmb", lambda _: 1))
    refused = _run(path, "rmb", option, value)
    assert refused.exit_code == 2
    assert f"Invalid value for '{option}'" in refused.stderr


def test_the_table_says_how_much_of_the_benchmark_there_is(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "o.jsonl", judged("judge_bench", lambda _: 1))
    said = _done(_run(path, "judge_bench"))
    assert "judge_bench (not official; an unreadable verdict counts neither for nor against its pair)" in said
    assert "NOT the whole benchmark: 15 of 620 rows" in said
    assert "needs one judgment in each of both orders: this is one order" in said


def test_a_whole_benchmark_is_said_to_be_one(tmp_path: Path) -> None:
    rows = [
        {"subset": subset, "id": number, "correct": number % 2}
        for subset, count in RewardBench.official_counts.items()
        for number in range(count)
    ]
    path = write_rows(tmp_path / "o.jsonl", rows)
    said = _done(_run(path, "reward_bench"))
    assert "all 2,985 published rows" in said
    assert "NOT" not in said
