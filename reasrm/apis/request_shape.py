"""The exact request that each vendor is sent: what is hashed, what is paid for once."""

from dataclasses import dataclass
from typing import Any, Protocol

from reasrm.apis.attempt import Question, Vendor

ANTHROPIC_VERSION = "2026-10-21"
"""Sent as `anthropic-version`. Fixed here, so that a newer SDK cannot quietly change what is asked."""
CHAT_COMPLETIONS = "chat.completions v1"
RESPONSES = "responses v1"


class RequestShape(Protocol):
    """How one vendor's requests are made, without any connection."""

    @property
    def vendor(self) -> Vendor:
        """Whose API it is."""

    @property
    def api_version(self) -> str:
        """What the key of a request changes with, besides its body."""

    @property
    def reserves_output(self) -> bool:
        """Whether the token limit counts against the rate limit when a request is sent (OpenAI)."""

    def body(self, question: Question, max_tokens: int) -> dict[str, Any]:
        """The body of the request."""


@dataclass(frozen=True)
class AnthropicShape:
    """Messages. The API takes no temperature any more (since the version 2026-10-21), so there is none to set."""

    model: str
    cache_system_prompt: bool
    """Mark the system text as cacheable; a cached prefix is billed at a tenth."""
    vendor: Vendor = Vendor.ANTHROPIC
    api_version: str = ANTHROPIC_VERSION
    reserves_output: bool = False

    def body(self, question: Question, max_tokens: int) -> dict[str, Any]:
        """The Messages request."""
        system: dict[str, Any] = {"type": "text", "text": question.system}
        if self.cache_system_prompt:
            system["cache_control"] = {"type": "ephemeral"}
        return {
            "model": self.model,
            "max_tokens": max_tokens,
            "system": [system],
            "messages": [{"role": "user", "content": question.user}],
        }


@dataclass(frozen=True)
class OpenAIShape:
    """Chat Completions.

    The token limit goes out as `max_completion_tokens`, the only name that the reasoning models accept; they take no
    temperature either, so none is sent. The vendor caches prompt prefixes by itself.
    """

    model: str
    vendor: Vendor = Vendor.OPENAI
    api_version: str = CHAT_COMPLETIONS
    reserves_output: bool = True

    def body(self, question: Question, max_tokens: int) -> dict[str, Any]:
        """The Chat Completions request."""
        return {
            "model": self.model,
            "max_completion_tokens": max_tokens,
            "messages": [
                {"role": "system", "content": question.system},
                {"role": "user", "content": question.user},
            ],
        }


@dataclass(frozen=True)
class OpenAIResponsesShape:
    """Responses. The vendor is told not to keep what was said: each question stands alone, nothing refers to it."""

    model: str
    vendor: Vendor = Vendor.OPENAI_RESPONSES
    api_version: str = RESPONSES
    reserves_output: bool = True

    def body(self, question: Question, max_tokens: int) -> dict[str, Any]:
        """The Responses request."""
        return {
            "model": self.model,
            "max_output_tokens": max_tokens,
            "instructions": question.system,
            "input": question.user,
            "store": False,
        }
