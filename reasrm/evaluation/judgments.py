"""What a judge's replies, or its scores, amount to: one judgment of one item in one order."""

from collections.abc import Sequence

from reasrm.evaluation.judge_template import JudgeForm, joined
from reasrm.judging.samples import verdict_of_samples, verdict_of_scores
from reasrm.judging.verdict import Unreadable
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.judgment import Judgment, Samples
from reasrm.records.reply import Reply


def judgment_of_replies(
    item: BenchmarkItem, better: Side, form: JudgeForm, drawn: Sequence[Sequence[Reply]]
) -> Judgment:
    """The judgment that the replies (to each prompt, once per sample; none if a prompt was too long) amount to."""
    if not drawn:
        return _made(item, better, Unreadable.TOO_LONG)
    read = [form.read(said) for said in drawn]
    replies = [joined(said) for said in drawn]
    if len(replies) == 1:
        verdict, scores = read[0]
        return _made(item, better, verdict, reply=replies[0], scores=scores)
    sides = [one for one, _ in read]
    verdict, shares = verdict_of_samples(sides)
    reply = next((reply for reply, one in zip(replies, sides, strict=True) if one is verdict), replies[0])
    samples = Samples(
        count=len(replies),
        a=sides.count(Side.A),
        b=sides.count(Side.B),
        prompt_tokens=sum(one.prompt_tokens for one in replies),
        completion_tokens=sum(one.completion_tokens for one in replies),
    )
    return _made(item, better, verdict, reply=reply, scores=shares).model_copy(update={"samples": samples})


def judgment_of_scores(item: BenchmarkItem, better: Side, scores: dict[Side, float | None]) -> Judgment:
    """The judgment that the scores of A and B amount to; None is an answer that was too long."""
    score_a, score_b = scores[Side.A], scores[Side.B]
    if score_a is None or score_b is None:
        return _made(item, better, Unreadable.TOO_LONG)
    return _made(item, better, verdict_of_scores(score_a, score_b), scores=(score_a, score_b))


def _made(
    item: BenchmarkItem,
    better: Side,
    verdict: Side | Unreadable,
    *,
    reply: Reply | None = None,
    scores: tuple[float, float] | None = None,
) -> Judgment:
    readable = isinstance(verdict, Side)
    return Judgment(
        benchmark=item.benchmark,
        item_id=item.item_id,
        better=better,
        verdict=verdict if readable else None,
        unreadable=None if readable else verdict.value,
        scores=scores,
        reply=reply,
    )
