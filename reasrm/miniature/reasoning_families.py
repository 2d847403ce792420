"""The three reasoning families: a start, three to six operations in sequence, one right result.

Each step needs the result of the step before it: a model that answers at once must compute the whole chain inside its
few layers, while one that writes the steps down needs only the previous step for each. A question holds all that its
solution needs.
"""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

POSITIONS = 5
COMPASS = ("north", "east", "south", "west")
BOXES = ("red", "green", "blue")
QUARTER_TURNS = {"turn right": 1, "turn around": 2, "turn left": 3}
SHORT = (3, 4)
"""Steps of a short problem."""
LONG = (5, 6)
"""Steps of a long problem."""


class ReasoningFamily(StrEnum):
    """A family of questions with a right result."""

    DIAL = "dial"
    """Add to a dial that counts 0 to 4 and starts again."""
    TURN = "turn"
    """Face a direction and turn several times."""
    BOXES = "boxes"
    """Say in which box a ball is after boxes exchanged what is in them."""


@dataclass(frozen=True)
class FamilyTexts:
    """The sentences of a family, and what its operations do."""

    states: tuple[str, ...]
    """All states, which are all possible results."""
    operations: Mapping[str, Mapping[str, str]]
    """Operation, as it is written in a step -> state before -> state after."""
    start: str
    """What stands before the first state."""
    answer: str
    """What stands before the result in an answer; not `start`, or a small model quotes the question for the answer."""
    noun: str
    """What stands behind a state in both."""
    ask: str
    """The last sentence of a question."""


@dataclass(frozen=True)
class SolutionStep:
    """One step of a solution: its number from 1, its operation, and the state after it."""

    number: int
    operation: str
    result: str


def _additions() -> dict[str, dict[str, str]]:
    digits = range(POSITIONS)
    return {f"add {more}": {str(at): str((at + more) % POSITIONS) for at in digits} for more in digits[1:]}


def _turns() -> dict[str, dict[str, str]]:
    return {
        words: {facing: COMPASS[(at + quarters) % len(COMPASS)] for at, facing in enumerate(COMPASS)}
        for words, quarters in QUARTER_TURNS.items()
    }


def _swaps() -> dict[str, dict[str, str]]:
    return {
        f"swap the contents of {one} and {other}": {box: {one: other, other: one}.get(box, box) for box in BOXES}
        for one, other in permutations(BOXES, 2)
    }


FAMILIES: dict[ReasoningFamily, FamilyTexts] = {
    ReasoningFamily.DIAL: FamilyTexts(
        states=tuple(str(digit) for digit in range(POSITIONS)),
        operations=_additions(),
        start=f"A dial counts 0 to {POSITIONS - 1} and then starts again. It shows",
        answer="In the end it shows",
        noun="",
        ask="What does it show?",
    ),
    ReasoningFamily.TURN: FamilyTexts(
        states=COMPASS,
        operations=_turns(),
        start="You face",
        answer="In the end you face",
        noun="",
        ask="Which way do you face?",
    ),
    ReasoningFamily.BOXES: FamilyTexts(
        states=BOXES,
        operations=_swaps(),
        start="A ball is in the",
        answer="It is in the",
        noun=" box",
        ask="Where is the ball?",
    ),
}


def random_question(family: ReasoningFamily, steps: int, rng: random.Random) -> str:
    """A random question of `family` with so many steps."""
    texts = FAMILIES[family]
    state, operations = rng.choice(texts.states), rng.choices(tuple(texts.operations), k=steps)
    return f"{texts.start} {state}{texts.noun}.{_numbered(operations)}. {texts.ask}"


def family_of(question: str) -> ReasoningFamily | None:
    """The reasoning family that a question begins and ends like; None if it is of no such family."""
    return next(
        (
            family
            for family, texts in FAMILIES.items()
            if question.startswith(f"{texts.start} ") and question.endswith(f". {texts.ask}")
        ),
        None,
    )


def solve(question: str) -> tuple[SolutionStep, ...]:
    """Solve a question step by step; the last step holds the result.

    Raises:
        KeyError, ValueError: the text begins like a question of a family but is none.
    """
    family = family_of(question)
    if family is None:
        raise ValueError(f"not a question of a reasoning family: {question!r}")
    texts = FAMILIES[family]
    start, steps = question.removeprefix(f"{texts.start} ").removesuffix(f". {texts.ask}").split(".", 1)
    state = start.removesuffix(texts.noun)
    operations = re.split(r"; step \d+: ", steps.removeprefix(" Step 1: "))
    if _numbered(operations) != steps:
        raise ValueError(f"the steps of {question!r} are not numbered from 1")
    solution = []
    for number, operation in enumerate(operations, 1):
        state = texts.operations[operation][state]
        solution.append(SolutionStep(number, operation, state))
    return tuple(solution)


def written_steps(steps: Sequence[SolutionStep]) -> str:
    """The worked steps as text: number, operation, result of each."""
    return _numbered(f"{step.operation} → {step.result}" for step in steps)


def _numbered(texts: Iterable[str]) -> str:
    return ";".join(f" {'Step' if number == 1 else 'step'} {number}: {text}" for number, text in enumerate(texts, 1))


def answer_naming(family: ReasoningFamily, result: str) -> str:
    """The plain answer that names `result`."""
    texts = FAMILIES[family]
    return f"{texts.answer} {result}{texts.noun}."


def result_of(family: ReasoningFamily, content: str) -> str:
    """The result that a plain answer of `family` names."""
    texts = FAMILIES[family]
    return content.removeprefix(f"{texts.answer} ").removesuffix(f"{texts.noun}.")


def reasoning_phrases() -> tuple[str, ...]:
    """Every text of these families that is one entry of the miniature's vocabulary."""
    states = {state for texts in FAMILIES.values() for state in texts.states}
    return (
        *(
            f"{';' if number > 1 else ''} {'step' if number > 1 else 'Step'} {number}:"
            for number in range(1, max(LONG) + 1)
        ),
        *(f" {operation}" for texts in FAMILIES.values() for operation in texts.operations),
        *(f" → {state}" for state in sorted(states)),
        *(text for texts in FAMILIES.values() for text in (texts.start, texts.answer, f". {texts.ask}")),
        *(texts.noun for texts in FAMILIES.values() if texts.noun),
    )
