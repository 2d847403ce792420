"""Which judgments are flipped, ungrounded, or were moved by a probe."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.judgment import ComparisonJudgment, Judgment
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.probe_row import ProbeRow, ShownTexts
from reasrm.reporting.trace_browser.judgment_flags import changing_probes, flipped_places, swapped_places
from reasrm.reporting.trace_browser.traced_items import JudgedBy, ProbedAs, TracedItem


def judged(model: str, better: Side, verdict: Side | None) -> JudgedBy:
    unreadable = None if verdict else "no_answer"
    one = Judgment(benchmark="b", item_id="i", better=better, verdict=verdict, unreadable=unreadable)
    return JudgedBy(model, one)


def probed(model: str, probe: str, better: Side, verdict: Side | None) -> ProbedAs:
    judgment = ComparisonJudgment(verdict=verdict)
    place = {"benchmark": "b", "item_id": "i", "better": better}
    return ProbedAs(model, ProbeRow(probe=probe, variant="v", **place, shown=ShownTexts(), judgment=judgment))


def traced(judged_: list[JudgedBy], probed_: list[ProbedAs]) -> TracedItem:
    pair = PreferencePair(prompt=(Message(role=Role.USER, content="q"),), chosen="x", rejected="y", source="s")
    return TracedItem(BenchmarkItem(benchmark="b", item_id="i", group="g", pair=pair, keys={}), judged_, probed_)


def test_a_judge_that_says_a_in_both_orders_is_flipped_and_one_that_follows_the_answer_is_not() -> None:
    always_a = [judged("m", side, Side.A) for side in Side]
    follows = [judged("n", side, side) for side in Side]
    assert flipped_places([*always_a, *follows]) == {0, 1}


def test_an_unreadable_order_makes_no_flip() -> None:
    assert flipped_places([judged("m", Side.A, Side.A), judged("m", Side.B, None)]) == set()
    assert flipped_places([judged("m", Side.A, Side.A)]) == set()


def test_the_first_of_several_in_one_order_belongs_to_the_first_in_the_other() -> None:
    several = [judged("m", Side.A, Side.A), judged("m", Side.A, Side.B), judged("m", Side.B, Side.A)]
    assert swapped_places(several) == {0: 2, 2: 0}
    assert flipped_places(several) == {0, 2}


VERDICTS = st.sampled_from([Side.A, Side.B, None])


@given(st.lists(st.tuples(st.sampled_from("mn"), st.sampled_from(list(Side)), VERDICTS), max_size=8))
def test_a_flip_has_two_sides(rows: list[tuple[str, Side, Side | None]]) -> None:
    all_judged = [judged(*row) for row in rows]
    places, flipped = swapped_places(all_judged), flipped_places(all_judged)
    assert all(places[other] == place for place, other in places.items())
    assert all(places[place] in flipped for place in flipped)


def test_a_probe_changes_a_judgment_of_the_same_model_and_order_by_the_other_verdict_alone() -> None:
    plain = judged("m", Side.A, Side.A)
    moved = [probed("m", "attacks", Side.A, Side.B), probed("m", "attacks", Side.A, Side.B)]
    not_moved = [
        probed("m", "same", Side.A, Side.A),
        probed("m", "lost", Side.A, None),
        probed("m", "other_order", Side.B, Side.B),
        probed("n", "other_model", Side.A, Side.B),
    ]
    assert changing_probes(traced([plain], [*moved, *not_moved]), plain) == ("attacks",)
    unreadable = judged("m", Side.A, None)
    assert changing_probes(traced([unreadable], moved), unreadable) == ()
