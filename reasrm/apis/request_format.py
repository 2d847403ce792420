"""What every protocol's requests have in common: which APIs there are, which fields a request may have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from reasrm.records.pair import Message, Role


class ApiProtocol(StrEnum):
    """Which API a service speaks."""

    ANTHROPIC = "anthropic"
    """Anthropic's Messages."""
    OPENAI = "openai"
    """OpenAI's Chat Completions, which vLLM's server and most others speak too."""
    OPENAI_RESPONSES = "openai_responses"
    """OpenAI's Responses."""

    @property
    def key_variable(self) -> str:
        """The environment variable in which the SDK finds the key."""
        return f"{self._sdk}_API_KEY"

    @property
    def key_variables(self) -> tuple[str, ...]:
        """All environment variables in which the SDK finds a key or token."""
        return (self.key_variable, "ANTHROPIC_AUTH_TOKEN") if self is ApiProtocol.ANTHROPIC else (self.key_variable,)

    @property
    def header_variables(self) -> tuple[str, ...]:
        """All environment variables that the SDK sends in headers: keys, ids of accounts, headers of one's own."""
        account = () if self is ApiProtocol.ANTHROPIC else ("OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
        return (*self.key_variables, *account, f"{self._sdk}_CUSTOM_HEADERS")

    @property
    def address_variable(self) -> str:
        """The environment variable in which the SDK finds another address than the vendor's own."""
        return f"{self._sdk}_BASE_URL"

    @property
    def _sdk(self) -> str:
        return "ANTHROPIC" if self is ApiProtocol.ANTHROPIC else "OPENAI"


class RequestField(StrEnum):
    """Fields of a request that some APIs or models refuse."""

    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    SEED = "seed"
    LOGPROBS = "logprobs"
    """The log probability of each token of the reply."""


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """A system text and one user text: what the oracle is asked."""

    system: str
    user: str

    @property
    def messages(self) -> tuple[Message, Message]:
        """The same as messages."""
        return Message(role=Role.SYSTEM, content=self.system), Message(role=Role.USER, content=self.user)


class RequestFormat(Protocol):
    """How one API's requests are written, without any connection: what is hashed, what is paid for once."""

    @property
    def protocol(self) -> ApiProtocol:
        """Which API it is."""

    @property
    def api_version(self) -> str:
        """What the key of a request changes with, besides its body."""

    @property
    def reserves_output(self) -> bool:
        """Whether the token limit counts against the rate limit when a request is sent (OpenAI)."""

    @property
    def accepts(self) -> frozenset[RequestField]:
        """The optional fields that the API knows."""

    def body(
        self, messages: Sequence[Message], max_tokens: int, fields: Mapping[RequestField, Any] | None = None
    ) -> dict[str, Any]:
        """The body of the request; `fields` are optional ones, of which the API must know each."""


def system_text(messages: Sequence[Message]) -> str:
    """The system messages in one text, for APIs that take it apart from the conversation; empty if there is none."""
    return "\n\n".join(message.content for message in messages if message.role is Role.SYSTEM)


def turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    """All messages but the system's, as all APIs write them."""
    return [written(message) for message in messages if message.role is not Role.SYSTEM]


def written(message: Message) -> dict[str, str]:
    """One message, as all APIs write it."""
    return {"role": message.role.value, "content": message.content}
