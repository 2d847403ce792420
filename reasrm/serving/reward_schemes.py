"""From comparisons to rewards: which answers a scheme lets the judge compare, and what each answer gets for it.

A scheme is a generator. It yields a round of comparisons (the answer that is shown first, the one shown second), is
sent how much of each the first one won (1, 0, or 1/2 where neither did), and may ask for more rounds; what it returns
are the rewards. Another one is a function of this form and a line in `SCHEMES`.
"""

from collections.abc import Callable, Generator
from itertools import permutations

Round = list[tuple[int, int]]
"""Comparisons that can be judged together."""
Shares = list[float]
"""What the answer shown first won in each of them: 1, 0, or 1/2 if neither won."""
RewardScheme = Callable[[int], Generator[Round, Shares, list[float]]]
"""From the number of answers to its rounds; returns one reward per answer."""

NO_WINNER = 0.5
"""The share of both answers where the reply could not be read, or the answers are equal: neither has won."""


def round_robin(count: int) -> Generator[Round, Shares, list[float]]:
    """Every pair in both orders; the reward is the share of its 2 (K - 1) comparisons that an answer wins, in [0, 1].

    A comparison without a verdict counts half for both, so that it favours neither; a judge that follows the position
    gives every answer 1/2.
    """
    pairs = list(permutations(range(count), 2))
    shares = yield pairs
    won = [0.0] * count
    for (first, second), share in zip(pairs, shares, strict=True):
        won[first] += share
        won[second] += 1 - share
    return [total / (2 * (count - 1)) for total in won]


SCHEMES: dict[str, RewardScheme] = {"round_robin": round_robin}
"""The schemes by the name that a request gives."""
