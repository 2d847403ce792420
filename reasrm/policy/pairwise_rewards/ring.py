"""Each answer against the next one in a ring, in one order: K comparisons.

NeMo Gym's `genrm_compare` with the circular strategy, by which Nemotron 3 Nano was trained: comparisons (i, i + 1) with
the last answer followed by the first, and an answer's reward is the mean of its two scores. A reply that cannot be read
counts there as the middle of the scale for both, so here a missing verdict counts half for both, as a tie does.

Departures: its judge scores from 1 to 5, ours names a winner, so scores are 1 and 0; its bonuses for short answers are
left out. Each answer is shown first once and second once, so a judge that looks at the position alone gives all
answers the same; but who meets whom follows the answers' places, and an answer between two bad ones ranks high.
"""

from reasrm.policy.pairwise_rewards.scheme import Outcomes, Scheme, ShownOrder


class Ring(Scheme):
    """The mean of the two comparisons with an answer's neighbours."""

    name = "ring"
    source = "NeMo Gym genrm_compare, circular"

    def calls(self, answers: int) -> int:
        """K."""
        return answers

    def next_round(self, answers: int, outcomes: Outcomes) -> list[ShownOrder]:
        """All at once."""
        return [] if outcomes else [_with_next(place, answers) for place in range(answers)]

    def rewards(self, answers: int, outcomes: Outcomes) -> list[float]:
        """0, 1/2 or 1; quarters with ties."""
        wins = [outcomes[_with_next(place, answers)].first_wins for place in range(answers)]
        first = [0.5 if win is None else win for win in wins]
        return [(first[place] + 1 - first[place - 1]) / 2 for place in range(answers)]


def _with_next(place: int, answers: int) -> ShownOrder:
    return ShownOrder(place, (place + 1) % answers)
