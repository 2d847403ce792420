"""From several samples, or from two scores, to one verdict; a tie is no verdict."""

import math
from collections.abc import Sequence

from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Side


def verdict_of_samples(read: Sequence[Side | Unreadable]) -> tuple[Side | Unreadable, tuple[float, float]]:
    """The side that most samples name, and the share of all samples that name A and B.

    With no readable sample the reason is the first one's; with as many for A as for B it is a tie.
    """
    votes = {side: sum(1 for one in read if one is side) for side in Side}
    shares = (votes[Side.A] / len(read), votes[Side.B] / len(read))
    if votes[Side.A] != votes[Side.B]:
        return (Side.A if votes[Side.A] > votes[Side.B] else Side.B), shares
    reasons = [one for one in read if isinstance(one, Unreadable)]
    return (reasons[0] if len(reasons) == len(read) else Unreadable.TIE), shares


def verdict_of_scores(score_a: float, score_b: float) -> Side | Unreadable:
    """The side with the higher score; equal scores are a tie, a score that is no number is unreadable."""
    if not (math.isfinite(score_a) and math.isfinite(score_b)):
        return Unreadable.BAD_SCORE
    if score_a == score_b:
        return Unreadable.TIE
    return Side.A if score_a > score_b else Side.B
