"""What is sent again after a failure, how often, and after how long: the oracle and API judges keep to it alike.

What passes (`ErrorKind.passes`: a rate limit, an outage, a lost or broken reply) is sent again, what does not is not.
The SDKs' own retries are off. `RetryingSender` is the loop for those who only want the reply; the oracle's loop
(`distillation.asking`) adds a ledger, a budget and a circuit breaker, and takes its pauses from here.

A server that asks for a pause (Retry-After, with whatever passes) is left alone for as long as it asks, by all
requests, up to a bound: `LONGEST_RETRY_AFTER` here, `outage_minutes` for the oracle. One that asks for more is not
asked again: the run stops, with everything kept, and goes on when somebody starts it.
"""

import asyncio
import random
from typing import Any

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.rate_limit_headers import shown_seconds

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
"""Seconds; a retry waits a random time up to the first, doubled with each attempt, up to the longest (full jitter)."""
LONGEST_RETRY_AFTER = 600.0
"""Seconds, as the oracle's `outage_minutes`; a request whose server asks for a longer pause is not sent again."""


def backoff_seconds(failures: int) -> float:
    """How long a request waits after its `failures`-th failure: full jitter."""
    return random.uniform(0, min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** max(0, failures - 1)))


def asks_for_a_pause(result: AttemptResult) -> str:
    """What a server said that asks for a longer pause than anybody waits for."""
    return f"the server asks for a pause of {shown_seconds(result.limits.retry_after or 0.0)}: {result.detail}"


def asks_for_too_long(result: AttemptResult) -> bool:
    """Whether the server of a request that failed asks for a longer pause than `LONGEST_RETRY_AFTER`."""
    return (result.limits.retry_after or 0.0) > LONGEST_RETRY_AFTER


class RetryingSender:
    """Sends requests over one client, each again while its failures pass; a Retry-After pauses all of them."""

    def __init__(self, client: ApiClient, retries: int) -> None:
        """Send over `client`; a request that fails for reasons that pass is sent again `retries` times."""
        self._client = client
        self._retries = retries
        self._paused_until = 0.0
        """On the event loop's clock."""

    async def send(self, body: dict[str, Any]) -> AttemptResult:
        """The reply to `body`, or the failure that was final or the last one."""
        failures = 0
        while True:
            await self._pause_over()
            result = await self._client.attempt(body)
            if result.error_kind is None or not result.error_kind.passes or failures == self._retries:
                return result
            if asks_for_too_long(result):
                return result
            failures += 1
            self._learn(result)
            await asyncio.sleep(backoff_seconds(failures))

    def _learn(self, result: AttemptResult) -> None:
        """Let everybody wait for as long as the server asks."""
        retry_after = result.limits.retry_after
        if retry_after is None and result.error_kind is ErrorKind.RATE_LIMITED:
            retry_after = FIRST_BACKOFF
        if retry_after is not None:
            until = asyncio.get_running_loop().time() + retry_after
            self._paused_until = max(self._paused_until, until)

    async def _pause_over(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._paused_until - loop.time()) > 0:
            await asyncio.sleep(left)
