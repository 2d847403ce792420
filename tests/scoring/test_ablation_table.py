"""Ablation tables of judgments made by rule: rows, steps, slices and findings that can be worked out by hand."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reasrm.benchmarks.scoring_rule import OutcomeError
from reasrm.records.comparison import Side
from reasrm.records.judgment import Judgment
from reasrm.records.reply import Finish, Reply
from reasrm.scoring.ablation_judgments import AblationRequest
from reasrm.scoring.ablation_table import StepFinding, ablation_table, finding
from reasrm.scoring.judge_comparisons import compare_judges
from reasrm.scoring.matching import Sides
from tests.flows.toy_judging import ITEMS, items, write

Right = Callable[[int], bool]
"""Whether a judge is right on the item of that number, in both orders."""


def judge(folder: Path, right: Right) -> Path:
    judged = [
        Judgment(
            benchmark=item.benchmark,
            item_id=item.item_id,
            better=better,
            verdict=better if right(int(item.keys["id"])) else better.other,
        )
        for item in items()
        for better in Side
    ]
    write(folder / "reward_bench.jsonl", judged)
    return folder


def request(folder: Path, judges: dict[str, list[Right]], **changed: Any) -> AblationRequest:
    """Rows judged by rule, one rule per seed; each row minus the one before is a step."""
    write(folder / "benchmarks/reward_bench.jsonl", items())
    names = list(judges)
    rows = [
        {
            "name": name,
            "judgments": [judge(folder / f"{name}-{seed}", right) for seed, right in enumerate(rules)],
            "benchmarks": [folder / "benchmarks"] * len(rules),
        }
        for name, rules in judges.items()
    ]
    asked = {
        "rows": rows,
        "steps": list(zip(names[1:], names[:-1], strict=True)),
        "headline": ["reward_bench"],
        "unreadable": "benchmark",
        "resamples": 400,
        "seed": 0,
        "covered": ["easy"],
    }
    return AblationRequest.model_validate(asked | changed)


def test_rows_and_steps_by_hand(tmp_path: Path) -> None:
    """`easy` are the first 30 of 60 items; each of RewardBench's four sections has 15, every fourth item."""
    table = ablation_table(
        request(
            tmp_path,
            {
                "lower": [lambda n: n < 30, lambda n: n < 36],  # .5 and .6
                "upper": [lambda n: n < 48, lambda n: n < 48],  # .8 and .8: all easy ones, 18 of 30 hard ones
            },
        )
    )
    lower, upper = table["rows"]["lower"], table["rows"]["upper"]
    assert lower["accuracy"]["seeds"] == [pytest.approx(0.5), pytest.approx(0.6)]
    assert lower["accuracy"]["value"] == pytest.approx(0.55)
    assert lower["accuracy"]["spread"] == pytest.approx(0.1 / 2**0.5)
    assert upper["covered"]["value"] == 1.0
    assert upper["shift"]["value"] == pytest.approx(0.6)
    (step,) = table["steps"]
    assert (step["first"], step["second"]) == ("upper", "lower")
    assert step["accuracy"]["seeds"] == [pytest.approx(0.3), pytest.approx(0.2)]
    assert step["covered"]["seeds"] == [0.0, 0.0]
    assert step["covered"]["ci95"] == [0.0, 0.0]  # they agree on every question
    assert step["shift"]["value"] == pytest.approx((0.6 + 0.4) / 2)
    assert step["gap"]["value"] == pytest.approx(0.5)
    assert upper["reply_tokens"] is None  # these judges write nothing
    assert table["n"] == {"seeds": 2, "questions": 60, "comparisons": 60, "judgments_per_judge": 120}


def test_of_one_seed_it_is_what_reasrm_compare_says(tmp_path: Path) -> None:
    asked = request(tmp_path, {"b": [lambda n: n % 3 > 0], "a": [lambda n: n % 5 > 0]}, resamples=4000)
    (step,) = ablation_table(asked)["steps"]
    sides = Sides(*(str(asked.rows[place].judgments[0]) for place in (1, 0)))
    (report,) = compare_judges(sides, tmp_path / "benchmarks", None, asked.settings())
    assert step["average"]["value"] == pytest.approx(report["score"]["a_minus_b"])
    assert step["average"]["ci95"] == pytest.approx(report["score"]["ci95"], abs=0.01)


def test_a_step_is_paired_question_by_question_and_seed_by_seed(tmp_path: Path) -> None:
    """Two judges at one half and at .52 in each of three seeds: right on other questions, the difference is unknown."""
    nested = request(tmp_path / "nested", {"b": [lambda n: n < 30] * 3, "a": [lambda n: n < 33] * 3})
    apart = request(tmp_path / "apart", {"b": [lambda n: n < 30] * 3, "a": [lambda n: n >= 27] * 3})
    (first,), (second,) = (ablation_table(one)["steps"] for one in (nested, apart))
    assert first["accuracy"]["value"] == second["accuracy"]["value"] == pytest.approx(0.05)
    widths = [step["accuracy"]["ci95"][1] - step["accuracy"]["ci95"][0] for step in (first, second)]
    assert widths[0] < 0.13 < 0.4 < widths[1]


def test_a_question_of_two_benchmarks_is_drawn_for_both(tmp_path: Path) -> None:
    """The second has the same questions and the same verdicts, so their mean is known no better than either."""
    rules: dict[str, list[Right]] = {"a": [lambda n: n % 2 > 0], "b": [lambda n: n % 3 > 0]}
    asked = request(tmp_path, rules, resamples=2000)
    keys = {"source": "livebench-math", "split": "gpt"}
    again = [
        item.model_copy(update={"benchmark": "judge_bench", "keys": keys | {"pair_id": f"{number}"}})
        for number, item in enumerate(items())
    ]
    write(tmp_path / "benchmarks/judge_bench.jsonl", again)
    for folder in (tmp_path / "a-0", tmp_path / "b-0"):
        lines = (folder / "reward_bench.jsonl").read_text().replace("reward_bench", "judge_bench")
        (folder / "judge_bench.jsonl").write_text(lines)
    table = ablation_table(asked.model_copy(update={"headline": ("reward_bench", "judge_bench")}))
    (step,) = table["steps"]
    widths = [figure["ci95"][1] - figure["ci95"][0] for figure in (step["average"], step["benchmarks"]["judge_bench"])]
    assert widths[0] == pytest.approx(widths[1], rel=0.1)  # of independent ones it would be .71 of it
    assert table["n"]["questions"] == step["average"]["questions"] == 60


def test_holm_counts_all_steps_of_the_table(tmp_path: Path) -> None:
    rules: dict[str, list[Right]] = {"a": [lambda n: n < 30], "b": [lambda n: n < 35], "c": [lambda n: n < 59]}
    alone = ablation_table(request(tmp_path / "alone", rules, steps=[("b", "a")]))["steps"][0]["accuracy"]
    both = ablation_table(request(tmp_path / "both", rules))["steps"]
    assert alone["p_holm"] == alone["p"]
    assert both[0]["accuracy"]["p"] == alone["p"] > both[1]["accuracy"]["p"]
    assert both[0]["accuracy"]["p_holm"] == alone["p"]  # the larger of two is compared with 0.05 itself
    assert both[1]["accuracy"]["p_holm"] == pytest.approx(2 * both[1]["accuracy"]["p"])
    assert both[1]["accuracy"]["finding"] == "shown"


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "found"),
    [
        (0.01, 0.2, 0.02, StepFinding.SHOWN),
        (0.01, 0.2, 0.06, StepFinding.NOT_AFTER_HOLM),
        (0.0, 0.2, 0.02, StepFinding.NOT_SHOWN),
        (-0.1, 0.2, 0.02, StepFinding.NOT_SHOWN),
        (-0.2, -0.1, 0.02, StepFinding.REVERSED),
        (-0.2, -0.1, 0.06, StepFinding.NOT_AFTER_HOLM),
    ],
)
def test_what_a_step_shows(low: float, high: float, p_holm: float, found: StepFinding) -> None:
    assert finding(low, high, p_holm) is found


def test_what_a_judge_writes_is_the_mean_over_seeds(tmp_path: Path) -> None:
    asked = request(tmp_path, {"a": [lambda n: n < 30] * 2})
    for seed, tokens in enumerate((30, 40)):
        file = tmp_path / f"a-{seed}/reward_bench.jsonl"
        reply = Reply(text="A", finish=Finish.STOP, prompt_tokens=9, completion_tokens=tokens).model_dump_json()
        file.write_text(file.read_text().replace('"reply":null', f'"reply":{reply}'))
    assert ablation_table(asked)["rows"]["a"]["reply_tokens"] == 35


def test_without_slices_or_where_all_are_covered_nothing_is_told_apart(tmp_path: Path) -> None:
    rules: dict[str, list[Right]] = {"a": [lambda n: n < 30], "b": [lambda n: n < 35]}
    for place, covered in enumerate((None, ["easy", "hard"], ["unheard of"])):
        table = ablation_table(request(tmp_path / str(place), rules, covered=covered))
        assert table["covered"] is None
        assert "gap" not in table["steps"][0]


def test_other_items_and_missing_judgments_are_refused(tmp_path: Path) -> None:
    asked = request(tmp_path, {"a": [lambda n: n < 30] * 2})
    write(tmp_path / "fewer/reward_bench.jsonl", items()[1:])
    row = asked.rows[0].model_dump() | {"benchmarks": [tmp_path / "benchmarks", tmp_path / "fewer"]}
    with pytest.raises(OutcomeError, match=r"holds other items than .*benchmarks: a paired difference needs the same"):
        ablation_table(asked.model_copy(update={"rows": (type(asked.rows[0]).model_validate(row),)}))
    with pytest.raises(OutcomeError, match=r"no judgments of rm_bench, which `headline` names"):
        ablation_table(asked.model_copy(update={"headline": ("reward_bench", "rm_bench")}))


@pytest.mark.slow
def test_as_a_program_it_prints_json_or_one_line(tmp_path: Path) -> None:
    asked = request(tmp_path, {"a": [lambda n: n < ITEMS]})
    command = [sys.executable, "-m", "reasrm.scoring.ablation_table"]
    done = subprocess.run(command, input=asked.model_dump_json(), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["rows"]["a"]["average"]["value"] == 1.0
    (tmp_path / "a-0/reward_bench.jsonl").unlink()
    failed = subprocess.run(command, input=asked.model_dump_json(), capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"ablation: {tmp_path}/a-0 holds no judgments")
    assert len(failed.stderr.splitlines()) == 1
