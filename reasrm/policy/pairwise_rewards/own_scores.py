"""The scores of a judge that scores answers by themselves (a scalar reward model), as they are: K scorings.

Ordinary GRPO takes a reward model so. An answer without a score (it does not fit into the model's context, or the score
is no number) gets the lowest of its group: an answer too long to be judged is not paid for it. Where no answer of a
group has a score all get 0.
"""

from reasrm.policy.pairwise_rewards.scheme import Outcomes, Scheme, ShownOrder


class OwnScores(Scheme):
    """Each answer's own score."""

    name = "own_scores"
    source = "scalar reward models"
    reads_scores = True

    def calls(self, answers: int) -> int:
        """K."""
        return answers

    def next_round(self, answers: int, outcomes: Outcomes) -> list[ShownOrder]:
        """Each answer beside itself, so that no answer without a score takes another one's away."""
        return [] if outcomes else [ShownOrder(place, place) for place in range(answers)]

    def rewards(self, answers: int, outcomes: Outcomes) -> list[float]:
        """On the judge's own scale."""
        scores = [outcomes[ShownOrder(place, place)].scores for place in range(answers)]
        known = [score[0] for score in scores if score is not None]
        return [score[0] if score is not None else min(known, default=0.0) for score in scores]
