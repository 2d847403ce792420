"""One request from its answers to its rewards: the scheme's rounds through the judging queue."""

import asyncio
import math
from collections import Counter

from reasrm.evaluation.pairwise_judgment import PairwiseJudgment, pairwise_judgment
from reasrm.judging.verdict import Unreadable
from reasrm.policy.pairwise_rewards.group_rewards import outcome_of
from reasrm.policy.pairwise_rewards.registry import SCHEMES
from reasrm.policy.pairwise_rewards.scheme import TIE, Outcome, Scheme, ShownOrder
from reasrm.records.comparison import Comparison, Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.serving.judging_queue import UNKNOWN_WORDS, JudgingQueue, Waiting
from reasrm.serving.service_errors import unprocessable
from reasrm.serving.wire_format import CompareReply, CompareRequest, ShownPair

Judged = dict[ShownOrder, ComparisonJudgment]
"""What was judged of one request."""


async def judge_group(request: CompareRequest, queue: JudgingQueue) -> CompareReply:
    """The rewards of a request's answers.

    Raises:
        ServiceError: the scheme does not fit, the queue is full, or the judge cannot read a text or answer at all.
    """
    scheme = _scheme_for(request, queue)
    count, asked = len(request.answers), 0
    texts = [*request.answers, *([] if request.anchor is None else [request.anchor])]
    judged: Judged = {}
    outcomes: dict[ShownOrder, Outcome] = {}
    while pairs := scheme.next_round(count, outcomes):
        unequal = [pair for pair in pairs if queue.gives_scores or texts[pair.first] != texts[pair.second]]
        waiting, new = queue.submit([_comparison(request, texts, pair) for pair in unequal])
        asked += new
        judged |= zip(unequal, await _all_of(waiting), strict=True)
        outcomes |= {pair: outcome_of(judged[pair]) if pair in judged else TIE for pair in pairs}
    shown = [_shown(pair, judgment) for pair, judgment in judged.items()]
    unreadable = Counter(one.unreadable for one in shown if one.unreadable and one.unreadable != Unreadable.TIE)
    return CompareReply(
        rewards=tuple(scheme.rewards(count, outcomes)),
        scheme=request.scheme,
        comparisons=tuple(shown),
        judged=asked,
        kept=len(shown) - asked,
        unreadable=dict(unreadable),
        prompt_tokens=sum(one.prompt_tokens for one in shown),
        completion_tokens=sum(one.completion_tokens for one in shown),
        judgment=_pairwise(request, texts, judged) if count == 2 else None,
    )


def _scheme_for(request: CompareRequest, queue: JudgingQueue) -> Scheme:
    """The scheme that a request names.

    Raises:
        ServiceError: there is none of this name, the judge cannot serve it, or it lacks its anchor or takes none.
    """
    if request.scheme not in SCHEMES:
        raise unprocessable("scheme", f"{request.scheme[:60]!r} is none; there are {', '.join(SCHEMES)}")
    scheme = SCHEMES[request.scheme]
    if scheme.reads_scores and not queue.gives_scores:
        raise unprocessable("scheme", f"{scheme.name} takes an answer's own score, and this judge compares two answers")
    if scheme.needs_anchor and request.anchor is None:
        raise unprocessable("anchor", f"{scheme.name} compares each answer with one more, the policy's greedy answer")
    if not scheme.needs_anchor and request.anchor is not None:
        raise unprocessable("anchor", f"{scheme.name} has no use for it: leave it out, or name a scheme that has")
    return scheme


async def _all_of(waiting: list[Waiting]) -> list[ComparisonJudgment]:
    """The judgments, or the first error; to cancel this is to cancel none of them, since others may wait for one."""
    if waiting:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
    failed = next((error for one in waiting if one.done() and (error := one.exception())), None)
    if failed is not None:
        raise failed
    return [one.result() for one in waiting]


def _comparison(request: CompareRequest, texts: list[str], pair: ShownOrder) -> Comparison:
    first, second = texts[pair.first], texts[pair.second]
    return Comparison(pair_id="", prompt=request.turns, response_a=first, response_b=second, better=Side.A)


def _shown(pair: ShownOrder, judgment: ComparisonJudgment) -> ShownPair:
    cost, reply = judgment.samples or judgment.reply, judgment.reply
    logprob = reply.verdict_logprob if reply else None
    return ShownPair(
        first=pair.first,
        second=pair.second,
        winner=None if judgment.verdict is None else (pair.first if judgment.verdict is Side.A else pair.second),
        unreadable=judgment.unreadable,
        confidence=None if logprob is None else math.exp(logprob),
        scores=judgment.scores,
        prompt_tokens=cost.prompt_tokens if cost else 0,
        completion_tokens=cost.completion_tokens if cost else 0,
    )


def _pairwise(request: CompareRequest, texts: list[str], judged: Judged) -> PairwiseJudgment | None:
    """Of two answers, if the scheme has asked both orders."""
    pair = ShownOrder(0, 1)
    asked = [one for one in (pair, pair.swapped) if one in judged and judged[one].unreadable != UNKNOWN_WORDS]
    if len(asked) < 2:
        return None
    return pairwise_judgment(_comparison(request, texts, pair), judged[pair], judged[pair.swapped])
