"""What a judge thinks of two answers, and what every judge that can be asked for it offers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict

from reasrm.judging.trace_structure import Grounding
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Comparison, Side
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, Role

Case = tuple[str | Sequence[Message], str, str]
"""The client's question, or a whole conversation that ends with it; and two answers."""


class CheckedQuote(BaseModel):
    """A quotation in a reply and where it is found."""

    model_config = ConfigDict(frozen=True)

    side: Side
    """The answer that it is ascribed to, as the caller named them."""
    text: str
    grounding: Grounding


class OneOrder(BaseModel):
    """What the judge said in one order; sides are the caller's, not the shown ones."""

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
    completion_tokens: int = 0


class Opinion(BaseModel):
    """What a judge thinks of two answers."""

    model_config = ConfigDict(frozen=True)

    verdict: Side | None
    """The better answer; None if the orders disagree or one is unreadable."""
    consistent: bool
    """Whether both orders name the same answer."""
    confidence: float | None
    orders: tuple[OneOrder, OneOrder]
    """A shown first, then B shown first; a judge that scores each answer by itself says the same twice."""


class Judge(ABC):
    """An open judge; use it in a `with` block, or close it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def compare(self, prompt: str | Sequence[Message], a: str, b: str) -> Opinion:
        """Judge one comparison; `prompt` is the client's question, or a whole conversation that ends with it."""
        return self.compare_all([(prompt, a, b)])[0]

    def compare_all(self, cases: Iterable[Case]) -> list[Opinion]:
        """Judge many comparisons at once, in the given order."""
        return list(self.compare_each(list(cases)))

    @abstractmethod
    def compare_each(self, cases: Sequence[Case], ledger: Ledger | None = None) -> Iterator[Opinion]:
        """Judge many comparisons and yield the opinions in the given order, each as soon as it is there.

        With a `ledger` every reply is kept in it, and nothing that it holds is asked again.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the model."""


def both_orders(prompt: str | Sequence[Message], a: str, b: str) -> tuple[Comparison, Comparison]:
    """The case with A first and with B first; `better` is where the caller's A stands."""
    turns = (Message(role=Role.USER, content=prompt),) if isinstance(prompt, str) else tuple(prompt)
    first = Comparison(pair_id="", prompt=turns, response_a=a, response_b=b, better=Side.A)
    return first, first.swapped()


def opinion_of(first: OneOrder, second: OneOrder) -> Opinion:
    """What both orders amount to."""
    consistent = first.verdict is not None and first.verdict is second.verdict
    known = [one.confidence for one in (first, second) if one.confidence is not None]
    return Opinion(
        verdict=first.verdict if consistent else None,
        consistent=consistent,
        confidence=sum(known) / len(known) if consistent and len(known) == len((first, second)) else None,
        orders=(first, second),
    )
