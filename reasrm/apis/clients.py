"""The one place that knows every API: its client and how its requests are written, by protocol."""

from reasrm.apis.anthropic_messages import AnthropicClient, AnthropicRequests
from reasrm.apis.connection import Connection
from reasrm.apis.openai_chat import ChatCompletionsRequests, OpenAIClient
from reasrm.apis.openai_responses import OpenAIResponsesClient, ResponsesRequests
from reasrm.apis.request_format import ApiProtocol, RequestFormat

CLIENTS: dict[ApiProtocol, type[AnthropicClient | OpenAIClient]] = {
    ApiProtocol.ANTHROPIC: AnthropicClient,
    ApiProtocol.OPENAI: OpenAIClient,
    ApiProtocol.OPENAI_RESPONSES: OpenAIResponsesClient,
}


def open_client(protocol: ApiProtocol, connection: Connection) -> AnthropicClient | OpenAIClient:
    """A client of the API; an event loop need not run yet, but all attempts must be made in one.

    Raises:
        NoKeyError: the SDK finds no key in the environment.
        AddressError: the address is none that requests can go to.
    """
    return CLIENTS[protocol](connection)


def request_format(protocol: ApiProtocol, model: str, *, cache_system_prompt: bool = False) -> RequestFormat:
    """How requests to `model` are written.

    Args:
        protocol: which API.
        model: the model's id.
        cache_system_prompt: mark the system text as cacheable, where the API asks for that (Anthropic).
    """
    match protocol:
        case ApiProtocol.ANTHROPIC:
            return AnthropicRequests(model, cache_system_prompt)
        case ApiProtocol.OPENAI:
            return ChatCompletionsRequests(model)
        case ApiProtocol.OPENAI_RESPONSES:
            return ResponsesRequests(model)
