"""Reasoning questions: what they say is what is solved, step by step."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.miniature.reasoning_families import (
    FAMILIES,
    LONG,
    SHORT,
    ReasoningFamily,
    answer_naming,
    family_of,
    random_question,
    result_of,
    solve,
    written_steps,
)

steps_and_families = (st.integers(0, 10**6), st.sampled_from(list(ReasoningFamily)), st.sampled_from(SHORT + LONG))


@pytest.mark.parametrize(
    ("question", "work"),
    [
        (
            "A dial counts 0 to 4 and then starts again. It shows 3. Step 1: add 4; step 2: add 1; step 3: add 4. "
            "What does it show?",
            " Step 1: add 4 → 2; step 2: add 1 → 3; step 3: add 4 → 2",
        ),
        (
            "You face west. Step 1: turn right; step 2: turn around; step 3: turn left. Which way do you face?",
            " Step 1: turn right → north; step 2: turn around → south; step 3: turn left → east",
        ),
        (
            "A ball is in the red box. Step 1: swap the contents of red and green; "
            "step 2: swap the contents of blue and red; step 3: swap the contents of blue and green. "
            "Where is the ball?",
            " Step 1: swap the contents of red and green → green; step 2: swap the contents of blue and red → green; "
            "step 3: swap the contents of blue and green → blue",
        ),
    ],
)
def test_worked_examples(question: str, work: str) -> None:
    assert written_steps(solve(question)) == work


@given(*steps_and_families)
def test_a_question_has_its_family_its_steps_and_a_result(seed: int, family: ReasoningFamily, steps: int) -> None:
    question = random_question(family, steps, random.Random(seed))
    solution = solve(question)
    assert family_of(question) is family
    assert [step.number for step in solution] == list(range(1, steps + 1))
    assert all(f"tep {step.number}: {step.operation}" in question for step in solution)
    assert solution[-1].result in FAMILIES[family].states


@given(*steps_and_families)
def test_each_step_goes_on_from_the_step_before(seed: int, family: ReasoningFamily, steps: int) -> None:
    question = random_question(family, steps, random.Random(seed))
    solution = solve(question)
    for number in range(2, steps + 1):
        ask = f". {FAMILIES[family].ask}"
        shorter = question.removesuffix(ask).split(f"; step {number}:", 1)[0] + ask
        assert solve(shorter) == solution[: number - 1]


@given(st.sampled_from([(family, state) for family in ReasoningFamily for state in FAMILIES[family].states]))
def test_the_result_is_read_back_from_an_answer(named: tuple[ReasoningFamily, str]) -> None:
    assert result_of(named[0], answer_naming(*named)) == named[1]


@pytest.mark.parametrize(
    "question",
    [
        "You face west. Which way do you face?",
        "You face up. Step 1: turn right. Which way do you face?",
        "You face west. Step 1: jump. Which way do you face?",
        "You face west. Step 1: turn right; step 3: turn left. Which way do you face?",
        "You face west. Step 1: turn right; Step 2: turn left. Which way do you face?",
        "You face problems at work. What now?",
    ],
)
def test_text_that_only_looks_like_a_question_is_not_solved(question: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        solve(question)
