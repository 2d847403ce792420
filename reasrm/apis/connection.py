"""How an SDK is connected, and where its key comes from.

Keys come from the SDKs' own environment variables and from nowhere else; the local oracle, and a model that is served
on this machine, get one that opens nothing, and neither is asked through a proxy of the environment. User and password
of an address take the key's place. What no header can hold is refused before anything is sent. No redirect is followed:
the request would carry its key to wherever a server says.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote
from urllib.request import getproxies

from reasrm.apis.request_format import ApiProtocol
from reasrm.apis.service_address import ServiceAddress, is_this_machine, read_address, require_proxies, service_address
from reasrm.runtime.stage_main import StageError

LOCAL_KEY = "local-oracle-needs-no-key"
CONNECT_SECONDS = 10.0
KEYS_OF_AN_SDK = ("api_key", "auth_token", "admin_api_key", "webhook_key", "webhook_secret", "organization", "project")
"""Attributes of either vendor's SDK client that may hold what is nobody's business."""
PLAIN_HEADERS = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-type",
        "http-referer",
        "openai-beta",
        "user-agent",
        "x-title",
    }
)
"""Headers of one's own that hold no secret."""
KINDS = {"\r": "a carriage return", "\n": "a line feed", "\t": "a tab", " ": "a space"}
OTHER_KIND = ("a character that is not ASCII", "a control character")


class NoKeyError(StageError):
    """The SDK finds no key."""


@dataclass(frozen=True)
class Connection:
    """Where an SDK goes, how patient it is, and what its replies must hold."""

    timeout_seconds: float
    """Longest wait for a reply. Given explicitly, or the SDK refuses large token limits without streaming."""
    most_at_once: int
    """Connections that may be open."""
    local_url: str | None = None
    """Address of the local oracle, which takes any key and is never asked through a proxy; None for any other."""
    base_url: str | None = None
    """Address of a service as its SDK takes it; None leaves it to the SDK's environment variable, else the vendor's."""
    needs_usage: bool = True
    """Whether a reply without a readable usage is broken: the oracle's ledger needs it, a judge does not."""

    def address(self, protocol: ApiProtocol) -> ServiceAddress | None:
        """Where requests go; None is the vendor's own, or that of the SDK's profile.

        Raises:
            AddressError: requests cannot go there.
        """
        if self.local_url is None:
            return service_address(self.base_url, protocol)
        return read_address(self.local_url + ("" if protocol is ApiProtocol.ANTHROPIC else "/v1"), [])

    def sdk_arguments(self, protocol: ApiProtocol, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Arguments of AsyncAnthropic or AsyncOpenAI; `headers` go with every request.

        Raises:
            AddressError: requests cannot go there.
            NoKeyError: what the environment holds cannot stand in a header.
        """
        require_sendable(protocol.header_variables)
        address = self.address(protocol)
        local: dict[str, Any] = {} if self.local_url is None else {"api_key": LOCAL_KEY}
        patience = {"max_retries": 0, "timeout": self._timeout(), "default_headers": dict(headers or {}), **local}
        if address is None:
            return patience
        patience["default_headers"] |= address.headers
        return patience | {"base_url": address.url, "default_query": dict(address.query)}

    def local_key(self, protocol: ApiProtocol) -> str | None:
        """A key that opens nothing, where none is needed and the environment holds none.

        That is a model that is served on this machine, or an address with user and password: no other ever gets it.

        Raises:
            AddressError: requests cannot go there.
        """
        address = self.address(protocol)
        if address is None or not (is_this_machine(address.host) or address.headers):
            return None
        return None if any(os.environ.get(name) for name in protocol.key_variables) else LOCAL_KEY

    def secrets(self, protocol: ApiProtocol) -> Iterator[str]:
        """What of the address and the environment is sent, and nobody may read (the SDK's own keys apart)."""
        address = self.address(protocol)
        yield from () if address is None else address.secrets
        for name in protocol.header_variables:
            for line in _lines(name, os.environ.get(name, "")):
                header, colon, value = line.partition(":") if name.endswith("_CUSTOM_HEADERS") else ("", ":", line)
                if colon and header.strip().lower() not in PLAIN_HEADERS:
                    yield value.strip()
                    yield value.rpartition(" ")[2]  # of "Bearer ...", and of any other scheme
        for proxy in getproxies().values():
            yield unquote(proxy.rpartition("@")[0].rpartition("://")[2].partition(":")[2])

    def transport_arguments(self, protocol: ApiProtocol) -> dict[str, Any]:
        """Arguments of the SDK's aiohttp transport.

        Raises:
            AddressError: a proxy of the environment has no address that can be one.
        """
        import httpx2

        address = self.address(protocol)
        through_proxy = address is None or not is_this_machine(address.host)
        if through_proxy:
            require_proxies()
        limits = httpx2.Limits(max_connections=self.most_at_once, max_keepalive_connections=self.most_at_once)
        return {
            "limits": limits,
            "timeout": self._timeout(),
            "trust_env": through_proxy,
            "verify": self.tls,
            "follow_redirects": False,
        }

    @cached_property
    def tls(self) -> Any:
        """The certificates to trust, chosen as the SDK's own transport does; read once, since that takes a while."""
        import httpx2

        return httpx2.create_ssl_context(trust_env=self.local_url is None)

    def _timeout(self) -> Any:
        import httpx2

        return httpx2.Timeout(self.timeout_seconds, connect=CONNECT_SECONDS)

    @staticmethod
    def is_of_the_network(error: BaseException, errors: Any) -> bool:
        """Whether the way to the server failed: by the SDK's own `errors`, or as its transport says it unwrapped."""
        import aiohttp
        import httpx2

        return isinstance(error, (errors.APIConnectionError, httpx2.TransportError, aiohttp.ClientError))

    @staticmethod
    def is_lost(cause: BaseException) -> bool:
        """Whether a connection was lost or refused, which the SDKs' aiohttp transport reports as a timeout."""
        import aiohttp

        return isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(cause, TimeoutError)


def keys_of(sdk: Any) -> list[str]:
    """What a client of either vendor's SDK holds that nobody may read; ask anew, since some credentials are renewed."""
    found = [getattr(sdk, name, None) for name in KEYS_OF_AN_SDK]
    return [key for key in found if isinstance(key, str)]


def require_sendable(names: Iterable[str]) -> None:
    """Do nothing if what the environment variables `names` hold can stand in a header, line by line.

    Raises:
        NoKeyError: one cannot; the message names the variable, the character's kind and place, and nothing of the key.
    """
    for name in names:
        for line in _lines(name, os.environ.get(name, "")):
            fault = _unsendable(line, may_hold_spaces=name.endswith("_CUSTOM_HEADERS"))
            if fault:
                raise NoKeyError(
                    f"the environment variable {name} holds {fault}, which cannot be sent (from a file with Windows "
                    f"line ends, or pasted with more than the key?): set it anew"
                )


def _lines(name: str, value: str) -> list[str]:
    """What of a variable is sent as one value each: the SDKs read headers of one's own line by line."""
    return [line.strip() for line in value.split("\n")] if name.endswith("_CUSTOM_HEADERS") else [value]


def _unsendable(value: str, *, may_hold_spaces: bool) -> str:
    """Which character of `value` no header can hold, and where it stands; empty if there is none."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" and not may_hold_spaces:
        return "quotation marks around the key"
    for place, char in enumerate(value):
        kind = KINDS.get(char) or ("" if char.isascii() and char.isprintable() else OTHER_KIND[char.isascii()])
        if kind and not (char == " " and may_hold_spaces):
            around = "at its beginning" if place == 0 else "inside"
            return f"{kind} {'at its end' if not value[place:].strip() else around}"
    return ""
