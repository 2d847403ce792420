"""Who is asked, with which requests: the key of each request, and how far the ledger answers a question already."""

from dataclasses import dataclass
from typing import Any

from reasrm.apis.anthropic_messages import AnthropicClient
from reasrm.apis.api_reply import ApiReply, Usage
from reasrm.apis.clients import open_client, request_format
from reasrm.apis.connection import Connection
from reasrm.apis.openai_chat import OpenAIClient
from reasrm.apis.request_format import ApiProtocol, ChatPrompt, RequestFormat
from reasrm.distillation.prices import Prices
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
    paid: tuple[float | None, ...]
    """Dollars of each of `answers`; None where the price is not known."""
    next: Request | None
    """What is to be sent next; None if nothing is."""

    @property
    def paid_usd(self) -> float:
        """Dollars of all `answers` whose price is known."""
        return sum(usd for usd in self.paid if usd is not None)

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

    format: RequestFormat
    prices: Prices | None
    max_tokens: int
    truncated_retries: int
    """How often a reply that was cut off is asked for again, each time with twice the token limit."""

    def progress(self, prompt: ChatPrompt, ledger: Ledger) -> Progress:
        """What the ledger holds for `prompt`, and the request to send next if it is not settled.

        A request that was given up earlier is sent again: what made it fail passes. If a cut reply was asked for again
        and the higher limit was refused (it is above the model's), the cut one stands.
        """
        answers: list[ApiReply] = []
        paid: list[float | None] = []
        for doubling in range(self.truncated_retries + 1):
            request = self._request(prompt, self.max_tokens << doubling)
            entry = ledger.get(request.key)
            if entry is None:
                return Progress(tuple(answers), tuple(paid), request)
            answer = ApiReply.from_entry(entry)
            if answers and answer.outcome is TraceOutcome.REJECTED:
                break
            answers.append(answer)
            paid.append(self._paid(entry, answer.usage))
            if answer.asked_again:
                return Progress(tuple(answers), tuple(paid), request)
            if answer.outcome is not TraceOutcome.TRUNCATED:
                break
        return Progress(tuple(answers), tuple(paid), None)

    def usd(self, usage: Usage) -> float | None:
        """Dollars of a reply that was asked for online; None if the price is not known."""
        return None if self.prices is None else self.prices.usd(usage)

    def _paid(self, entry: dict[str, Any], usage: Usage) -> float | None:
        """Dollars that an answer has cost; by today's prices if none were known then."""
        if entry["usd"] is not None:
            return float(entry["usd"])
        return None if self.prices is None else self.prices.usd(usage, batch=entry.get("batch", False))

    def _request(self, prompt: ChatPrompt, max_tokens: int) -> Request:
        body = self.format.body(prompt.messages, max_tokens)
        key = content_hash([self.format.protocol.value, self.format.api_version, body, SAMPLE])
        return Request(key, body, max_tokens, len(prompt.system) + len(prompt.user))


@dataclass(frozen=True)
class Oracle:
    """Who is asked, and for what kind of reply."""

    vendor: ApiProtocol
    model: str
    """Dated model id."""
    prices: Prices | None
    """None if they are not known: no budget can be kept then, and nothing estimated."""
    max_tokens: int
    """Longest reply."""
    truncated_retries: int
    """As in `RequestPlan`."""
    cache_system_prompt: bool = True
    """Mark the system text as cacheable (Anthropic; OpenAI caches by itself)."""

    def format(self) -> RequestFormat:
        """How its requests are written."""
        return request_format(self.vendor, self.model, cache_system_prompt=self.cache_system_prompt)

    def plan(self) -> RequestPlan:
        """How its requests are made, keyed and looked up; needs no connection."""
        return RequestPlan(self.format(), self.prices, self.max_tokens, self.truncated_retries)

    def connect(self, connection: Connection) -> AnthropicClient | OpenAIClient:
        """A client of the vendor.

        Raises:
            NoKeyError: the SDK finds no key in the environment.
        """
        return open_client(self.vendor, connection)
