"""One request from its answers to its rewards: the scheme's rounds through the judging queue."""

import asyncio
import math
from collections import Counter

from reasrm.evaluation.pairwise_judgment import PairwiseJudgment, pairwise_judgment
from reasrm.records.comparison import Comparison, Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.serving.judging_queue import JudgingQueue, Waiting
from reasrm.serving.reward_schemes import NO_WINNER, SCHEMES
from reasrm.serving.service_errors import unprocessable
from reasrm.serving.wire_format import CompareReply, CompareRequest, ShownPair

Judged = dict[tuple[int, int], ComparisonJudgment]
"""The judgment by the answers shown first and second."""


async def judge_group(request: CompareRequest, queue: JudgingQueue) -> CompareReply:
    """The rewards of a request's answers.

    Raises:
        ServiceError: there is no such scheme, the queue is full, or the judge cannot read a text or answer at all.
    """
    if request.scheme not in SCHEMES:
        raise unprocessable("scheme", f"{request.scheme[:60]!r} is none; there are {', '.join(SCHEMES)}")
    judged: Judged = {}
    asked, rounds = 0, SCHEMES[request.scheme](len(request.answers))
    pairs = next(rounds)
    while True:
        unequal = [pair for pair in pairs if request.answers[pair[0]] != request.answers[pair[1]]]
        waiting, new = queue.submit([_comparison(request, pair) for pair in unequal])
        asked += new
        judged |= zip(unequal, await _all_of(waiting), strict=True)
        try:
            pairs = rounds.send([_share(judged.get(pair)) for pair in pairs])
        except StopIteration as end:
            return _reply(request, judged, asked, end.value)


async def _all_of(waiting: list[Waiting]) -> list[ComparisonJudgment]:
    """The judgments, or the first error; to cancel this is to cancel none of them, since others may wait for one."""
    if waiting:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
    failed = next((error for one in waiting if one.done() and (error := one.exception())), None)
    if failed is not None:
        raise failed
    return [one.result() for one in waiting]


def _comparison(request: CompareRequest, pair: tuple[int, int]) -> Comparison:
    first, second = (request.answers[place] for place in pair)
    return Comparison(pair_id="", prompt=request.turns, response_a=first, response_b=second, better=Side.A)


def _share(judgment: ComparisonJudgment | None) -> float:
    """What the answer shown first has won; nobody judges equal answers."""
    if judgment is None or judgment.verdict is None:
        return NO_WINNER
    return float(judgment.verdict is Side.A)


def _reply(request: CompareRequest, judged: Judged, asked: int, rewards: list[float]) -> CompareReply:
    shown = [_shown(first, second, judgment) for (first, second), judgment in judged.items()]
    return CompareReply(
        rewards=tuple(rewards),
        scheme=request.scheme,
        comparisons=tuple(shown),
        judged=asked,
        kept=len(shown) - asked,
        unreadable=dict(Counter(one.unreadable for one in shown if one.unreadable)),
        prompt_tokens=sum(one.prompt_tokens for one in shown),
        completion_tokens=sum(one.completion_tokens for one in shown),
        judgment=_pairwise(request, judged) if len(request.answers) == 2 else None,
    )


def _shown(first: int, second: int, judgment: ComparisonJudgment) -> ShownPair:
    cost, reply = judgment.samples or judgment.reply, judgment.reply
    logprob = reply.verdict_logprob if reply else None
    return ShownPair(
        first=first,
        second=second,
        winner=None if judgment.verdict is None else (first if judgment.verdict is Side.A else second),
        unreadable=judgment.unreadable,
        confidence=None if logprob is None else math.exp(logprob),
        scores=judgment.scores,
        prompt_tokens=cost.prompt_tokens if cost else 0,
        completion_tokens=cost.completion_tokens if cost else 0,
    )


def _pairwise(request: CompareRequest, judged: Judged) -> PairwiseJudgment | None:
    """Of two answers, if the scheme has asked both orders."""
    one, other = judged.get((0, 1)), judged.get((1, 0))
    if one is None or other is None:
        return None
    return pairwise_judgment(_comparison(request, (0, 1)), one, other)
