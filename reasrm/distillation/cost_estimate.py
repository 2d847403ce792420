"""What a run has still to ask and what that may cost, by what the ledger already answers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from reasrm.apis.api_reply import Usage
from reasrm.distillation.ledger_entries import possibly_billed
from reasrm.distillation.prices import BATCH_DISCOUNT, Prices
from reasrm.distillation.questions import OracleQuestion
from reasrm.distillation.request_plan import RequestPlan
from reasrm.distillation.spend_budget import TokenEstimates
from reasrm.records.ledger import Ledger


@dataclass
class CostEstimate:
    """What the ledger holds of a run's questions, and what is missing."""

    questions: int = 0
    answered: int = 0
    to_ask: int = 0
    spent_usd: float = 0.0
    """Paid for these questions by earlier runs."""
    other_pass_usd: float = 0.0
    """What else counts against the same budget: the stage's other pass."""
    prompt_characters_to_ask: int = 0
    """Counted by `estimate_cost` only: a run does not need it."""
    token_limits_to_ask: int = 0
    """Sum of the token limits of the next requests; counted by `estimate_cost` only."""
    begun: int = 0
    """Questions that have a reply."""
    replies: int = 0
    """Their replies: more than `begun`, since some were cut off and asked for again."""
    possibly_billed: int = 0
    """Attempts of all earlier runs with this ledger that may have been billed without an answer; set for a run only."""
    possibly_billed_usd: float = 0.0
    """What they may have cost at most."""
    answered_places: bytearray = field(default_factory=bytearray)
    """One byte per question, in their order: 1 if it was answered; empty if none was."""

    def read_possibly_billed(self, ledger: Ledger) -> None:
        """Read from `ledger` what may have been billed without an answer."""
        self.possibly_billed, self.possibly_billed_usd = possibly_billed(ledger.entries())

    @property
    def counted_usd(self) -> float:
        """What counts against the budget before the first request."""
        return self.spent_usd + self.possibly_billed_usd + self.other_pass_usd

    @property
    def requests_per_question(self) -> float:
        """How many requests a question has taken so far; one before the first reply."""
        return self.replies / self.begun if self.begun else 1.0

    def was_answered(self, place: int) -> bool:
        """Whether the ledger answered the question at `place` (from 0) when this was made."""
        return place < len(self.answered_places) and bool(self.answered_places[place])

    def expected(self, tokens: TokenEstimates, prices: Prices, *, batch: bool) -> dict[str, Any]:
        """Requests, tokens and dollars that are still to come, JSON-like; replies as long as allowed if none is known.

        Replies that are cut off and asked for again are in it at the rate at which they occurred so far. `at_most_usd`
        takes each reply to be as long as the token limit, and each prompt as dense and as expensive as it can be.
        """
        discount = BATCH_DISCOUNT if batch else 1.0
        most = Usage(tokens.most_prompt_tokens(self.prompt_characters_to_ask), self.token_limits_to_ask)
        prompt = self.requests_per_question * tokens.prompt_tokens(self.prompt_characters_to_ask)
        output = self.requests_per_question * self.to_ask * tokens.output_tokens
        usd = (prompt * prices.input + output * prices.output) / 1e6 * discount
        return {
            "questions": self.questions,
            "answered": self.answered,
            "to_ask": self.to_ask,
            "requests": ceil(self.requests_per_question * self.to_ask),
            "prompt_tokens": round(prompt),
            "completion_tokens": round(output),
            "usd": round(usd, 4),
            "at_most_usd": round(self.requests_per_question * prices.at_most_usd(most, batch=batch), 4),
            "spent_usd": round(self.spent_usd, 4),
            "output_length_is": "mean of the replies so far" if tokens.replies else "the token limit",
            "prices_as_of": prices.as_of,
        }


def estimate_cost(
    questions: Iterable[OracleQuestion], plan: RequestPlan, ledger: Ledger, tokens: TokenEstimates
) -> CostEstimate:
    """Go through all questions once: what is answered teaches `tokens`, the rest is counted."""
    estimate = CostEstimate()
    for prompt in (question.prompt for question in questions):
        estimate.questions += 1
        progress = plan.progress(prompt, ledger)
        estimate.spent_usd += progress.paid_usd
        characters = len(prompt.system) + len(prompt.user)
        replies = [answer.usage for answer in progress.answers if answer.usage.output_tokens]
        for usage in replies:
            tokens.learn(characters, usage)
        estimate.begun += bool(replies)
        estimate.replies += len(replies)
        estimate.answered_places.append(progress.next is None)
        if progress.next is None:
            estimate.answered += 1
        else:
            estimate.to_ask += 1
            estimate.prompt_characters_to_ask += characters
            estimate.token_limits_to_ask += progress.next.max_tokens
    return estimate


def estimate_before_run(
    questions: Iterable[OracleQuestion], plan: RequestPlan, ledger: Ledger, tokens: TokenEstimates
) -> CostEstimate:
    """What a run needs to know before it asks: `estimate_cost`, but no prompt is made while nothing is answered."""
    if len(ledger):
        estimate = estimate_cost(questions, plan, ledger, tokens)
    else:
        count = sum(1 for _ in questions)
        estimate = CostEstimate(questions=count, to_ask=count)
    estimate.read_possibly_billed(ledger)
    return estimate


def unanswered_keys(questions: Iterable[OracleQuestion], plan: RequestPlan, ledger: Ledger) -> Iterator[str]:
    """The keys of the requests that `ledger` does not answer."""
    for question in questions:
        request = plan.progress(question.prompt, ledger).next
        if request is not None:
            yield request.key
