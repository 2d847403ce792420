"""All schemes by name."""

from reasrm.policy.pairwise_rewards.debiased_tournament import DebiasedTournament
from reasrm.policy.pairwise_rewards.greedy_anchor import GreedyAnchor
from reasrm.policy.pairwise_rewards.knockout import Knockout
from reasrm.policy.pairwise_rewards.own_scores import OwnScores
from reasrm.policy.pairwise_rewards.pairwise_advantage import PairwiseAdvantage
from reasrm.policy.pairwise_rewards.ring import Ring
from reasrm.policy.pairwise_rewards.scheme import Scheme
from reasrm.runtime.stage_main import StageError

SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (GreedyAnchor(), Ring(), DebiasedTournament(), PairwiseAdvantage(), Knockout(), OwnScores())
}


def scheme_named(name: str) -> Scheme:
    """The scheme of this name.

    Raises:
        StageError: there is none.
    """
    if name not in SCHEMES:
        raise StageError(f"there is no reward scheme {name!r}: one of {', '.join(SCHEMES)}")
    return SCHEMES[name]
