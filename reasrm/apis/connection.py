"""How an SDK is connected: its own environment variables, or an address that we give with a key that opens nothing."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reasrm.runtime.stage_main import StageError

LOCAL_KEY = "local-oracle-needs-no-key"
CONNECT_SECONDS = 10.0


class NoKeyError(StageError):
    """The SDK finds no key."""


@dataclass(frozen=True)
class Connection:
    """Where an SDK goes and how patient it is."""

    timeout_seconds: float
    """Longest wait for a reply. Given explicitly, or the SDK refuses large token limits without streaming."""
    most_at_once: int
    """Connections that may be open."""
    local_url: str | None = None
    """Address of the local oracle; None leaves key and address to the SDK's own environment variables."""

    def sdk_arguments(self, path: str = "") -> dict[str, Any]:
        """Arguments of AsyncAnthropic or AsyncOpenAI; the latter's addresses end with the `path` `/v1`."""
        local = {} if self.local_url is None else {"base_url": self.local_url + path, "api_key": LOCAL_KEY}
        return {"max_retries": 0, "timeout": self._timeout(), **local}

    def transport_arguments(self) -> dict[str, Any]:
        """Arguments of the SDK's aiohttp transport. The local oracle is never asked through a proxy."""
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
