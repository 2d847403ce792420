"""All pairs in both orders, where only orders that agree count: K (K - 1) comparisons.

OpenJudge's pairwise tournament with its debiasing: an answer's reward is (wins - losses) / (K - 1), and a pair whose
two orders name different answers is neither. A tie or a missing verdict in one order leaves the pair undecided too:
no information. Rewards sum to zero in each group.
"""

from reasrm.policy.pairwise_rewards.scheme import Outcomes, Scheme, ShownOrder, agreed, all_pairs


class DebiasedTournament(Scheme):
    """The net share of the other answers that an answer beats in both orders."""

    name = "debiased_tournament"
    source = "OpenJudge, debiased"

    def calls(self, answers: int) -> int:
        """K (K - 1)."""
        return answers * (answers - 1)

    def next_round(self, answers: int, outcomes: Outcomes) -> list[ShownOrder]:
        """All at once."""
        return [] if outcomes else all_pairs(answers)

    def rewards(self, answers: int, outcomes: Outcomes) -> list[float]:
        """In [-1, 1], with mean zero."""
        others = [[other for other in range(answers) if other != place] for place in range(answers)]
        return [
            sum(agreed(outcomes, place, other) for other in others[place]) / (answers - 1) for place in range(answers)
        ]
