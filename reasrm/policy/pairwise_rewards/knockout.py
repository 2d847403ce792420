"""A knockout in which each match is asked in both orders: K - 1 matches, 2 (K - 1) comparisons, in ceil(log2 K) rounds.

RRM (arXiv 2505.14674) is reported to find the best of K answers so; rewards for the others are ours: the share of all
rounds that an answer came through, 1 for the winner, 0 for who lost the first match. Where K is no power of two,
the last answers sit the first round out and have it for nothing, so a reward says less than one of all pairs.

A match without two verdicts that agree (position bias, tie, no verdict) makes both answers equal: the one with the
lower place plays on for both, and what it comes through counts for both. So a judge that names a position gives all
answers the same, and two answers of the same text that meet have the same reward. Who meets whom follows the answers'
places.
"""

from reasrm.policy.pairwise_rewards.scheme import Outcomes, Scheme, ShownOrder, agreed, both_orders

Entrant = tuple[int, ...]
"""Answers that were found equal; the first of them plays."""


class Knockout(Scheme):
    """The share of the rounds that an answer comes through."""

    name = "knockout"
    source = "RRM"

    def calls(self, answers: int) -> int:
        """2 (K - 1)."""
        return 2 * (answers - 1)

    def next_round(self, answers: int, outcomes: Outcomes) -> list[ShownOrder]:
        """The matches of the first round that has not been played."""
        return _play(answers, outcomes)[0]

    def rewards(self, answers: int, outcomes: Outcomes) -> list[float]:
        """In [0, 1]; 1 for the winner and who is equal to it."""
        _, came_through = _play(answers, outcomes)
        return [rounds / _rounds(answers) for rounds in came_through]


def _rounds(answers: int) -> int:
    return (answers - 1).bit_length()


def _play(answers: int, outcomes: Outcomes) -> tuple[list[ShownOrder], list[int]]:
    """The comparisons that the first unplayed round needs, and how many rounds each answer came through before it."""
    entrants: list[Entrant] = [(place,) for place in range(answers)]
    came_through = [0] * answers
    sitting_out = 2 ** _rounds(answers) - answers
    for number in range(1, _rounds(answers) + 1):
        playing = entrants[: len(entrants) - sitting_out]
        matches = list(zip(playing[::2], playing[1::2], strict=True))
        unplayed = [shown for one, other in matches for shown in both_orders(one[0], other[0]) if shown not in outcomes]
        if unplayed:
            return unplayed, came_through
        entrants = [*(_winner(outcomes, *match) for match in matches), *entrants[len(playing) :]]
        sitting_out = 0
        for place in (place for entrant in entrants for place in entrant):
            came_through[place] = number
    return [], came_through


def _winner(outcomes: Outcomes, one: Entrant, other: Entrant) -> Entrant:
    match agreed(outcomes, one[0], other[0]):
        case 1:
            return one
        case -1:
            return other
        case _:
            return one + other
