"""Polling a batch API: calls are repeated until they succeed or waiting no longer helps, and the live line says why."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reasrm.apis.batches.api import BatchApi, BatchApiError, BatchState, BatchStatus
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.rate_limit_headers import shown_seconds
from reasrm.distillation.run_statistics import RunStopped, StopReason
from reasrm.distillation.settings import AskingSettings

Reply = TypeVar("Reply")

FIRST_PAUSE_SECONDS = 0.5
SHOWN_EVERY_SECONDS = 1.0


class Polling:
    """Repeats calls to a batch API while what fails passes, within a run's settings."""

    def __init__(self, settings: AskingSettings, show: Callable[[str, bool], None]) -> None:
        """Nothing has failed yet; `show` puts on the live line what is waited for, at once if that is new."""
        self._settings = settings
        self._show = show
        self._shown = ""
        self._failing_since: float | None = None
        """When calls began to fail, on the event loop's clock."""

    async def call(self, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """Call until it succeeds: for calls that may be repeated freely.

        Raises:
            RunStopped: as `wait_after`.
        """
        while True:
            try:
                reply = await call()
            except BatchApiError as error:
                await self.wait_after(error)
            else:
                self.succeeded()
                return reply

    def succeeded(self) -> None:
        """A call went well: the next failure is a new one."""
        self._failing_since = None

    async def wait_after(self, error: BatchApiError) -> None:
        """Wait after a failed call, or stop the run if waiting does not help.

        Raises:
            RunStopped: money, key or settings, no call has succeeded for too long, or none is to be made for so long.
        """
        if error.error_kind is ErrorKind.INVALID:
            raise RunStopped(StopReason.ALL_INVALID, error.detail)
        if error.error_kind.stops_the_run:
            raise RunStopped(StopReason(error.error_kind.value), error.detail)
        now = asyncio.get_running_loop().time()
        self._failing_since = now if self._failing_since is None else self._failing_since
        failing = now - self._failing_since
        limited, bound = error.error_kind is ErrorKind.RATE_LIMITED, 60 * self._settings.outage_minutes
        reason = StopReason.RATE_LIMITED if limited else StopReason.OUTAGE
        if error.retry_after is not None and error.retry_after > bound:
            asked = shown_seconds(error.retry_after)
            raise RunStopped(reason, f"the server asks for a pause of {asked}: {error.detail}")
        if failing > bound:
            raise RunStopped(reason, error.detail)
        doing = f"waiting to ask the batch API again ({error.error_kind}: {error.detail})"
        await self.rest(error.retry_after or self.at_most(FIRST_PAUSE_SECONDS + failing), doing)

    def at_most(self, seconds: float) -> float:
        """`seconds`, but not more than the settings allow between two polls."""
        return min(seconds, self._settings.poll_seconds)

    async def until_over(self, api: BatchApi, batch: str, reason: str) -> BatchStatus:
        """Poll `batch`, with growing pauses, until it is no longer running; `reason` says what for.

        Raises:
            RunStopped: as `wait_after`.
        """
        pause, loop = FIRST_PAUSE_SECONDS, asyncio.get_running_loop()
        began = loop.time()
        while (status := await self.call(lambda: api.status(batch))).state is BatchState.RUNNING:
            await self.rest(pause, f"{reason} ({(loop.time() - began) / 60:.0f} min)")
            pause = self.at_most(1.5 * pause)
        return status

    async def rest(self, seconds: float, reason: str) -> None:
        """Sleep, and keep `reason` on the live line."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            self._show(reason, reason != self._shown)
            self._shown = reason
            left = until - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, SHOWN_EVERY_SECONDS))
