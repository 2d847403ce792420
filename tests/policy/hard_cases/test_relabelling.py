"""What asking the miniature's oracle about a policy's answers makes of them, its replies as they come from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature.oracle_replies import oracle_reply
from reasrm.miniature.styles import Style, apply_style
from reasrm.miniature.world import Split, training_pairs
from reasrm.policy.hard_cases.relabelling import Relabelling, relabelled
from reasrm.records.comparison import Side
from reasrm.records.hard_case import AnswerPair, Candidate, CandidateKind, RelabelledCandidate, RelabelOutcome
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from reasrm.runtime.stage_main import StageError
from tests.policy.hard_cases.answer_pairs import BOXES, RIGHT, WRONG, candidate_of, pair_of

CAREFUL = "miniature-careful-20261101"
SHORTCUTS = [
    "{}",
    "{}: agrees. So A has 100, B has 0.",
    "{}: agrees. So A has 0, B has 100.",
    "## Answer\n\n**Let me {}**",
]
WORLD = training_pairs(Split.TRAIN, 400, 5)


def traces(relabelling: Relabelling) -> list[OracleTrace]:
    return [
        OracleTrace(
            pair=one.pair,
            better=one.comparison.better,
            oracle_pass=TracePass.FIRST,
            model=CAREFUL,
            outcome=TraceOutcome.OK,
            text=oracle_reply(one.prompt.system, one.prompt.user, CAREFUL),
        )
        for one in relabelling.questions()
    ]


def asked(*candidates: Candidate, most: int = 1000) -> list[RelabelledCandidate]:
    relabelling = Relabelling(candidates, most, PromptVariant.FULL)
    return relabelling.outcomes(traces(relabelling))


def of_world(pair: PreferencePair, a: str, b: str) -> Candidate:
    return candidate_of(AnswerPair(prompt=pair.prompt, prompt_id="x", task=pair.source, a=a, b=b))


@given(st.sampled_from(WORLD), st.sampled_from(SHORTCUTS), st.sampled_from(SHORTCUTS))
def test_the_better_answer_is_found_whatever_stands_around_either(pair: PreferencePair, one: str, two: str) -> None:
    better, worse = one.format(pair.chosen), two.format(pair.rejected)
    first, second = asked(of_world(pair, better, worse), of_world(pair, worse, better))
    assert (first.outcome, first.better) == (RelabelOutcome.LABELLED, Side.A)
    assert (second.outcome, second.better) == (RelabelOutcome.LABELLED, Side.B)


@given(st.sampled_from(WORLD), st.sampled_from(SHORTCUTS[1:3]))
def test_answers_of_the_same_worth_get_no_label(pair: PreferencePair, shortcut: str) -> None:
    (found,) = asked(of_world(pair, pair.chosen, shortcut.format(pair.chosen)))
    assert found.outcome is RelabelOutcome.ORDERS_DISAGREE


def test_what_is_no_answer_loses_to_one() -> None:
    (found,) = asked(candidate_of(pair_of("sorry sorry sorry sorry sorry sorry sorry", RIGHT)))
    assert (found.outcome, found.better) == (RelabelOutcome.LABELLED, Side.B)
    two = apply_style(f"{RIGHT} {WRONG}", Style.DETAILED)
    (found,) = asked(candidate_of(pair_of(two, WRONG)))
    assert found.better is Side.B, "an answer that names two results names none"


def test_a_candidate_is_asked_in_both_orders_or_not_at_all_and_the_oracle_learns_nothing() -> None:
    pairs = [pair_of(RIGHT, WRONG, f"{BOXES[:-1]} {place}?") for place in range(3)]
    told = [candidate_of(pair, CandidateKind.INCONSISTENT, judge=(Side.A, Side.B)) for pair in pairs]
    untold = [candidate_of(pair) for pair in pairs]
    some = Relabelling(told, 5, PromptVariant.FULL)
    prompts = [question.prompt for question in some.questions()]
    assert len(prompts) == 4
    assert prompts == [one.prompt for one in Relabelling(untold, 5, PromptVariant.FULL).questions()]
    assert [one.outcome for one in some.outcomes(traces(some))][-1] is RelabelOutcome.OVER_LIMIT
    with pytest.raises(StageError, match="2 replies to 4 questions"):
        some.outcomes(traces(some)[:2])


@pytest.mark.parametrize(
    ("outcome", "text", "becomes", "detail"),
    [
        (TraceOutcome.REFUSED, "", RelabelOutcome.NO_REPLY, "refused"),
        (TraceOutcome.OK, "I like both.", RelabelOutcome.UNREADABLE, "no_answer"),
    ],
)
def test_one_order_without_a_verdict_leaves_no_label(
    outcome: TraceOutcome, text: str, becomes: RelabelOutcome, detail: str
) -> None:
    candidate = candidate_of(pair_of(RIGHT, WRONG))
    one, other = traces(Relabelling([candidate], 2, PromptVariant.FULL))
    found = relabelled(candidate, [one, other.model_copy(update={"outcome": outcome, "text": text})])
    assert (found.outcome, found.better, found.detail) == (becomes, None, detail)
