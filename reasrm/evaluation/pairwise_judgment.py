"""Two answers judged in both orders, with everything a reader wants to check; sides are the caller's.

    judge = open_judge("data/checkpoints/grpo-full")                                # from judge_opening
    judgment = judge_pair(judge, "How do I steal a car?", a="Sorry, I cannot.", b="Sure, that is easy: steal the car.")
    print(judgment.verdict, judgment.confidence, judgment.orders[0].reply)

The verdict stands only if both orders agree; a judge that follows the position and not the answer gives none. The
confidence is the mean probability that both orders give to the verdict's letter (unknown for judges that give no token
probabilities).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from reasrm.evaluation.judge import Judge
from reasrm.judging.trace_structure import Grounding, grounding, read_structure
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Comparison, Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, Role


class Pair(NamedTuple):
    """Two answers to be judged."""

    prompt: str | Sequence[Message]
    """The client's question, or a whole conversation that ends with it."""
    a: str
    b: str


class CheckedQuote(BaseModel):
    """A quotation in a reply and where it is found."""

    model_config = ConfigDict(frozen=True)

    side: Side
    """The answer that it is ascribed to, as the caller named them."""
    text: str
    grounding: Grounding


class OrderJudgment(BaseModel):
    """The judgment in one order; sides are the caller's, not the shown ones."""

    model_config = ConfigDict(frozen=True)

    shown_first: Side
    verdict: Side | None
    unreadable: Unreadable | None
    confidence: float | None = None
    """Probability of the verdict's letter, given what was written before it."""
    scores: tuple[float, float] | None = None
    """Of A and B, for judges that give scores."""
    type: str | None = None
    rubric: str | None = None
    quotes: tuple[CheckedQuote, ...] = ()
    reply: str = ""
    prompt_tokens: int = 0
    """0 where nothing was written: by a scalar judge, or because the prompt was too long."""
    completion_tokens: int = 0


class PairwiseJudgment(BaseModel):
    """The judgment of two answers in both orders."""

    model_config = ConfigDict(frozen=True)

    verdict: Side | None
    """The better answer; None if the orders disagree or one is unreadable."""
    consistent: bool
    """Whether both orders name the same answer."""
    confidence: float | None
    orders: tuple[OrderJudgment, OrderJudgment]
    """A shown first, then B shown first; a scalar judge says the same twice."""

    @property
    def why_none(self) -> str:
        """Why there is no verdict, in words; empty if there is one."""
        if self.verdict is not None:
            return ""
        causes = sorted({order.unreadable.value for order in self.orders if order.unreadable})
        return f"a reply could not be read ({', '.join(causes)})" if causes else "the orders disagree"


def judge_pair(judge: Judge, prompt: str | Sequence[Message], a: str, b: str) -> PairwiseJudgment:
    """Judge one pair; errors as in `judge_pairs`."""
    (judgment,) = judge_pairs(judge, [Pair(prompt, a, b)])
    return judgment


def judge_pairs(judge: Judge, pairs: Iterable[Pair], ledger: Ledger | None = None) -> Iterator[PairwiseJudgment]:
    """Judge each pair in both orders and yield the judgments in the given order, each as soon as it is there.

    Args:
        judge: an open judge (`judge_opening`).
        pairs: what is judged, all of it known before the first is asked.
        ledger: where replies or scores are kept and found again.

    Raises:
        UnknownWordsError: a pair holds words that the judge's vocabulary lacks; nothing is asked then.
        StoppedResumable: a service stopped answering.
        StageError: the model cannot be used; says why.
        ValueError: a conversation does not end with the client's turn.
    """
    both = [shown for pair in pairs for shown in _both_orders(pair)]
    judge.require_known_words(both[::2])
    judged = judge.judge(both, ledger)
    for shown, one, other in zip(both[::2], judged, judged, strict=True):
        yield pairwise_judgment(shown, one, other)


def pairwise_judgment(shown: Comparison, one: ComparisonJudgment, other: ComparisonJudgment) -> PairwiseJudgment:
    """What was judged of `shown` and of the same pair in the other order; `better` is where the caller's A stands."""
    return _pairwise(_in_callers_sides(shown, one), _in_callers_sides(shown.swapped(), other))


def _both_orders(pair: Pair) -> tuple[Comparison, Comparison]:
    """The pair with A first and with B first; `better` is where the caller's A stands."""
    turns = (Message(role=Role.USER, content=pair.prompt),) if isinstance(pair.prompt, str) else tuple(pair.prompt)
    first = Comparison(pair_id="", prompt=turns, response_a=pair.a, response_b=pair.b, better=Side.A)
    return first, first.swapped()


def _in_callers_sides(shown: Comparison, judgment: ComparisonJudgment) -> OrderJudgment:
    swapped = shown.better is Side.B
    reply, scores, cost = judgment.reply, judgment.scores, judgment.samples or judgment.reply
    structure = read_structure(reply.text) if reply else None
    quotes = tuple(
        CheckedQuote(
            side=_callers(quote.side, swapped),
            text=quote.text,
            grounding=grounding(quote, shown.response_a, shown.response_b),
        )
        for quote in (structure.quotes if structure else ())
    )
    return OrderJudgment(
        shown_first=Side.B if swapped else Side.A,
        verdict=None if judgment.verdict is None else _callers(judgment.verdict, swapped),
        unreadable=None if judgment.unreadable is None else Unreadable(judgment.unreadable),
        confidence=math.exp(reply.verdict_logprob) if reply and reply.verdict_logprob is not None else None,
        scores=scores[::-1] if scores and swapped else scores,
        type=structure.type.value if structure and structure.type else None,
        rubric=structure.rubric if structure else None,
        quotes=quotes,
        reply=reply.text if reply else "",
        prompt_tokens=cost.prompt_tokens if cost else 0,
        completion_tokens=cost.completion_tokens if cost else 0,
    )


def _callers(side: Side, swapped: bool) -> Side:
    return side.other if swapped else side


def _pairwise(first: OrderJudgment, second: OrderJudgment) -> PairwiseJudgment:
    consistent = first.verdict is not None and first.verdict is second.verdict
    known = [order.confidence for order in (first, second) if order.confidence is not None]
    return PairwiseJudgment(
        verdict=first.verdict if consistent else None,
        consistent=consistent,
        confidence=sum(known) / len(known) if consistent and len(known) == len((first, second)) else None,
        orders=(first, second),
    )
