"""A batch API may answer anything, over real HTTP: each call gives what it promises or raises a BatchApiError."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.batches.anthropic import AnthropicBatchApi
from reasrm.apis.batches.api import BatchApi, BatchApiError, BatchState, BatchStatus, ListedBatch, ResultsGoneError
from reasrm.apis.batches.openai import OpenAIBatchApi
from reasrm.apis.clients import open_client
from reasrm.apis.connection import Connection
from reasrm.apis.request_format import ApiProtocol
from tests.fixtures.odd_service import ANY_JSON, OddService, json_bytes, mutated, odd_service

BATCHES: dict[ApiProtocol, dict[str, Any]] = {
    ApiProtocol.OPENAI: {
        "id": "b", "object": "batch", "status": "completed", "output_file_id": "f", "errors": None,
        "request_counts": {"total": 1, "completed": 1, "failed": 0}, "metadata": {"reasrm": "x"},
        "data": [{"id": "b", "object": "batch"}], "has_more": False,
    },
    ApiProtocol.ANTHROPIC: {
        "id": "b", "type": "message_batch", "processing_status": "ended", "results_url": "https://elsewhere.invalid/",
        "request_counts": {"processing": 0, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0},
        "data": [{"id": "b", "request_counts": {"succeeded": 1}}], "has_more": False,
    },
}  # fmt: skip
"""What any call of either vendor's API may be answered with."""


@pytest.fixture
def service() -> Iterator[OddService]:
    with odd_service() as one:
        yield one


Calls = Callable[[], list[Any]]


@contextmanager
def calls(service: OddService, protocol: ApiProtocol) -> Iterator[Calls]:
    """Make every call of the API over one client."""
    with asyncio.Runner() as runner:
        client: Any = open_client(protocol, Connection(5, 1, local_url=service.url))
        api = AnthropicBatchApi(client) if protocol is ApiProtocol.ANTHROPIC else OpenAIBatchApi(client)
        yield lambda: runner.run(every_call(api))
        runner.run(client.close())


async def every_call(api: BatchApi) -> list[Any]:
    """What each call gives, or the error that it raises."""

    async def listed() -> list[ListedBatch]:
        return [one async for one in api.listed()]

    async def results() -> list[tuple[str, AttemptResult]]:
        return [row async for row in api.results("b")]

    came: list[Any] = []
    for call in (api.create([("c", {"model": "m"})], "x"), listed(), api.status("b"), results()):
        try:
            came.append(await call)
        except (BatchApiError, ResultsGoneError) as error:
            came.append(error)
    return came


@pytest.mark.parametrize("protocol", BATCHES)
def test_whatever_a_batch_api_answers_is_of_its_kind(service: OddService, protocol: ApiProtocol) -> None:
    with calls(service, protocol) as make_all:

        @settings(max_examples=40)
        @given(mutated(BATCHES[protocol]) | ANY_JSON)
        def check(body: Any) -> None:
            service.body = json_bytes(body)
            made, listed, status, results = make_all()
            assert isinstance(made, str | BatchApiError)
            assert isinstance(listed, BatchApiError) or all(isinstance(one, ListedBatch) for one in listed)
            assert isinstance(status, BatchApiError | BatchStatus)
            errors = (BatchApiError, ResultsGoneError)
            assert isinstance(results, errors) or all(isinstance(result, AttemptResult) for _, result in results)

        check()


def test_results_are_taken_from_the_api_itself_wherever_a_batch_says_they_are(service: OddService) -> None:
    line = {"custom_id": "c", "result": {"type": "canceled"}}
    service.body = b"\n".join(
        [json_bytes(BATCHES[ApiProtocol.ANTHROPIC] | line), b"{", b"", b"[]", json_bytes({"a": 1})]
    )
    with calls(service, ApiProtocol.ANTHROPIC) as make_all:
        *_, results = make_all()
    assert [(name, result.detail) for name, result in results] == [("c", "canceled")]


def test_a_batch_of_an_unknown_state_is_still_running(service: OddService) -> None:
    service.body = json_bytes(BATCHES[ApiProtocol.OPENAI] | {"status": "paused"})
    with calls(service, ApiProtocol.OPENAI) as make_all:
        _, _, status, _ = make_all()
    assert status.state is BatchState.RUNNING
