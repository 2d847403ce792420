"""The three reasoning families: a start, a few operations in sequence, one right result.

Each step needs the result of the step before it: a model that answers at once must compute the whole chain inside its
few layers, while one that writes the steps down needs only the previous step for each. A question holds all that its
solution needs.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

LETTERS = ("a", "b", "c", "d", "e", "f")
MODULUS = 5
SUM_TERMS = 5
TURNS = 5
SWAPS = 5
COMPASS = ("north", "east", "south", "west")
QUARTER_TURNS = {"stay": 0, "right": 1, "back": 2, "left": 3}
CUPS = ("red", "green", "blue")


class ReasoningFamily(StrEnum):
    """A family of questions with a right result."""

    SUM = "sum"
    """Add digits, counting modulo five."""
    TURN = "turn"
    """Face a direction and turn several times."""
    SWAP = "swap"
    """Say under which cup a ball is after cups changed places."""


RESULTS: dict[ReasoningFamily, tuple[str, ...]] = {
    ReasoningFamily.SUM: tuple(str(digit) for digit in range(MODULUS)),
    ReasoningFamily.TURN: COMPASS,
    ReasoningFamily.SWAP: CUPS,
}
"""All possible results of a family's questions."""


@dataclass(frozen=True)
class SolutionStep:
    """One step of a solution: its letter, its operand, and the state after it."""

    letter: str
    operand: str
    result: str


def random_question(family: ReasoningFamily, rng: random.Random) -> str:
    """A random question of `family`."""
    if family is ReasoningFamily.SUM:
        operands = [str(rng.randrange(MODULUS)) for _ in range(SUM_TERMS)]
        head = "sum"
    elif family is ReasoningFamily.TURN:
        operands = [rng.choice(tuple(QUARTER_TURNS)) for _ in range(TURNS)]
        head = f"face {rng.choice(COMPASS)} then"
    else:
        operands = ["".join(cup[0] for cup in rng.sample(CUPS, 2)) for _ in range(SWAPS)]
        head = f"ball {rng.choice(CUPS)} swap"
    return " ".join([head, *(f"{letter} {operand}" for letter, operand in zip(LETTERS, operands, strict=False))])


def family_of(question: str) -> ReasoningFamily | None:
    """The reasoning family of a question, by its first word; None if it is of no such family."""
    heads = {"sum": ReasoningFamily.SUM, "face": ReasoningFamily.TURN, "ball": ReasoningFamily.SWAP}
    return heads.get(question.split(" ", 1)[0])


def solve(question: str) -> tuple[SolutionStep, ...]:
    """Solve a question step by step; the last step holds the result.

    Raises:
        KeyError, IndexError, ValueError: the text begins like a question of a family but is none.
    """
    words = question.split()
    if words[0] == "sum":
        state, tail = "0", words[1:]
    else:
        state, tail = words[1], words[3:]
    steps = []
    for letter, operand in zip(tail[::2], tail[1::2], strict=True):
        state = _next_state(words[0], state, operand)
        steps.append(SolutionStep(letter, operand, state))
    return tuple(steps)


def _next_state(head: str, state: str, operand: str) -> str:
    if head == "sum":
        return str((int(state) + int(operand)) % MODULUS)
    if head == "face":
        return COMPASS[(COMPASS.index(state) + QUARTER_TURNS[operand]) % len(COMPASS)]
    if state[0] in operand:
        other = operand.replace(state[0], "")
        return next(cup for cup in CUPS if cup[0] == other)
    return state


def answer_naming(result: str) -> str:
    """The plain answer that names `result`."""
    return f"it is {result}"


def result_of(content: str) -> str:
    """The result that a plain answer names: its last word."""
    return content.rsplit(" ", 1)[-1]
