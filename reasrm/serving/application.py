"""The paths of a served judge.

POST /compare      a question and its answers -> rewards (`wire_format`); also in NeMo Gym's words (`nemo_gym`)
POST /get_reward   OpenRLHF's remote reward model (`openrlhf`)
GET  /health       200 when the model is loaded, else 503
GET  /identity     which judge it is: engine, hash of its weights, prompt
GET  /metrics      Prometheus' text format
GET  /openapi.json what the paths take and give
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from reasrm.serving.access import Access
from reasrm.serving.answer_groups import AnswerGroups
from reasrm.serving.group_judging import judge_group
from reasrm.serving.judging_queue import JudgingQueue
from reasrm.serving.nemo_gym import GenRMReply, GenRMRequest, from_nemo_gym, is_nemo_gym, to_nemo_gym
from reasrm.serving.openrlhf import PromptSamples, RemoteRewardReply, RemoteRewardRequest, samples_of, to_compare
from reasrm.serving.request_reading import BodyLimits, read_json, read_record
from reasrm.serving.service_errors import ServiceError, come_again
from reasrm.serving.service_metrics import ServiceMetrics
from reasrm.serving.wire_format import CompareReply, CompareRequest, ErrorReply

JSON, PROMETHEUS = "application/json", "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
"""Stands for every path that there is not, in the metrics."""
Answer = Callable[[Request], Awaitable[Response]]
Result = TypeVar("Result")


@dataclass(frozen=True)
class JudgeService:
    """What the paths share."""

    queue: JudgingQueue
    metrics: ServiceMetrics
    access: Access
    body: BodyLimits
    timeout_seconds: float
    """A request that takes longer is given up; what it asked for is judged nevertheless."""
    special_tokens: tuple[str, ...]
    """What ends a policy's reply where OpenRLHF sends it with its special tokens."""
    groups: AnswerGroups | None
    """Where answers that come one by one wait for each other; None: they are refused."""

    async def compare(self, request: Request) -> BaseModel:
        """Rewards for the answers to one question."""
        body = await read_json(request, self.body)
        if not is_nemo_gym(body):
            return await self._within_time(judge_group(read_record(CompareRequest, body), self.queue))
        asked = read_record(CompareRequest, from_nemo_gym(read_record(GenRMRequest, body)))
        return to_nemo_gym(asked, await self._within_time(judge_group(asked, self.queue)))

    async def get_reward(self, request: Request) -> BaseModel:
        """Rewards for OpenRLHF's samples, each among those of its prompt."""
        sent = read_record(RemoteRewardRequest, await read_json(request, self.body))
        found = samples_of(sent, self.special_tokens)
        rewards = [0.0] * len(sent.query)
        for samples, given in zip(found, await _all_of([self._rewards(one) for one in found]), strict=True):
            for place, reward in zip(samples.places, given, strict=True):
                rewards[place] = reward
        return RemoteRewardReply(rewards=tuple(rewards), scores=tuple((one + 1) / 2 for one in rewards))

    async def _rewards(self, samples: PromptSamples) -> tuple[float, ...]:
        """The rewards of one prompt's samples; of a single one, when the others have come too."""
        if self.groups is not None and len(samples.answers) == 1:
            return (await self.groups.reward(samples.prompt, samples.answers[0], self.timeout_seconds),)
        return (await self._within_time(judge_group(to_compare(samples), self.queue))).rewards

    async def _within_time(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            return await asyncio.wait_for(work, self.timeout_seconds)
        except TimeoutError:
            raise ServiceError(
                HTTPStatus.GATEWAY_TIMEOUT,
                "judge",
                f"did not answer within {self.timeout_seconds:g} seconds (--timeout); the judgment is made and kept "
                "nevertheless, so the same request finds it later",
                retry_after=1,
            ) from None


def build_application(service: JudgeService) -> FastAPI:
    """The application around a service."""
    app = FastAPI(title="reasrm serve-judge", docs_url=None, redoc_url=None)
    errors: dict[int | str, dict[str, Any]] = {"default": {"model": ErrorReply, "description": "Refused"}}

    @app.post(
        "/compare", response_model=CompareReply | GenRMReply, responses=errors, openapi_extra=_takes(CompareRequest)
    )
    async def compare(request: Request) -> Response:
        """Rewards for the answers to one question, with every comparison that they were made of."""
        return _json(await service.compare(request))

    @app.post(
        "/get_reward", response_model=RemoteRewardReply, responses=errors, openapi_extra=_takes(RemoteRewardRequest)
    )
    async def get_reward(request: Request) -> Response:
        """Rewards in the words of OpenRLHF's remote reward model."""
        return _json(await service.get_reward(request))

    @app.get("/health")
    async def health() -> Response:
        """Whether the model is loaded."""
        if not service.queue.ready:
            raise come_again("service", "the model is being loaded", 1)
        return Response(b'{"status": "ready"}\n', media_type=JSON)

    @app.get("/identity")
    async def identity() -> Response:
        """Which judge it is, so that a training can refuse another one than its settings name."""
        if not service.queue.ready:
            raise come_again("service", "the model is being loaded", 1)
        return Response(orjson.dumps(service.queue.identity()), media_type=JSON)

    @app.get("/metrics")
    async def metrics() -> Response:
        """Counters in Prometheus' text format."""
        return Response(service.metrics.text(), media_type=PROMETHEUS)

    app.middleware("http")(_guard(app, service))
    app.exception_handler(HTTPException)(_refused_path)
    app.exception_handler(ServiceError)(_refused_request)
    return app


def _guard(app: FastAPI, service: JudgeService) -> Callable[[Request, Answer], Awaitable[Response]]:
    """Who asks is checked first, every refusal is one line, and all are counted."""
    known = {getattr(route, "path", "") for route in app.routes}

    async def guard(request: Request, answer: Answer) -> Response:
        began = time.monotonic()
        path = request.url.path if request.url.path in known else OTHER
        try:
            service.access.check(request)
        except ServiceError as error:
            response = _refusal(error)
        else:
            response = await answer(request)
        service.metrics.requests.labels(path, str(response.status_code)).inc()
        service.metrics.seconds.labels(path).observe(time.monotonic() - began)
        return response

    return guard


async def _refused_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return _refusal(error)


async def _refused_path(request: Request, error: Exception) -> Response:
    """No such path, or another method."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    said = f"{request.method} {request.url.path[:80]!r}: {status.phrase.lower()}; there are POST /compare and "
    return _refusal(ServiceError(status, "path", f"{said}/get_reward, GET /health, /metrics and /openapi.json"))


def _refusal(error: ServiceError) -> Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.reply.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(error.line, error.reply.status, headers, JSON)


def _json(reply: BaseModel) -> Response:
    return Response(reply.model_dump_json().encode() + b"\n", media_type=JSON)


def _takes(record: type[BaseModel]) -> dict[str, Any]:
    """The request's body in the API's description; it is read by `request_reading`."""
    return {"requestBody": {"required": True, "content": {JSON: {"schema": record.model_json_schema()}}}}


async def _all_of(work: list[Coroutine[Any, Any, Result]]) -> list[Result]:
    """All results, or the first error."""
    running = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*running))
    finally:
        for one in running:
            one.cancel()
