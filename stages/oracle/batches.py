"""What both vendors' batch APIs have in common, as the batch run needs it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from stages.oracle.attempt import Attempt, Trouble
from stages.oracle.sdk_client import SdkClient

CUSTOM_ID_CHARACTERS = 40
"""Hex digits of a request's key that name it within a batch (both vendors allow 64 characters)."""


class BatchState(StrEnum):
    """Where a batch stands."""

    RUNNING = "running"
    ENDED = "ended"
    """Every request has succeeded, failed or expired; the results can be fetched."""
    FAILED = "failed"
    """The vendor refused the batch as a whole."""


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """A batch in the vendor's list."""

    id: str
    requests: int
    label: str | None
    """What we wrote on it, where the vendor lets us (OpenAI)."""


class BatchTroubleError(RuntimeError):
    """A call to a batch API did not succeed."""

    def __init__(self, trouble: Trouble, detail: str, retry_after: float | None = None) -> None:
        """Say what went wrong, and after how many seconds the vendor wants to be asked again."""
        super().__init__(f"{trouble}: {detail}")
        self.trouble = trouble
        self.detail = detail
        self.retry_after = retry_after

    @property
    def may_have_worked(self) -> bool:
        """Whether the call may have been carried out although no reply says so."""
        return self.trouble.is_of_the_server


@contextmanager
def batch_troubles(client: SdkClient) -> Iterator[None]:
    """Turn what `client`'s SDK raises into a BatchTroubleError."""
    try:
        yield
    except client.failures() as error:
        attempt = client.failed(error)
        trouble = attempt.trouble or Trouble.CONNECTION
        raise BatchTroubleError(trouble, attempt.detail, attempt.limits.retry_after) from error


class BatchApi(Protocol):
    """One vendor's batches. Every call raises BatchTroubleError if it does not succeed; none is repeated by itself."""

    async def create(self, rows: list[tuple[str, dict[str, Any]]], label: str) -> str:
        """Submit `(custom id, body)` rows; returns the batch's id."""
        ...

    async def recent(self) -> list[BatchSeen]:
        """The newest batches of the account."""
        ...

    async def state(self, batch: str) -> BatchState:
        """Where the batch stands."""
        ...

    def results(self, batch: str) -> AsyncIterator[tuple[str, Attempt]]:
        """The results of an ended batch in any order, as `(custom id, what became of it)`."""
        ...


def custom_id(key: str) -> str:
    """The name of the request `key` within a batch."""
    return key[:CUSTOM_ID_CHARACTERS]
