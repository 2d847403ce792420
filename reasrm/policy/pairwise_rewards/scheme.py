"""The interface of every scheme: which comparisons of a group of answers are asked, and what rewards they amount to.

A group is K answers to one prompt, named by their places 0 to K - 1; the answer that a scheme compares all others with
(its anchor) has the place K. A scheme is asked for the next round of comparisons until it names none, and then for the
rewards. It never sees a text, so whoever asks the judge (`group_rewards`) decides what is asked at all.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import combinations
from typing import ClassVar, NamedTuple


class ShownOrder(NamedTuple):
    """One comparison: the places of the answer shown first and of the one shown second."""

    first: int
    second: int

    @property
    def swapped(self) -> "ShownOrder":
        """The other order."""
        return ShownOrder(self.second, self.first)


class Outcome(NamedTuple):
    """What the judge made of one comparison."""

    first_wins: float | None
    """1 if the answer shown first is the better one, 0 if the second is, 1/2 for a tie; None without a verdict."""
    scores: tuple[float, float] | None = None
    """Of the first and the second, where the judge scores answers."""


Outcomes = Mapping[ShownOrder, Outcome]
"""Of one group."""
TIE = Outcome(0.5)


class Scheme(ABC):
    """A way from verdicts to rewards; has no state and no settings."""

    name: ClassVar[str]
    """As settings name it."""
    source: ClassVar[str]
    """Where it is published."""
    needs_anchor: ClassVar[bool] = False
    """Whether each group comes with an anchor."""
    reads_scores: ClassVar[bool] = False
    """Whether it takes the judge's scores, so that a judge that writes verdicts cannot serve it."""
    is_advantage: ClassVar[bool] = False
    """Whether its values are centred and divided by the group's spread already; a trainer must not do it again."""

    @abstractmethod
    def calls(self, answers: int) -> int:
        """Comparisons (scorings, of a scheme that reads scores) of a group of so many distinct answers."""

    @abstractmethod
    def next_round(self, answers: int, outcomes: Outcomes) -> list[ShownOrder]:
        """The comparisons to ask next, given those that were asked; none if all is known."""

    @abstractmethod
    def rewards(self, answers: int, outcomes: Outcomes) -> list[float]:
        """The reward of each answer, once `next_round` names no comparison any more."""


def both_orders(first: int, second: int) -> tuple[ShownOrder, ShownOrder]:
    """Two answers in both orders."""
    shown = ShownOrder(first, second)
    return shown, shown.swapped


def all_pairs(answers: int) -> list[ShownOrder]:
    """Every pair in both orders: K (K - 1) comparisons."""
    return [shown for pair in combinations(range(answers), 2) for shown in both_orders(*pair)]


def mean_of_orders(outcomes: Outcomes, one: int, other: int) -> float:
    """The mean of both orders: from 1 (`one` won both) to -1; a tie and a missing verdict count 0 in their order."""
    shown, swapped = both_orders(one, other)
    return (_signed(outcomes[shown]) - _signed(outcomes[swapped])) / 2


def agreed(outcomes: Outcomes, one: int, other: int) -> int:
    """1 if `one` won in both orders, -1 if `other` did, else 0."""
    return int(mean_of_orders(outcomes, one, other))


def _signed(outcome: Outcome) -> float:
    return 0.0 if outcome.first_wins is None else 2 * outcome.first_wins - 1
