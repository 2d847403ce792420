"""Each probe tells the judges of known behaviour apart, with the numbers that its definition gives."""

from dataclasses import replace

import pytest

from reasrm.probes.grounding import GroundingProbe
from reasrm.probes.order import OrderProbe
from reasrm.probes.probe import Probe
from reasrm.probes.probe_run import run_suite
from reasrm.probes.query import ProbeAnswer
from reasrm.probes.reason_verdict import ReasonVerdictProbe
from reasrm.records.comparison import Side, show
from reasrm.records.judgment import ComparisonJudgment
from tests.probes.known_judges import (
    ALWAYS_A,
    CONTRADICTS,
    KNOWN_JUDGES,
    LONGER,
    OBEYS,
    QUOTES_FALSELY,
    RATIONALISES,
    REASONS,
    KnownJudge,
    context_of,
    open_known,
    sums,
)


def figures(probe: Probe, known: KnownJudge) -> dict[str, float]:
    """What a probe measures of a judge, by name and variant."""
    with open_known(known) as judge:
        (result,) = run_suite(judge, [probe], context_of(judge), None)
    return {"/".join(filter(None, (one.name, one.variant))): one.value for one in result.measures}


ORDER = [
    # judge, consistently right, flips, picks A
    (ALWAYS_A, 0.0, 1.0, 1.0),
    (LONGER, 0.5, 0.0, 0.5),
    (OBEYS, 1.0, 0.0, 0.5),
    (REASONS, 1.0, 0.0, 0.5),
    (RATIONALISES, 0.5, 0.0, 0.5),
    (QUOTES_FALSELY, 1.0, 0.0, 0.5),
    (CONTRADICTS, 0.0, 0.0, 0.5),
]


@pytest.mark.parametrize(("known", "right", "flips", "picks_a"), ORDER, ids=[row[0].name for row in ORDER])
def test_order(known: KnownJudge, right: float, flips: float, picks_a: float) -> None:
    found = figures(OrderProbe(temperature=1.0), known)
    assert (found["consistent_accuracy"], found["flip_rate"], found["picked_a"]) == (right, flips, picks_a)
    assert (found["repeat_rate"], found["net_flip_rate"]) == (0.0, flips)


def test_draws_of_two_items_of_one_question_are_not_mixed() -> None:
    """One is answered in both orders and one in neither: a judge that never changes its mind has not done so here."""
    probe, items = OrderProbe(temperature=1.0), [replace(item, question="one") for item in sums(2)]
    with open_known(REASONS) as judge:
        context = context_of(judge, items)
        queries = list(probe.queries(context))
    said = {"sum-0": (True, True, True), "sum-1": (False, None, None)}
    places = {variant: place for place, variant in enumerate(("drawn", "drawn_again", "drawn_swapped"))}
    answers = []
    for query in queries:
        right = said[query.item.item_id][places[query.variant]]
        better = query.comparison.better
        verdict = None if right is None else better if right else better.other
        judgment = ComparisonJudgment(verdict=verdict, unreadable="no_answer" if verdict is None else None)
        answers.append(ProbeAnswer(query, judgment))
    found = {one.name: (one.value, one.units, one.left_out) for one in probe.measures(context, answers)}
    assert found["repeat_rate"] == found["net_flip_rate"] == (0.0, 1, 1)


REASON_VERDICT = [
    # judge, consistent, contradicting, undecidable; None: its replies hold no evaluation
    (ALWAYS_A, None),
    (LONGER, None),
    (OBEYS, None),
    (REASONS, (1.0, 0.0, 0.0)),
    (RATIONALISES, (1.0, 0.0, 0.0)),
    (QUOTES_FALSELY, (1.0, 0.0, 0.0)),
    (CONTRADICTS, (0.0, 1.0, 0.0)),
]


@pytest.mark.parametrize(("known", "shares"), REASON_VERDICT, ids=[row[0].name for row in REASON_VERDICT])
def test_reason_verdict(known: KnownJudge, shares: tuple[float, float, float] | None) -> None:
    """Who decides first and rationalises is consistent too: only perturbing the reasons tells it from who reasons."""
    found = figures(ReasonVerdictProbe(), known)
    names = ("consistent", "contradicting", "undecidable")
    assert tuple(found.get(name) for name in names) == (shares or (None,) * len(names))
    if known is CONTRADICTS:
        assert (found["reasons_right"], found["verdict_gain"]) == (1.0, -1.0)
    if known is RATIONALISES:
        assert (found["reasons_right"], found["consistent/criteria"]) == (0.5, 1.0)


GROUNDING = [
    # judge, verbatim, in the other answer, in neither; None: it quotes nothing
    (ALWAYS_A, None),
    (LONGER, None),
    (OBEYS, None),
    (REASONS, (1.0, 0.0, 0.0)),
    (RATIONALISES, (1.0, 0.0, 0.0)),
    (QUOTES_FALSELY, (0.0, 0.5, 0.5)),
    (CONTRADICTS, (1.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("known", "shares"), GROUNDING, ids=[row[0].name for row in GROUNDING])
def test_grounding(known: KnownJudge, shares: tuple[float, float, float] | None) -> None:
    found = figures(GroundingProbe(), known)
    names = ("verbatim", "other_answer", "absent")
    assert tuple(found.get(name) for name in names) == (shares or (None,) * len(names))
    assert found.get("strict") == (1.0 if known is RATIONALISES else None)


@pytest.mark.parametrize("known", KNOWN_JUDGES, ids=[known.name for known in KNOWN_JUDGES])
def test_a_step_that_is_turned_round_turns_the_margin_only_of_a_judge_that_reasons(known: KnownJudge) -> None:
    with open_known(known) as judge:
        plain = context_of(judge).all_plain[0]
        assert plain.judgment.reply is not None
        begun = plain.judgment.reply.text.partition("<answer>")[0] + "<answer>[["
        turned = begun.replace("agrees", "?").replace("differs", "agrees").replace("?", "differs")
        shown = show(plain.item.pair, plain.better)
        before, after = judge.verdict_margins([(shown, begun), (shown, turned)])
    assert before is not None
    assert after is not None
    assert (before > 0) is (plain.judgment.verdict is Side.A)
    assert (before * after < 0) is (known in (REASONS, QUOTES_FALSELY, CONTRADICTS))
