"""The pair that the page opens with is the shortest that fits the rule, and how many there are is counted."""

from pathlib import Path

import pytest

from reasrm.records.comparison import Side
from reasrm.reporting.replies.before_after import before_after_pair, choose_pair
from reasrm.reporting.replies.verdict_basis import BasisKind, verdict_basis
from tests.reporting.replies.compared_judgments import LAYOUT, SOLVED, an_item, improved


@pytest.mark.parametrize("reverse", [False, True])
def test_the_shortest_pair_that_fits_the_rule_is_shown(reverse: bool) -> None:
    candidates = [
        improved(an_item("the later one works nothing out"), LAYOUT, LAYOUT),
        improved(an_item("both work it out"), SOLVED, SOLVED),
        improved(an_item("the shorter answer was taken", chosen="the longest"), LAYOUT, SOLVED),
        improved(an_item("fits, longer", "a long question"), LAYOUT, SOLVED, Side.B),
        improved(an_item("fits"), LAYOUT, SOLVED, Side.B),
    ]
    found = choose_pair(candidates[::-1] if reverse else candidates)
    assert found is not None
    assert (found.pair.compared.item.item_id, found.pair.better, found.pair.fits) == ("fits", Side.B, True)
    assert (found.improved, found.fitting) == (5, 2)


def test_where_nothing_fits_the_shortest_pair_counts() -> None:
    found = choose_pair([improved(an_item("longer", "qq"), SOLVED, LAYOUT), improved(an_item("short"), SOLVED, LAYOUT)])
    assert found is not None
    assert (found.pair.compared.item.item_id, found.pair.fits, found.fitting) == ("short", False, 0)


def test_a_judge_that_writes_nothing_gives_no_pair() -> None:
    assert choose_pair([]) is None
    assert choose_pair([improved(an_item("x"), "", SOLVED)]) is None


def test_the_pair_of_a_run_is_what_the_rule_says(made_up_data: Path) -> None:
    found = before_after_pair(made_up_data / "judgments", made_up_data / "benchmarks", ("base", "grpo-full"))
    assert found is not None
    one = found.pair
    before, after = one.compared.first[one.better], one.compared.second[one.better]
    assert before.correct is False
    assert all(judgment.correct for judgment in one.compared.second.values())
    pair = one.compared.item.pair
    assert len(pair.rejected) > len(pair.chosen)
    assert before.reply is not None
    assert after.reply is not None
    assert verdict_basis(before.reply.text, pair.question).kind is BasisKind.OWN
    assert verdict_basis(after.reply.text, pair.question).kind.is_worked_out
    assert 0 < found.fitting <= found.improved
