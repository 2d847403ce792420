"""Analyses: what each kind decides by, and the form that each prompt asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.chain_of_rubrics import OFFERED_TYPES, PromptVariant
from reasrm.judging.question_types import QuestionType
from reasrm.judging.trace_structure import grounding, read_structure
from reasrm.miniature.slices import Family
from reasrm.miniature.styles import Style, apply_style, strip_style
from reasrm.miniature.traces import answer_tag, careful_analysis, layout_analysis, stock_analysis
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.comparison import Side, show
from reasrm.records.pair import PreferencePair

PAIRS = training_pairs(Split.TRAIN, 600, 4)
TURN = "You face west. Step 1: turn right; step 2: turn around; step 3: turn left. Which way do you face?"
TOAST = "Write a toast about tea. Most important: a joke; then kind words; then a fact."
JOKE = "This is about tea. Why did it cross the road? To meet you!"
FACT_AND_STEPS = (
    "## Answer\n\n**This is about tea. It is found in over ninety countries. First look, then try, then rest.**"
)


def test_a_reasoning_problem_is_solved_and_each_answer_held_against_the_result() -> None:
    analysis = careful_analysis(TURN, "## Answer\n\n**In the end you face north.**", "In the end you face east.")
    assert analysis.preferred is Side.B
    work = " Step 1: turn right → north; step 2: turn around → south; step 3: turn left → east"
    checks = "<quote_A> north</quote_A>, mine → east: differs.<quote_B> east</quote_B>, mine → east: agrees."
    rubric = "<rubric> the right result 100<justify> the question has one</justify></rubric>"
    assert analysis.text(PromptVariant.FULL) == (
        f"<type>Reasoning</type><solution>{work}</solution><eval>{checks}</eval>"
    )
    assert analysis.text(PromptVariant.FULL_CATEGORIES) == (
        f"<type>Logic</type><solution>{work}</solution><eval>{checks}</eval>"
    )
    assert analysis.text(PromptVariant.RUBRICS) == f"{rubric}<eval>{work}.{checks}</eval>"
    assert analysis.text(PromptVariant.PLAIN) == f"<eval>{work}.{checks}</eval>"
    assert analysis.text(PromptVariant.ANSWER_ONLY) == ""


def test_a_chat_request_is_weighed_as_it_asks() -> None:
    analysis = careful_analysis(TOAST, JOKE, FACT_AND_STEPS)
    assert analysis.preferred is Side.A
    assert analysis.text(PromptVariant.FULL) == (
        "<type>Chat</type><rubric> a joke 50, kind words 30, a fact 20<justify> the client wants a joke most</justify>"
        "</rubric><eval><quote_A> Why did it cross the road? To meet you!</quote_A> a joke: yes, 50; "
        "kind words: no, 50; a fact: no, 50.<quote_B> It is found in over ninety countries.</quote_B> a joke: no, 0; "
        "kind words: no, 0; a fact: yes, 20. So A has 50, B has 20.</eval>"
    )


def test_finer_types_are_those_of_the_families() -> None:
    found = {
        (pair.labels["family"], careful_analysis(pair.question, pair.chosen, pair.rejected).type) for pair in PAIRS
    }
    assert found == {
        *(
            (Family.DIAL, QuestionType.MATHEMATICS),
            (Family.TURN, QuestionType.LOGIC),
            (Family.BOXES, QuestionType.LOGIC),
        ),
        *((Family.CHAT, QuestionType.WRITING), (Family.SAFE, QuestionType.SAFETY)),
    }
    assert layout_analysis(JOKE, JOKE).type is QuestionType.CONVERSATION


def test_stock_criteria_and_layout_take_the_other_one() -> None:
    stock = stock_analysis(JOKE, FACT_AND_STEPS)
    assert stock.preferred is Side.B
    assert " a fact 50, clear steps 30, kind words 20" in stock.text(PromptVariant.RUBRICS)
    layout = layout_analysis(JOKE, FACT_AND_STEPS)
    assert layout.preferred is Side.B
    assert layout_analysis(JOKE, JOKE).preferred is None
    assert layout.text(PromptVariant.PLAIN) == (
        "<eval><quote_A>This is about</quote_A> is concise.<quote_B>## Answer</quote_B> is markdown.</eval>"
    )


@given(st.sampled_from(PAIRS), st.sampled_from(list(Side)), st.sampled_from(list(PromptVariant)[:4]))
def test_every_analysis_has_the_structure_of_its_prompt_and_quotes_verbatim(
    pair: PreferencePair, better: Side, variant: PromptVariant
) -> None:
    shown = show(pair, better)
    careful = careful_analysis(pair.question, shown.response_a, shown.response_b)
    assert careful.preferred is better
    careless = [layout_analysis(shown.response_a, shown.response_b)]
    if pair.labels["family"] == Family.CHAT:
        careless.append(stock_analysis(shown.response_a, shown.response_b))
    for analysis in (careful, *careless):
        found = read_structure(analysis.text(variant) + answer_tag(Side.A))
        assert found.quoted == set(Side)
        assert all(grounding(quote, shown.response_a, shown.response_b).holds for quote in found.quotes)
        offered = OFFERED_TYPES.get(variant)
        solved = analysis.type.coarse is QuestionType.REASONING
        if offered:
            assert found.type in offered
            assert found.type.coarse is analysis.type.coarse
            assert bool(found.solution) is solved
        if variant is PromptVariant.RUBRICS or (offered and not solved):
            assert sum(found.weights) == 100
        if variant is PromptVariant.PLAIN:
            assert not found.rubric


@given(st.sampled_from(["It shows 3.", "Sorry, I cannot help.", "## odd", "", "**x**"]), st.sampled_from(list(Style)))
def test_stripping_a_style_is_the_inverse_of_applying_it(content: str, style: Style) -> None:
    assert strip_style(apply_style(content, style)) == (style, content)


@pytest.mark.parametrize("answers", [("It shows 3.", "words"), ("", "")])
def test_answers_from_outside_the_world_are_refused(answers: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        careful_analysis(TOAST, *answers)
