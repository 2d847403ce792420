"""What a run will ask: the key of each request, what the ledger already answers, and what the rest will cost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from reasrm.apis.api_reply import ApiReply
from reasrm.apis.request_format import ChatPrompt, RequestFormat
from reasrm.distillation.cost import BATCH_DISCOUNT, Estimates, Prices
from reasrm.distillation.possibly_billed import maybe_billed_unseen
from reasrm.distillation.questions import Case
from reasrm.records.content_hash import content_hash
from reasrm.records.ledger import Ledger
from reasrm.records.trace import TraceOutcome

SAMPLE = 0
"""Index of the sample of one prompt; part of the key, so that several samples could be asked for."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it is sent."""

    key: str
    body: dict[str, Any]
    max_tokens: int
    prompt_characters: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the ledger answers one question."""

    answers: tuple[ApiReply, ...]
    """Replies that were paid for, the last one is the valid one; more than one if a cut reply was asked for again."""
    paid: tuple[float, ...]
    """Dollars of each of `answers`."""
    next: Request | None
    """What is to be sent next; None if nothing is."""

    @property
    def paid_usd(self) -> float:
        """Dollars of all `answers`."""
        return sum(self.paid)

    @property
    def settled_by(self) -> ApiReply | None:
        """The answer that settles the question, even if it would be asked again (given up); None if it is open."""
        if not self.answers:
            return None
        last = self.answers[-1]
        return last if self.next is None or last.asked_again else None

    @property
    def cut(self) -> ApiReply | None:
        """The reply that was cut off, for which `next` asks again."""
        return next((answer for answer in reversed(self.answers) if answer.outcome is TraceOutcome.TRUNCATED), None)


@dataclass(frozen=True)
class RequestPlan:
    """Makes the requests of a run and looks them up."""

    shape: RequestFormat
    prices: Prices
    max_tokens: int
    truncated_retries: int
    """How often a reply that was cut off is asked for again, each time with twice the token limit."""

    def progress(self, question: ChatPrompt, ledger: Ledger) -> Progress:
        """What the ledger holds for `question`, and the request to send next if it is not settled.

        A request that was given up earlier is sent again: what made it fail passes. If a cut reply was asked for again
        and the higher limit was refused (it is above the model's), the cut one stands.
        """
        answers: list[ApiReply] = []
        paid: list[float] = []
        for doubling in range(self.truncated_retries + 1):
            request = self._request(question, self.max_tokens << doubling)
            entry = ledger.get(request.key)
            if entry is None:
                return Progress(tuple(answers), tuple(paid), request)
            answer = ApiReply.from_entry(entry)
            if answers and answer.outcome is TraceOutcome.REJECTED:
                break
            answers.append(answer)
            paid.append(entry["usd"])
            if answer.asked_again:
                return Progress(tuple(answers), tuple(paid), request)
            if answer.outcome is not TraceOutcome.TRUNCATED:
                break
        return Progress(tuple(answers), tuple(paid), None)

    def _request(self, question: ChatPrompt, max_tokens: int) -> Request:
        body = self.shape.body(question.messages, max_tokens)
        key = content_hash([self.shape.protocol.value, self.shape.api_version, body, SAMPLE])
        return Request(key, body, max_tokens, len(question.system) + len(question.user))


@dataclass
class Outlook:
    """What stands between the ledger and a finished run."""

    questions: int = 0
    answered: int = 0
    to_ask: int = 0
    spent_usd: float = 0.0
    """Paid for these questions by earlier runs."""
    elsewhere_usd: float = 0.0
    """What else counts against the same budget: the stage's other pass."""
    prompt_characters_to_ask: int = 0
    """Counted by `look_ahead` only: a run does not need it."""
    begun: int = 0
    """Questions that have a reply."""
    replies: int = 0
    """Their replies: more than `begun`, since some were cut off and asked for again."""
    maybe_billed_unseen: int = 0
    """Attempts of all earlier runs with this ledger that may have been billed without an answer; set for a run only."""
    maybe_billed_unseen_usd: float = 0.0
    """What they may have cost at most."""
    answered_places: bytearray = field(default_factory=bytearray)
    """One byte per question, in their order: 1 if it was answered; empty if none was."""

    def look_for_unseen(self, ledger: Ledger) -> None:
        """Read from `ledger` what may have been billed without an answer."""
        self.maybe_billed_unseen, self.maybe_billed_unseen_usd = maybe_billed_unseen(ledger.entries())

    @property
    def booked_usd(self) -> float:
        """What counts against the budget before the first request."""
        return self.spent_usd + self.maybe_billed_unseen_usd + self.elsewhere_usd

    @property
    def requests_per_question(self) -> float:
        """How many requests a question has taken so far; one before the first reply."""
        return self.replies / self.begun if self.begun else 1.0

    def was_answered(self, place: int) -> bool:
        """Whether the ledger answered the question at `place` (from 0) when this was made."""
        return place < len(self.answered_places) and bool(self.answered_places[place])

    def expected(self, estimates: Estimates, prices: Prices, *, batch: bool) -> dict[str, Any]:
        """Requests, tokens and dollars that are still to come, JSON-like; replies as long as allowed if none is known.

        Replies that are cut off and asked for again are in it at the rate at which they occurred so far.
        """
        prompt = self.requests_per_question * estimates.prompt_tokens(self.prompt_characters_to_ask)
        output = self.requests_per_question * self.to_ask * estimates.output_tokens
        usd = (prompt * prices.input + output * prices.output) / 1e6 * (BATCH_DISCOUNT if batch else 1.0)
        return {
            "questions": self.questions,
            "answered": self.answered,
            "to_ask": self.to_ask,
            "requests": ceil(self.requests_per_question * self.to_ask),
            "prompt_tokens": round(prompt),
            "completion_tokens": round(output),
            "usd": round(usd, 4),
            "spent_usd": round(self.spent_usd, 4),
            "output_length_is": "mean of the replies so far" if estimates.replies else "the token limit",
            "prices_as_of": prices.as_of.isoformat(),
        }


def look_ahead(cases: Iterable[Case], plan: RequestPlan, ledger: Ledger, estimates: Estimates) -> Outlook:
    """Go through all cases once: what is answered teaches `estimates`, the rest is counted."""
    outlook = Outlook()
    for question in (case.question for case in cases):
        outlook.questions += 1
        progress = plan.progress(question, ledger)
        outlook.spent_usd += progress.paid_usd
        characters = len(question.system) + len(question.user)
        replies = [answer.usage for answer in progress.answers if answer.usage.output_tokens]
        for usage in replies:
            estimates.learn(characters, usage)
        outlook.begun += bool(replies)
        outlook.replies += len(replies)
        outlook.answered_places.append(progress.next is None)
        if progress.next is None:
            outlook.answered += 1
        else:
            outlook.to_ask += 1
            outlook.prompt_characters_to_ask += characters
    return outlook


def before_asking(cases: Iterable[Case], plan: RequestPlan, ledger: Ledger, estimates: Estimates) -> Outlook:
    """What a run needs to know before it asks: `look_ahead`, but no prompt is made while the ledger answers nothing."""
    if len(ledger):
        outlook = look_ahead(cases, plan, ledger, estimates)
    else:
        count = sum(1 for _ in cases)
        outlook = Outlook(questions=count, to_ask=count)
    outlook.look_for_unseen(ledger)
    return outlook


def keys_to_ask(cases: Iterable[Case], plan: RequestPlan, ledger: Ledger) -> Iterator[str]:
    """The keys of the requests that `ledger` does not answer."""
    for case in cases:
        request = plan.progress(case.question, ledger).next
        if request is not None:
            yield request.key
