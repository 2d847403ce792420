"""What both vendors' batch APIs have in common, as the batch run needs it."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.error_bodies import brief
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.json_documents import Document, UnreadableBodyError, parsed

CUSTOM_ID_CHARACTERS = 40
"""Hex digits of a request's key that name it within a batch (both vendors allow 64 characters)."""

RAW_RESPONSE = "X-Stainless-Raw-Response"
"""Header by which both SDKs are asked for a response whose body is not read yet."""


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
    """Turn what `client`'s SDK raises, and what reading another answer than the API's raises, into a BatchApiError."""
    try:
        yield
    except ResultsGoneError:
        raise
    except Exception as error:  # noqa: BLE001  a server's bytes make SDK, transport and reader raise all sorts of them
        attempt = client.failed(error)
        error_kind = attempt.error_kind or ErrorKind.CONNECTION
        raise BatchApiError(error_kind, attempt.detail, attempt.limits.retry_after) from None


async def result_lines(client: ApiClient, path: str) -> AsyncGenerator[Document, None]:
    """The lines of a file of results at `path`, streamed; what is no JSON is left out, and so counts as missing.

    Raises:
        ResultsGoneError: the file is no longer there.
    """
    import httpx2

    headers = {RAW_RESPONSE: "stream"}
    try:
        response = await client.sdk.get(path, cast_to=httpx2.Response, options={"headers": headers})
    except client.errors.NotFoundError as error:
        raise ResultsGoneError(client.shortened(str(error))) from None
    try:
        async for line in _lines(response.aiter_bytes()):
            try:
                document = parsed(line, client.shortened)
            except UnreadableBodyError:
                continue
            yield document
    finally:
        await response.aclose()


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Cut a stream at line feeds alone: texts may hold whatever else Unicode calls the end of a line."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    yield rest


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


def text_field(value: Any, name: str) -> str | None:
    """A field of an object that is a text and says something; None where there is none, whatever `value` is."""
    field = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return field if isinstance(field, str) and field else None


async def listed_once(pages: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
    """The entries of a list until one comes again: a list whose pages never end is not read for ever."""
    seen: set[str] = set()
    async for entry in pages:
        name = named_id(entry)
        if name in seen:
            return
        seen.add(name)
        yield entry


def named_id(made: Any) -> str:
    """The id of a batch or file that the vendor has made or listed.

    Raises:
        ValueError: there is none: the answer is not the API's.
    """
    name = text_field(made, "id")
    if name is None:
        raise ValueError(f"no id in {brief(made)}")
    return name


def custom_id(key: str) -> str:
    """The name of the request `key` within a batch."""
    return key[:CUSTOM_ID_CHARACTERS]
