"""What both vendors' batch APIs have in common, as the batch run needs it."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.error_classification import ErrorKind

CUSTOM_ID_CHARACTERS = 40
"""Hex digits of a request's key that name it within a batch (both vendors allow 64 characters)."""


class BatchState(StrEnum):
    """Where a batch stands."""

    RUNNING = "running"
    ENDED = "ended"
    """Every request has succeeded, failed or expired; the results can be fetched."""
    FAILED = "failed"
    """The vendor refused the batch as a whole and carried nothing out."""
    QUEUE_FULL = "queue_full"
    """As `FAILED`, because too much is in other batches of the account that have not ended."""
    GONE = "gone"
    """It has ended, and its results are no longer kept."""
    UNKNOWN = "unknown"
    """The account that the key belongs to has no such batch."""


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Where a batch stands, and why if it was refused."""

    state: BatchState
    error_kind: ErrorKind = ErrorKind.INVALID
    """Of a failed batch."""
    detail: str = ""
    """The vendor's message about it."""


@dataclass(frozen=True, slots=True)
class ListedBatch:
    """A batch in the vendor's list."""

    id: str
    requests: int
    """How many it holds, as far as the vendor's list shows it; OpenAI shows 0 while it validates a new batch."""
    label: str | None
    """What we wrote on it, where the vendor lets us (OpenAI)."""


class BatchApiError(RuntimeError):
    """A call to a batch API did not succeed."""

    def __init__(self, error_kind: ErrorKind, detail: str, retry_after: float | None = None) -> None:
        """Say what went wrong, and after how many seconds the vendor wants to be asked again."""
        super().__init__(f"{error_kind}: {detail}")
        self.error_kind = error_kind
        self.detail = detail
        self.retry_after = retry_after

    @property
    def may_have_worked(self) -> bool:
        """Whether the call may have been carried out although no reply says so."""
        return self.error_kind.is_of_the_server or self.error_kind.maybe_billed


class ResultsGoneError(RuntimeError):
    """The results of a batch are no longer kept."""


@contextmanager
def batch_errors(client: ApiClient) -> Iterator[None]:
    """Turn what `client`'s SDK raises into a BatchApiError."""
    try:
        yield
    except client.failures() as error:
        attempt = client.failed(error)
        error_kind = attempt.error_kind or ErrorKind.CONNECTION
        raise BatchApiError(error_kind, attempt.detail, attempt.limits.retry_after) from error
    except json.JSONDecodeError as error:
        raise BatchApiError(ErrorKind.BROKEN_REPLY, client.shortened(str(error))) from error


class BatchApi(Protocol):
    """One vendor's batches. Every call raises BatchApiError if it does not succeed; none is repeated by itself."""

    keeps_labels: ClassVar[bool]
    """Whether the vendor's list shows what we wrote on a batch."""

    async def create(self, rows: list[tuple[str, dict[str, Any]]], label: str) -> str:
        """Submit `(custom id, body)` rows; returns the batch's id."""
        ...

    def listed(self) -> AsyncGenerator[ListedBatch, None]:
        """The batches of the account, the newest first."""
        ...

    async def status(self, batch: str) -> BatchStatus:
        """Where the batch stands."""
        ...

    def results(self, batch: str) -> AsyncGenerator[tuple[str, AttemptResult], None]:
        """The results of an ended batch in any order, as `(custom id, what became of it)`.

        Raises:
            ResultsGoneError: they are no longer kept.
        """
        ...


def custom_id(key: str) -> str:
    """The name of the request `key` within a batch."""
    return key[:CUSTOM_ID_CHARACTERS]
