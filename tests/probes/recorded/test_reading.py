"""Recorded replies of real and made-up judges, read as plain judgments; published figures derived from them again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reasrm.commands.judge import record
from reasrm.commands.judge_rows import ComparisonRow
from reasrm.evaluation.benchmark_judgments import item_judgments, write_judgments
from reasrm.evaluation.pairwise_judgment import judge_pair
from reasrm.probes.order import OrderProbe
from reasrm.probes.probe_run import run_suite
from reasrm.probes.recorded.reading import RecordedFormat, read_recorded
from reasrm.probes.recorded.recorded_judge import RecordedJudge
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side, show
from reasrm.records.jsonl import BadRecordError, write_records
from reasrm.runtime.stage_main import StageError
from tests.probes.known_judges import LONGER, REASONS, KnownJudge, open_known, sums

REAL = Path(__file__).resolve().parents[4] / "shared/data/judge_outputs"
JUDGES, SETS = ("GPT-4", "LLaMA2", "Falcon"), ("Natural", "Neighbor", "GPTInst", "GPTOut", "Manual")


def first_wins(judge: RecordedJudge, label_1: dict[str, bool], swap: bool) -> list[bool | None]:
    """Whether output_1 won, by item, with output_1 shown first or second; None where the log names no winner."""
    found = []
    for item in judge.items:
        plain = judge.plain[item.benchmark, item.item_id][Side.A if label_1[item.item_id] is not swap else Side.B]
        found.append(None if plain.correct is None else plain.correct is label_1[item.item_id])
    return found


def cohen(one: list[int], other: list[int]) -> float:
    """Cohen's kappa."""
    count = len(one)
    same = sum(a == b for a, b in zip(one, other, strict=True)) / count
    of_one, of_other = Counter(one), Counter(other)
    chance = sum(of_one[kind] * of_other[kind] for kind in of_one) / count**2
    return (same - chance) / (1 - chance)


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data/judge_outputs is not beside the checkout")
@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("part", SETS)
def test_llmbars_published_figures_come_out_to_the_last_digit(name: str, part: str) -> None:
    """All nine. Its kappas with the label take a winner 2 for 0, which is no label, so they are far too low."""
    file = REAL / "llmbar" / name / f"{part}.json"
    published = json.loads(file.with_suffix(".statistics.json").read_text())
    (judge,) = read_recorded(file, RecordedFormat.LLMBAR)
    assert judge.name == name
    label_1 = {str(number): row["label"] == 1 for number, row in enumerate(json.loads(file.read_text()), start=1)}
    won = {swap: first_wins(judge, label_1, swap) for swap in (False, True)}
    labels, count = list(label_1.values()), len(label_1)
    right = {swap: sum(a is b for a, b in zip(won[swap], labels, strict=True)) for swap in won}
    both = sum(a is b is c for a, b, c in zip(*won.values(), labels, strict=True))
    equal = sum(a is b for a, b in zip(*won.values(), strict=True))
    for key, value in {
        "correct_False": right[False], "correct_True": right[True], "correct_both": both, "equal": equal
    }.items():  # fmt: skip
        assert published[key] == f"{value} / {count} = {value / count * 100}%"
    assert published["correct_average"] == f"{sum(right.values()) / 2 / count * 100}%"
    numbers = {swap: [int(one is True) for one in won[swap]] for swap in won}
    kappas = {swap: cohen(numbers[swap], [1 if first else 2 for first in labels]) for swap in won}
    assert published["kappa_False"] == pytest.approx(kappas[False], abs=1e-14)
    assert published["kappa_True"] == pytest.approx(kappas[True], abs=1e-14)
    assert published["kappa_average"] == pytest.approx(sum(kappas.values()) / 2, abs=1e-14)
    assert published["kappa_agreement"] == pytest.approx(cohen(*numbers.values()), abs=1e-14)

    (result,) = run_suite(None, [OrderProbe(temperature=1.0)], judge.context(200, 0), None)
    measures = {one.name: one for one in result.measures}
    assert set(measures) == {"consistent_accuracy", "flip_rate", "picked_a"}
    if measures["consistent_accuracy"].questions == count:  # else a question occurs twice and counts once
        assert measures["consistent_accuracy"].value * count == pytest.approx(both)
        unread = measures["flip_rate"].left_out
        assert measures["flip_rate"].value * (count - unread) == pytest.approx(count - unread - equal)


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data/judge_outputs is not beside the checkout")
def test_rm_r1s_own_results_are_what_our_reading_of_the_verdict_gives() -> None:
    judges = read_recorded(REAL / "rm_r1_32b.jsonl", RecordedFormat.RM_R1)
    assert {judge.name: len(judge.published) for judge in judges} == {
        "RM-R1-Qwen2.5-Instruct-32B": 254,
        "RM-R1-DeepSeek-Distilled-Qwen-32B": 20,
    }
    for judge in judges:
        for (benchmark, item_id, better), right in judge.published.items():
            assert (judge.plain[benchmark, item_id][better].correct is True) is right


def llmbar_row(**changes: Any) -> dict[str, Any]:
    """A row in which output_2 is right and wins in one order alone."""
    outcome = {"completion": ["Output (a) is better.", ""], "winner": "1"}
    orders = {"swap = False": outcome, "swap = True": outcome | {"winner": "2"}}
    return {"input": "q", "output_1": "x", "output_2": "y", "label": 2, "results": [["aside", ""], orders]} | changes


RM_R1_ROW = {
    "model": "m", "benchmark": "b", "id": 1, "output": "<answer>[[A]]</answer>", "chosen_in_b": False, "result": 1,
    "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "x"}],
    "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "y"}],
}  # fmt: skip


def test_a_winner_is_a_side_as_it_was_shown(tmp_path: Path) -> None:
    file = tmp_path / "Sums.json"
    file.write_text(json.dumps([llmbar_row()]))
    (judge,) = read_recorded(file, RecordedFormat.LLMBAR)
    orders = judge.plain["Sums", "1"]
    assert {better: one.judgment.verdict for better, one in orders.items()} == {Side.B: Side.A, Side.A: Side.A}
    assert judge.published == {("Sums", "1", Side.B): False, ("Sums", "1", Side.A): True}


@pytest.mark.parametrize(
    ("written_as", "rows", "why"),
    [
        ("llmbar", [llmbar_row(), llmbar_row(label=3)], r"row 2: label: .*got '3'"),
        ("llmbar", [llmbar_row(results=[["aside", ""]])], r"row 1: results: .*got"),
        ("llmbar", [llmbar_row(results=[])], r"row 1: results: .*both orders.*got '\[\]'"),
        ("llmbar", [{"input": "q"}], r"row 1: output_1: Field required"),
        ("llmbar", [], "holds no judgment"),
        ("rm_r1", [RM_R1_ROW, RM_R1_ROW | {"result": 2}], r"line 2: result: .*got '2'"),
        ("rm_r1", [RM_R1_ROW | {"chosen": RM_R1_ROW["chosen"][:1]}], r"line 1: chosen: .*at least 2"),
        ("rm_r1", [RM_R1_ROW | {"output": ["a", "b"]}], r"line 1: prompt: Field required"),
        ("rm_r1", [RM_R1_ROW, RM_R1_ROW], "b '1' is judged twice"),
        ("rm_r1", [], "holds no row"),
    ],
)
def test_a_bad_row_is_named_by_file_place_and_field(written_as: str, rows: list[Any], why: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    text = json.dumps(rows) if written_as == "llmbar" else "".join(f"{json.dumps(row)}\n" for row in rows)
    file.write_text(text)
    with pytest.raises((BadRecordError, StageError), match=why) as refused:
        read_recorded(file, RecordedFormat(written_as))
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("known", [REASONS, LONGER], ids=lambda known: known.name)
def test_our_own_judgments_come_back_from_the_folder_and_from_the_file(known: KnownJudge, tmp_path: Path) -> None:
    items = [
        BenchmarkItem(benchmark=one.benchmark, item_id=one.item_id, group=one.question, pair=one.pair, keys={})
        for one in sums()
    ]  # fmt: skip
    shown = [(item, side) for item in items for side in Side]
    write_records(tmp_path / "data/benchmarks/sums.jsonl", items)
    rows = [
        {"prompt": item.pair.question, "a": item.pair.rejected, "b": item.pair.chosen, "better": "B"} for item in items
    ]
    write_records(tmp_path / "rows.jsonl", rows)
    with open_known(known) as judge:
        judged = item_judgments(shown, judge.judge([show(item.pair, side) for item, side in shown]))
        write_judgments(tmp_path / "data/judgments/known", ["sums"], judged)
        given = [ComparisonRow.model_validate(row) for row in rows]
        write_records(tmp_path / "judged.jsonl", (record(row, judge_pair(judge, *row.pair)) for row in given))
    (of_folder,) = read_recorded(tmp_path / "data/judgments/known", RecordedFormat.REASRM)
    write_records(tmp_path / "data/judgments/silent/sums.jsonl", [])
    with pytest.raises(StageError, match="silent: its files hold no judgment"):
        read_recorded(tmp_path / "data/judgments/silent", RecordedFormat.REASRM)
    with pytest.raises(StageError, match="--items FILE"):
        read_recorded(tmp_path / "judged.jsonl", RecordedFormat.REASRM)
    (of_file,) = read_recorded(tmp_path / "judged.jsonl", RecordedFormat.REASRM, tmp_path / "rows.jsonl")
    both = [
        [(one.item.pair.chosen, one.better, one.judgment.verdict, one.judgment.reply and one.judgment.reply.text)
         for orders in found.plain.values() for one in orders.values()]
        for found in (of_folder, of_file)
    ]  # fmt: skip
    assert sorted(both[0]) == sorted(both[1])
    write_records(tmp_path / "rows.jsonl", [rows[0], *({**row, "better": None} for row in rows[1:])])
    with pytest.raises(BadRecordError, match=r"rows.jsonl line 2: better: "):
        read_recorded(tmp_path / "judged.jsonl", RecordedFormat.REASRM, tmp_path / "rows.jsonl")
