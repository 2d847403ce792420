"""How far rewards differ within groups, and when they have collapsed.

GRPO learns from differences within a group alone: a group whose answers all have the same reward teaches nothing, and
one whose rewards hardly differ teaches noise, since the advantage is divided by their standard deviation. A judge that
is more accurate on pairs of strangers can still collapse on a policy's own answers, which are alike (reported of arXiv
2608.30005, not read by us: a standard deviation of .0005 and a worse policy from the judge with the better static F1).
"""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

EQUAL = 1e-12
"""Rewards that lie closer together differ by rounding only."""


class RewardSpread(NamedTuple):
    """The spread of the rewards within groups."""

    groups: int
    mean_sd: float
    """Mean over groups of the sample standard deviation, as GRPO in TRL divides by it; in the reward's own unit."""
    without_signal: int
    """Groups whose answers all have the same reward."""


def reward_spread(rewards: Sequence[Sequence[float]]) -> RewardSpread:
    """The spread of the rewards of some groups, each of at least two answers.

    Raises:
        ValueError: there is no group.
    """
    if not rewards:
        raise ValueError("there is no group of which the spread could be told")
    flat = [max(group) - min(group) <= EQUAL for group in rewards]
    deviations = [0.0 if same else stdev(group) for same, group in zip(flat, rewards, strict=True)]
    return RewardSpread(len(rewards), fmean(deviations), sum(flat))


def collapse_cause(spread: RewardSpread, least_sd: float, most_without_signal: float) -> str:
    """Why nothing can be learnt from rewards of this spread, in words; empty if something can.

    An advantage (`Scheme.is_advantage`) is divided by its spread already, so only `most_without_signal` can find it.

    Args:
        spread: of a step, or of several together.
        least_sd: a mean standard deviation below this is a collapse; in the reward's own unit.
        most_without_signal: a larger share of groups without signal than this is one, too.
    """
    share = spread.without_signal / spread.groups
    if share > most_without_signal:
        return (
            f"the reward has collapsed: in {spread.without_signal} of {spread.groups} groups all answers have the same "
            f"({share:.0%}; {most_without_signal:.0%} are allowed), so the judge tells the policy's answers no longer "
            "apart"
        )
    if spread.mean_sd < least_sd:
        return (
            f"the reward has collapsed: its standard deviation within a group is {spread.mean_sd:.2g} on average over "
            f"{spread.groups} groups, below {least_sd:g}, so the advantage is made of noise"
        )
    return ""
