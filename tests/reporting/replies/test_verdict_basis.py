"""What a reply rests its verdict on, on replies of the miniature and on those of others."""

import random

import pytest

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature import traces
from reasrm.miniature.slices import Family
from reasrm.miniature.world import Split, make_pair
from reasrm.records.comparison import Side, show
from reasrm.reporting.replies.verdict_basis import BasisKind, VerdictBasis, verdict_basis

REQUEST = "Write a toast about tea. Most important: a joke; then a fact; then kind words."


@pytest.mark.parametrize(
    ("reply", "basis"),
    [
        ("<type>Reasoning</type><solution> 2 + 2 = 4</solution><answer>[[A]]</answer>", BasisKind.SOLUTION),
        ("<solution> </solution><eval>x</eval><answer>[[A]]</answer>", BasisKind.FREE),
        ("<rubric> a joke 50, a fact 30, kind words 20</rubric><answer>[[A]]</answer>", BasisKind.REQUEST),
        ("<rubric>Kind words (40%)</rubric><answer>[[A]]</answer>", BasisKind.REQUEST),
        ("<eval>A is better</eval><answer>[[A]]</answer>", BasisKind.FREE),
        ("<answer>[[A]]</answer>", BasisKind.NOTHING),
        ("", BasisKind.NOTHING),
    ],
)
def test_the_tags_say_what_a_verdict_rests_on(reply: str, basis: BasisKind) -> None:
    assert verdict_basis(reply, REQUEST) == VerdictBasis(basis)


def test_criteria_in_another_order_than_the_questions_are_the_judges_own() -> None:
    found = verdict_basis("<rubric> a fact 50, a joke 30, kind words 20</rubric>", REQUEST)
    assert found.label == "own criteria: a fact, a joke, kind words"


@pytest.mark.parametrize("family", Family)
def test_careful_and_careless_replies_of_the_miniature_are_told_apart(family: Family) -> None:
    rng = random.Random(0)
    for _ in range(20):
        shown = show(make_pair(family, Split.TEST, rng, 0.5), Side.A)
        question, answers = shown.prompt[-1].content, (shown.response_a, shown.response_b)
        careful = traces.careful_analysis(question, *answers).text(PromptVariant.FULL)
        layout = traces.layout_analysis(*answers).text(PromptVariant.FULL)
        assert verdict_basis(layout, question).label == "own criteria: layout"
        expected = {Family.CHAT: BasisKind.REQUEST, Family.SAFE: BasisKind.OWN}.get(family, BasisKind.SOLUTION)
        assert verdict_basis(careful, question).kind is expected
