"""The address of a service: what is refused before anything is sent, where user and password go, how it is shown.

An address begins with http:// or https://, names a host, and holds no space and no control character. It is written
down (in a judge's identity, in messages), so no secret may stand in it but user and password, which go into a header.
Hence a query is refused, save Azure's `api-version`, and so is a path that holds a key. A path ends before what the
client adds to it (`/chat/completions`).
"""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from urllib.request import getproxies

from reasrm.apis.redaction import text_without_keys, without_keys
from reasrm.apis.request_format import ApiProtocol
from reasrm.runtime.stage_main import StageError

QUERY = re.compile(r"api-version=[\w.-]{1,40}")
"""What a query may be."""
KEY_IN_PATH = re.compile(r"\bsk-[\w-]{16,}", re.IGNORECASE)
ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/messages")
"""What the clients add to an address."""
SHOWN_CHARACTERS = 80
PROXIES = frozenset({"http", "https", "all"})
PORTS = 65536


class AddressError(StageError):
    """The address of a service is none that requests can go to."""


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """An address whose user and password are apart."""

    url: str
    """Without user, password and query."""
    host: str
    query: Mapping[str, str]
    user: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """The address as it may be written down."""
        return self.url + "".join(f"?{name}={value}" for name, value in self.query.items())

    @property
    def headers(self) -> dict[str, str]:
        """The header that user and password go into; nothing if the address has none."""
        return {"Authorization": f"Basic {self._token}"} if self._token else {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of it nobody may read."""
        return tuple(part for part in (self.password, self._token, self.user) if part)

    @property
    def _token(self) -> str:
        pair = f"{self.user}:{self.password}"
        return base64.b64encode(pair.encode()).decode() if self.user or self.password else ""


def service_address(base_url: str | None, protocol: ApiProtocol) -> ServiceAddress | None:
    """Where requests go: to `base_url`, else where the SDK's environment variable says; None is the vendor's own.

    Raises:
        AddressError: requests cannot go there.
    """
    name = protocol.address_variable
    url = os.environ.get(name) if base_url is None else base_url
    if url is None:
        return None
    if not url:
        given = "`base_url`" if base_url is not None else f"the environment variable {name}"
        raise AddressError(f"{given} is set to nothing: leave it out, or set it to the address of the service")
    where = "" if base_url else f" (of the environment variable {name})"
    return read_address(url, [os.environ.get(name, "") for name in protocol.key_variables], where)


def read_address(url: str, keys: list[str], where: str = "") -> ServiceAddress:
    """Take the address `url` apart.

    Args:
        url: as it was given.
        keys: what must not stand in it.
        where: whence it was given, for messages.

    Raises:
        AddressError: requests cannot go there; the message shows it without user, password, query and keys.
    """
    parts = _parts(url, where)
    host_and_path = unquote(f"{parts.netloc.rpartition('@')[2]}{parts.path}")
    if KEY_IN_PATH.search(host_and_path) or text_without_keys(host_and_path, keys) != host_and_path:
        raise AddressError(
            f"the address{where} holds a key in its host or path, and would be written down with it: leave it out"
        )
    shown = without_keys(shown_address(url), keys) + where
    if any(char.isspace() or not char.isprintable() for char in url):
        raise AddressError(f"the address {shown} holds a space or a control character (a line end?): leave it out")
    if parts.fragment or (parts.query and not QUERY.fullmatch(parts.query)):
        raise AddressError(
            f"the address {shown} has a query or fragment, which would be written down: only "
            f"`?api-version=...` is sent with it; a key goes into the environment variable of the SDK (OPENAI_API_KEY, "
            f"ANTHROPIC_API_KEY), any other header into OPENAI_CUSTOM_HEADERS or ANTHROPIC_CUSTOM_HEADERS"
        )
    ending = next((end for end in ENDPOINTS if parts.path.rstrip("/").endswith(end)), None)
    if ending is not None:
        raise AddressError(f"the address {shown} ends with {ending}, which the client adds by itself: leave it out")
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    user, password = (unquote(part or "") for part in (parts.username, parts.password))
    return ServiceAddress(bare.geturl(), parts.hostname or "", dict(parse_qsl(parts.query)), user, password)


def require_proxies() -> None:
    """Do nothing if the proxies that the environment names can be asked.

    Raises:
        AddressError: one has no address of a proxy; the message names its variable and shows no user and password.
    """
    import httpx2

    for scheme in PROXIES & getproxies().keys():
        url = getproxies()[scheme]
        try:
            usable = (httpx2.Proxy(url if "://" in url else f"http://{url}").url.port or 1) < PORTS
        except (ValueError, httpx2.InvalidURL):
            usable = False
        if not usable or any(map(str.isspace, url)):
            raise AddressError(
                f"the environment variable {scheme}_proxy (or {scheme.upper()}_PROXY) is {shown_address(url)}, which "
                f"is no address of a proxy, as http://127.0.0.1:3128: unset it, or set it anew"
            )


def shown_address(url: str) -> str:
    """An address for a message: without user, password, query, fragment and what looks like a key; cut short."""
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    user_end = rest.rfind("@") + 1
    path_end = min((rest.find(mark) for mark in "?#" if mark in rest), default=len(rest))
    shown = f"{scheme}{mark}" + (rest[user_end:path_end] if user_end <= path_end else "...")
    return repr(without_keys(shown, [])[:SHOWN_CHARACTERS])


def is_this_machine(host: str | None) -> bool:
    """Whether `host` is this machine: `localhost`, a loopback address, or 0.0.0.0, which servers show as theirs."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def _parts(url: str, where: str) -> SplitResult:
    import httpx2

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and (any(map(str.isspace, url)) or bool(httpx2.URL(url).host))
    except (ValueError, httpx2.InvalidURL):
        usable = False
    if not usable:
        raise AddressError(
            f"{shown_address(url)}{where} is no address of a service: it begins with http:// or https:// and names a "
            f"host, as http://127.0.0.1:8000/v1"
        )
    return parts
