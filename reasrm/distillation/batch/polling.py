"""Waiting on a batch API: calls are repeated until they succeed or waiting no longer helps, and the line says why."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reasrm.apis.batches.api import BatchApi, BatchApiError, BatchState, BatchStatus
from reasrm.apis.error_classification import ErrorKind
from reasrm.distillation.rate_control.admission_control import StopReason
from reasrm.distillation.settings import AskingSettings

Reply = TypeVar("Reply")

FIRST_PAUSE_SECONDS = 0.5
SHOWN_EVERY_SECONDS = 1.0


class BatchesStopped(Exception):  # noqa: N818  a stop is not an error
    """The run stops before every question is settled."""

    def __init__(self, reason: StopReason, detail: str) -> None:
        """Say why, and with which words of the vendor."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Patience:
    """Bears what passes, within a run's settings."""

    def __init__(self, settings: AskingSettings, show: Callable[[str, bool], None]) -> None:
        """Nothing has failed yet; `show` puts on the live line what is waited for, at once if that is new."""
        self._settings = settings
        self._show = show
        self._said = ""
        self._failing_since: float | None = None
        """When calls began to fail, on the event loop's clock."""

    async def call(self, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """Call until it succeeds: for calls that may be repeated freely.

        Raises:
            BatchesStopped: as `bear`.
        """
        while True:
            try:
                reply = await call()
            except BatchApiError as error:
                await self.bear(error)
            else:
                self.succeeded()
                return reply

    def succeeded(self) -> None:
        """A call went well: the next failure is a new one."""
        self._failing_since = None

    async def bear(self, error: BatchApiError) -> None:
        """Wait after a failed call, or stop the run if waiting does not help.

        Raises:
            BatchesStopped: money, key or settings, or no call has succeeded for too long.
        """
        if error.error_kind is ErrorKind.INVALID:
            raise BatchesStopped(StopReason.ALL_INVALID, error.detail)
        if error.error_kind.stops_the_run:
            raise BatchesStopped(StopReason(error.error_kind.value), error.detail)
        now = asyncio.get_running_loop().time()
        self._failing_since = now if self._failing_since is None else self._failing_since
        failing = now - self._failing_since
        if failing > 60 * self._settings.outage_minutes:
            raise BatchesStopped(StopReason.OUTAGE, error.detail)
        words = f"waiting to ask the batch API again ({error.error_kind}: {error.detail})"
        await self.rest(error.retry_after or self.at_most(FIRST_PAUSE_SECONDS + failing), words)

    def at_most(self, seconds: float) -> float:
        """`seconds`, but not more than the settings allow between two looks."""
        return min(seconds, self._settings.poll_seconds)

    async def until_over(self, api: BatchApi, batch: str, words: str) -> BatchStatus:
        """Poll `batch`, ever more seldom, until it is no longer running; `words` say what for.

        Raises:
            BatchesStopped: as `bear`.
        """
        pause, loop = FIRST_PAUSE_SECONDS, asyncio.get_running_loop()
        began = loop.time()
        while (status := await self.call(lambda: api.status(batch))).state is BatchState.RUNNING:
            await self.rest(pause, f"{words} ({(loop.time() - began) / 60:.0f} min)")
            pause = self.at_most(1.5 * pause)
        return status

    async def rest(self, seconds: float, words: str) -> None:
        """Sleep, and keep `words` on the live line."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            self._show(words, words != self._said)
            self._said = words
            left = until - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, SHOWN_EVERY_SECONDS))
