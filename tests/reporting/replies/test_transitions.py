"""Every verdict that both judges gave is counted once, by what became of it and what it rested on."""

from pathlib import Path

from reasrm.records.comparison import Side
from reasrm.records.jsonl import write_records
from reasrm.reporting.replies.examples import asked_items, correct_items
from reasrm.reporting.replies.transitions import VerdictChange, read_transitions
from tests.reporting.replies.compared_judgments import LAYOUT, SOLVED, a_judgment, an_item

ITEMS = ("1", "2", "3")


def test_verdicts_are_counted_by_what_they_rest_on(tmp_path: Path) -> None:
    before = {"1": Side.B, "2": None, "3": Side.A}
    for model, text, verdicts in (("a", LAYOUT, before), ("b", SOLVED, dict.fromkeys(ITEMS, Side.A))):
        rows = [a_judgment(name, Side.A, verdicts[name], text) for name in ITEMS]
        write_records(tmp_path / "judgments" / model / "rmb.jsonl", rows)
    write_records(tmp_path / "items" / "rmb.jsonl", [an_item(name) for name in ITEMS])
    found = read_transitions(tmp_path / "judgments", asked_items(tmp_path / "items"), ("a", "b"))
    changes = {one.change: one for one in found.changes}
    assert {change: one.count for change, one in changes.items()} == {
        VerdictChange.STAYS_RIGHT: 1,
        VerdictChange.BECOMES_RIGHT: 2,
        VerdictChange.BECOMES_WRONG: 0,
        VerdictChange.STAYS_WRONG: 0,
    }
    (reason,) = changes[VerdictChange.BECOMES_RIGHT].reasons
    assert (reason.before, reason.after, reason.count) == ("own criteria: layout", "worked solution", 2)
    assert reason.example in {("rmb", "1"), ("rmb", "2")}
    assert found.by_kind == {"dial": {VerdictChange.STAYS_RIGHT: 1, VerdictChange.BECOMES_RIGHT: 2}}


def test_the_counts_of_a_run_are_those_of_its_judgments(made_up_data: Path) -> None:
    judgments, items = made_up_data / "judgments", asked_items(made_up_data / "benchmarks")
    found = read_transitions(judgments, items, ("sft", "grpo-full"))
    counts = {one.change: one.count for one in found.changes}
    assert sum(counts.values()) == 2 * len(correct_items(judgments / "sft"))
    assert {change: sum(kinds[change] for kinds in found.by_kind.values()) for change in VerdictChange} == counts
    for one in found.changes:
        assert sum(reason.count for reason in one.reasons) <= one.count
        assert [reason.count for reason in one.reasons] == sorted((r.count for r in one.reasons), reverse=True)
    assert all(key in items for key in found.examples)
