"""Written steps are checked where the question can be solved, and nowhere else."""

import random

import pytest

from reasrm.miniature.reasoning_families import ReasoningFamily, random_question, solve, written_steps
from reasrm.probes.items import PlainJudgments
from reasrm.probes.probe_run import run_suite
from reasrm.probes.query import RECORDED, PlainJudgment, ProbeContext, ProbeItem
from reasrm.probes.reason_verdict import ReasonVerdictProbe
from reasrm.probes.reasoning.solution_steps import checked, known_solution
from reasrm.probes.recorded.recorded_judge import written
from reasrm.records.comparison import Side
from reasrm.records.pair import Message, PreferencePair, Role

QUESTION = "A dial counts 0 to 4 and then starts again. It shows 1. Step 1: add 2; step 2: add 2; step 3: add 3. What does it show?"  # noqa: E501
SOLUTION = known_solution(QUESTION)


@pytest.mark.parametrize("family", ReasoningFamily)
def test_what_the_world_writes_is_right_and_known(family: ReasoningFamily) -> None:
    question = random_question(family, 5, random.Random(1))
    found = checked(written_steps(solve(question)), known_solution(question))
    assert (found.right, found.whole) == ((True,) * 5, True)


@pytest.mark.parametrize(
    ("text", "right", "whole"),
    [
        (" Step 1: add 2 → 3; step 2: add 2 → 0; step 3: add 3 → 3", (True, True, True), True),
        (" Step 1: add 2 → 3; step 2: add 2 → 1; step 3: add 3 → 4", (True, False, False), False),
        (" Step 1: add 2 → 3; step 2: add 3 → 0; step 3: add 3 → 3", (True, False, True), False),
        (" Step 1: add 2 → 3; step 3: add 3 → 3", (True, True), False),
        (" Step 1: add 2 → 3; step 2: add 2; step 3: add 3 → 3", (True, True, False), False),
        ("It shows 3.", (), False),
    ],
)
def test_a_step_is_right_with_its_number_operation_and_result(text: str, right: tuple[bool, ...], whole: bool) -> None:
    found = checked(text, SOLUTION)
    assert (found.right, found.whole) == (right, whole)


@pytest.mark.parametrize("question", ["What is 2 plus 2?", QUESTION.replace("add 2", "take 2")])
def test_of_other_questions_nothing_is_known(question: str) -> None:
    assert known_solution(question) == ()


def test_measures_count_steps_and_solutions_by_question() -> None:
    replies = [
        "<solution> Step 1: add 2 → 3; step 2: add 2 → 0; step 3: add 3 → 3</solution><answer>[[A]]</answer>",
        "<solution> Step 1: add 2 → 3; step 2: add 2 → 1; step 3: add 3 → 4</solution>",
        "<answer>[[A]]</answer>",
    ]
    plain: PlainJudgments = {}
    for place, reply in enumerate(replies):
        prompt = (Message(role=Role.USER, content=QUESTION),)
        pair = PreferencePair(prompt=prompt, chosen="In the end it shows 3.", rejected=str(place), source="dial")
        one = ProbeItem("dial", str(place), str(place), pair)
        plain["dial", str(place)] = {Side.A: PlainJudgment(one, Side.A, written(reply, Side.A))}
    (result,) = run_suite(None, [ReasonVerdictProbe()], ProbeContext((), plain, RECORDED, 100, 0), None)
    found = {one.name: (one.value, one.units, one.left_out) for one in result.measures}
    assert found["steps_right"] == (pytest.approx(2 / 3), 6, 0)
    assert found["worked_out"] == (pytest.approx(1 / 3), 3, 0)
