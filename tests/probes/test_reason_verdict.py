"""Stated reasons against the verdict: each judgment is consistent, contradicting or undecidable."""

from collections.abc import Mapping

from reasrm.probes.items import PlainJudgments
from reasrm.probes.probe_run import run_suite
from reasrm.probes.query import RECORDED, PlainJudgment, ProbeContext
from reasrm.probes.reason_verdict import ReasonVerdictProbe
from reasrm.probes.recorded.recorded_judge import written
from reasrm.records.comparison import Side
from tests.probes.known_judges import sums

RUBRIC = "<rubric>facts 60, style 40</rubric>"


def listed(a: tuple[bool, bool], b: tuple[bool, bool], totals: str) -> str:
    """A reply that says which answer has facts and style."""
    said = {side: f"facts: {'yes' if facts else 'no'}; style: {'yes' if style else 'no'}."
            for side, (facts, style) in {"A": a, "B": b}.items()}  # fmt: skip
    return f"{RUBRIC}<eval><quote_A>x</quote_A> {said['A']} <quote_B>y</quote_B> {said['B']} {totals}</eval>"


def context(replies: Mapping[int, tuple[str, Side]]) -> ProbeContext:
    """The better answer is always A."""
    items = sums(len(replies))
    plain: PlainJudgments = {
        (item.benchmark, item.item_id): {Side.A: PlainJudgment(item, Side.A, written(*replies[place]))}
        for place, item in enumerate(items)
    }
    return ProbeContext(items, plain, RECORDED, 200, 0)


def test_what_can_be_read_is_counted_and_the_rest_said() -> None:
    replies = {
        0: (listed((True, False), (False, True), "So A has 60, B has 40."), Side.A),  # all agree
        1: (listed((True, False), (False, True), "So A has 60, B has 40."), Side.B),  # against the verdict
        2: (listed((True, False), (False, True), "So A has 40, B has 60."), Side.A),  # criteria and totals disagree
        3: (listed((True, True), (True, True), "So A has 100, B has 100."), Side.A),  # for neither
        4: ("<eval>Who knows.</eval>", Side.B),
        5: ("no part at all", Side.A),
    }
    (result,) = run_suite(None, [ReasonVerdictProbe()], context(replies), None)
    found = {(one.name, one.variant): one for one in result.measures}
    values = {key: (one.value, one.units) for key, one in found.items()}
    assert values["consistent", ""] == (1 / 5, 5)
    assert values["contradicting", ""] == (2 / 5, 5)
    assert values["undecidable", ""] == (2 / 5, 5)
    assert found["consistent", ""].left_out == 1  # without an evaluation
    assert values["agreement", ""] == (1 / 3, 3)
    assert found["agreement", ""].left_out == 3
    assert values["consistent", "criteria"] == (2 / 4, 4)
    assert values["contradicting", "totals"] == (2 / 4, 4)
    assert values["contradicting_picks_a", ""] == (1 / 2, 2)
    assert values["reasons_right", ""] == (1.0, 2)  # both speak for A
    assert values["verdict_gain", ""] == (-1 / 2, 2)
    assert values["totals_add_up", ""] == (3 / 4, 4)
    assert ("consistent", "result") not in found

    agree = [one.model_dump()["agree"] for one in result.readings]
    assert agree == [True, False, False, None, None, None]
    assert result.readings[2].model_dump()["criteria"] == {"facts": "A", "style": "B"}
