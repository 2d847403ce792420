"""How an SDK is connected, where its key comes from, and how keys are kept out of whatever is written down.

Keys come from the SDKs' own environment variables and from nowhere else; the local oracle, and a model that is served
on this machine, get one that opens nothing. Servers and gateways may repeat keys in their error messages.
"""

import base64
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from reasrm.apis.request_format import ApiProtocol
from reasrm.runtime.stage_main import StageError

LOCAL_KEY = "local-oracle-needs-no-key"
CONNECT_SECONDS = 10.0
HIDDEN = "[key]"
SHORTEST_KEY = 6
"""Characters; whatever is shorter opens nothing and is part of ordinary words."""
KEY_LIKE = re.compile(r"\bsk-[\w-]{8,}|(?<=\bbearer )[^\s'\",;]{6,}", re.IGNORECASE)
"""Keys of both vendors, also such as are not ours: a gateway may echo its own, and profiles renew their tokens."""
KEYS_OF_AN_SDK = ("api_key", "auth_token", "admin_api_key", "webhook_key", "webhook_secret")
"""Attributes of either vendor's SDK client that may hold a secret."""


class NoKeyError(StageError):
    """The SDK finds no key."""


class AddressError(StageError):
    """The address of a service is none that requests can go to."""


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

    def sdk_arguments(self, path: str = "") -> dict[str, Any]:
        """Arguments of AsyncAnthropic or AsyncOpenAI; the latter's local addresses end with the `path` `/v1`."""
        address: dict[str, Any] = {} if self.base_url is None else {"base_url": self.base_url}
        if self.local_url is not None:
            address = {"base_url": self.local_url + path, "api_key": LOCAL_KEY}
        return {"max_retries": 0, "timeout": self._timeout(), **address}

    def local_key(self, protocol: ApiProtocol) -> str | None:
        """A key that opens nothing, for a model that is served on this machine where the environment holds no key.

        No other address ever gets that one: None for them, and where there is a key.

        Raises:
            AddressError: the address is none that requests can go to.
        """
        address = self.local_url or self.base_url or os.environ.get(protocol.address_variable)
        if not address or not is_this_machine(address_parts(address).hostname):
            return None
        return None if any(os.environ.get(name) for name in protocol.key_variables) else LOCAL_KEY

    def transport_arguments(self) -> dict[str, Any]:
        """Arguments of the SDK's aiohttp transport."""
        import httpx2

        limits = httpx2.Limits(max_connections=self.most_at_once, max_keepalive_connections=self.most_at_once)
        trust = self.local_url is None
        return {"limits": limits, "timeout": self._timeout(), "trust_env": trust, "verify": self.tls}

    @cached_property
    def tls(self) -> Any:
        """The certificates to trust, chosen as the SDK's own transport does; read once, since that takes a while."""
        import httpx2

        return httpx2.create_ssl_context(trust_env=self.local_url is None)

    def _timeout(self) -> Any:
        import httpx2

        return httpx2.Timeout(self.timeout_seconds, connect=CONNECT_SECONDS)

    @staticmethod
    def network_errors() -> tuple[type[Exception], ...]:
        """What a transport raises when a body breaks off behind a good status (the SDKs do not wrap it)."""
        import aiohttp
        import httpx2

        return (httpx2.TransportError, aiohttp.ClientError)

    @staticmethod
    def is_lost(cause: BaseException) -> bool:
        """Whether a connection was lost or refused, which the SDKs' aiohttp transport reports as a timeout."""
        import aiohttp

        return isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(cause, TimeoutError)


def address_parts(url: str) -> SplitResult:
    """The parts of a service's address.

    Raises:
        AddressError: it is none that requests can go to; the message shows it without user and password.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise AddressError(
            f"{url.rpartition('@')[2]!r} is no address of a service: it begins with http:// or https:// and names a "
            f"host, as http://127.0.0.1:8000/v1"
        )
    return parts


def is_this_machine(host: str | None) -> bool:
    """Whether `host` is this machine: `localhost`, a loopback address, or 0.0.0.0, which servers show as theirs."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def without_keys(message: str, keys: Iterable[str]) -> str:
    """Return `message` with `[key]` in place of each of `keys` and of all that looks like a vendor's key."""
    for key in keys:
        if len(key) >= SHORTEST_KEY:
            message = message.replace(key, HIDDEN)
    return KEY_LIKE.sub(HIDDEN, message)


def keys_of(sdk: Any) -> list[str]:
    """What a client of either vendor's SDK holds that nobody may read; ask anew, since some credentials are renewed."""
    found = [getattr(sdk, name, None) for name in KEYS_OF_AN_SDK]
    return [key for key in found if isinstance(key, str)]


def refuse_unsendable(keys: Iterable[str]) -> None:
    """Do nothing if all of `keys` can stand in a header.

    Raises:
        NoKeyError: one holds a line end or another character that no header can hold.
    """
    if not all(key.isascii() and key.isprintable() for key in keys):
        raise NoKeyError(
            "the key in the environment holds a character that cannot be sent, such as a carriage return at its end "
            "(from a file with Windows line ends?): set the variable anew"
        )


def with_basic_auth(sdk: Any) -> tuple[Any, list[str]]:
    """Move user and password out of an SDK's address into a header, where the aiohttp transport wants them.

    Returns:
        The SDK to use, and what of this nobody may read; the same SDK and nothing if its address holds no user.
    """
    address = sdk.base_url
    if not address.userinfo:
        return sdk, []
    token = base64.b64encode(f"{address.username}:{address.password}".encode()).decode()
    header = {"Authorization": f"Basic {token}"}
    return sdk.with_options(base_url=address.copy_with(userinfo=b""), default_headers=header), [address.password, token]
