"""The pairwise GRPO advantage, from all pairs in both orders: K (K - 1) comparisons.

Think-RM (arXiv 2505.16265) replaces r_i - r_j in GRPO's advantage by the judge's preference d_ij = -d_ji:

    A_i = [ (1/K) sum_j d_ij ] / sqrt( sum_ij d_ij^2 / (2 K (K - 1)) + 1e-6 )

Both sums run over all ordered pairs, so with d_ij = r_i - r_j the root holds the sample variance of the r_i and A_i is
GRPO's own advantage. It is one already: nothing is to be centred or divided by the group's spread again.

Departure: the source asks each pair in one order, where its judge's bias towards a position becomes reward; here d_ij
is the mean of both orders, in {-1, 0, 1} with a verdict in each. A tie or a missing verdict counts 0 in its order.
"""

import math

from reasrm.policy.pairwise_rewards.scheme import Outcomes, Scheme, ShownOrder, all_pairs, mean_of_orders

EPSILON = 1e-6


class PairwiseAdvantage(Scheme):
    """GRPO's advantage with preferences in place of differences of rewards."""

    name = "pairwise_advantage"
    source = "Think-RM"
    is_advantage = True

    def calls(self, answers: int) -> int:
        """K (K - 1)."""
        return answers * (answers - 1)

    def next_round(self, answers: int, outcomes: Outcomes) -> list[ShownOrder]:
        """All at once."""
        return [] if outcomes else all_pairs(answers)

    def rewards(self, answers: int, outcomes: Outcomes) -> list[float]:
        """With mean zero; the sample standard deviation is 1 if the preferences are differences of rewards."""
        return pairwise_advantages(
            [
                [mean_of_orders(outcomes, one, other) if one != other else 0.0 for other in range(answers)]
                for one in range(answers)
            ]
        )


def pairwise_advantages(preferences: list[list[float]]) -> list[float]:
    """The equation above for a matrix of d_ij."""
    count = len(preferences)
    squares = sum(preference**2 for row in preferences for preference in row)
    spread = math.sqrt(squares / (2 * count * (count - 1)) + EPSILON)
    return [sum(row) / count / spread for row in preferences]
