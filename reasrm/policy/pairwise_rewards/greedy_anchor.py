"""Each answer against the greedy one, in both orders: 2K comparisons.

Rubric-ARM (arXiv 2602.01511), section 4.3: the policy's greedy answer a0 is the anchor, and

    R_k = (1[a_k wins, shown first] + 1[a_k wins, shown second]) / 2

A reply without a verdict is no win, as the indicator says: an answer that breaks the judge is not paid for it.
Departure: a tie, and an answer that is the anchor itself, gets half in each order; the indicator would call it a loss.
"""

from reasrm.policy.pairwise_rewards.scheme import Outcome, Outcomes, Scheme, ShownOrder, both_orders


class GreedyAnchor(Scheme):
    """The share of both orders that an answer wins against the greedy one."""

    name = "greedy_anchor"
    source = "Rubric-ARM 4.3"
    needs_anchor = True

    def calls(self, answers: int) -> int:
        """2K."""
        return 2 * answers

    def next_round(self, answers: int, outcomes: Outcomes) -> list[ShownOrder]:
        """All at once: each answer with the anchor, which has the place K."""
        return [] if outcomes else [shown for place in range(answers) for shown in both_orders(place, answers)]

    def rewards(self, answers: int, outcomes: Outcomes) -> list[float]:
        """In [0, 1]; half for an answer that is as good as the anchor."""
        return [_reward(*(outcomes[shown] for shown in both_orders(place, answers))) for place in range(answers)]


def _reward(shown_first: Outcome, shown_second: Outcome) -> float:
    first = 0.0 if shown_first.first_wins is None else shown_first.first_wins
    second = 0.0 if shown_second.first_wins is None else 1 - shown_second.first_wins
    return (first + second) / 2
