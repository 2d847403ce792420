"""The three reasoning families: a start, a few operations in a row, one right result.

Each step needs the result of the step before it, so a model that answers at once must do the whole chain inside its few
layers, while one that writes the steps down does each by a look at what stands there. A question holds all that its
solution needs; nothing but the text is ever consulted.
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
TURN_BY = {"stay": 0, "right": 1, "back": 2, "left": 3}
CUPS = ("red", "green", "blue")


class Reasoning(StrEnum):
    """Families with a right result."""

    SUM = "sum"
    """Add digits, counting modulo five."""
    TURN = "turn"
    """Face a direction and turn several times."""
    SWAP = "swap"
    """Follow a ball under cups that change places."""


RESULTS: dict[Reasoning, tuple[str, ...]] = {
    Reasoning.SUM: tuple(str(digit) for digit in range(MODULUS)),
    Reasoning.TURN: COMPASS,
    Reasoning.SWAP: CUPS,
}
"""Everything that can be the result of a question of the family."""


@dataclass(frozen=True)
class Step:
    """One line of a solution: the step's letter, what it does, and where that leads."""

    letter: str
    operand: str
    result: str


def ask(family: Reasoning, rng: random.Random) -> str:
    """A random question of `family`."""
    if family is Reasoning.SUM:
        operands = [str(rng.randrange(MODULUS)) for _ in range(SUM_TERMS)]
        head = "sum"
    elif family is Reasoning.TURN:
        operands = [rng.choice(tuple(TURN_BY)) for _ in range(TURNS)]
        head = f"face {rng.choice(COMPASS)} then"
    else:
        operands = ["".join(cup[0] for cup in rng.sample(CUPS, 2)) for _ in range(SWAPS)]
        head = f"ball {rng.choice(CUPS)} swap"
    return " ".join([head, *(f"{letter} {operand}" for letter, operand in zip(LETTERS, operands, strict=False))])


def family_of(question: str) -> Reasoning | None:
    """The family that asks like this; None if it is none of them."""
    heads = {"sum": Reasoning.SUM, "face": Reasoning.TURN, "ball": Reasoning.SWAP}
    return heads.get(question.split(" ", 1)[0])


def work_out(question: str) -> tuple[Step, ...]:
    """Solve a question of the world step by step; the last step holds the result.

    Raises:
        KeyError, IndexError, ValueError: the text only begins like a question of the world.
    """
    words = question.split()
    if words[0] == "sum":
        state, tail = "0", words[1:]
    else:
        state, tail = words[1], words[3:]
    steps = []
    for letter, operand in zip(tail[::2], tail[1::2], strict=True):
        state = _next_state(words[0], state, operand)
        steps.append(Step(letter, operand, state))
    return tuple(steps)


def _next_state(head: str, state: str, operand: str) -> str:
    if head == "sum":
        return str((int(state) + int(operand)) % MODULUS)
    if head == "face":
        return COMPASS[(COMPASS.index(state) + TURN_BY[operand]) % len(COMPASS)]
    if state[0] in operand:
        other = operand.replace(state[0], "")
        return next(cup for cup in CUPS if cup[0] == other)
    return state


def answer_with(result: str) -> str:
    """The bare answer that names `result`."""
    return f"it is {result}"


def result_in(content: str) -> str:
    """The result that a bare answer names: its last word."""
    return content.rsplit(" ", 1)[-1]
