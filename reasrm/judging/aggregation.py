"""From what was read to one judgment: the reply of one sample, the majority of several, or two scores.

A tie is no verdict.
"""

import math
from collections.abc import Sequence

from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Side
from reasrm.records.judgment import ComparisonJudgment, Samples
from reasrm.records.reply import Reply

Reading = tuple[Side | Unreadable, tuple[float, float] | None]
"""What a reply says: a side or why there is none, and the scores of A and B for judges that give scores."""


def judgment_of_replies(
    replies: Sequence[Reply], read: Sequence[Reading], unasked: Unreadable = Unreadable.TOO_LONG
) -> ComparisonJudgment:
    """The judgment that the replies to one comparison amount to, one per sample, each with what it says.

    No reply at all means that the judge was not asked, for the reason `unasked`. The reply that is kept is the first
    one with the verdict.
    """
    if not replies:
        return judgment_without_reply(unasked)
    if len(replies) == 1:
        (verdict, scores), (reply,) = read[0], replies
        return judgment_without_reply(verdict, scores).model_copy(update={"reply": reply})
    sides = [side for side, _ in read]
    verdict, shares = verdict_of_samples(sides)
    kept = next((reply for reply, side in zip(replies, sides, strict=True) if side is verdict), replies[0])
    samples = Samples(
        count=len(replies),
        a=sides.count(Side.A),
        b=sides.count(Side.B),
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
    )
    return judgment_without_reply(verdict, shares).model_copy(update={"reply": kept, "samples": samples})


def judgment_without_reply(verdict: Side | Unreadable, scores: tuple[float, float] | None = None) -> ComparisonJudgment:
    """The judgment with this verdict, or with this reason why there is none."""
    readable = isinstance(verdict, Side)
    return ComparisonJudgment(
        verdict=verdict if readable else None, unreadable=None if readable else verdict.value, scores=scores
    )


def judgment_of_scores(
    score_a: float | None, score_b: float | None, unasked: Unreadable = Unreadable.TOO_LONG
) -> ComparisonJudgment:
    """The judgment that the scores of A and B amount to; None is an answer that was `unasked`."""
    if score_a is None or score_b is None:
        return judgment_without_reply(unasked)
    verdict = verdict_of_scores(score_a, score_b)
    return judgment_without_reply(verdict, None if verdict is Unreadable.BAD_SCORE else (score_a, score_b))


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
