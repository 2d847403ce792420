"""Asking a served judge from another process; the standard library alone.

Who asks waits for a service that is full, loading or being restarted, and fails on everything else: a training must not
go on with rewards that nobody gave.
"""

import http.client
import json
import math
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from reasrm.serving.addresses import TOKEN, is_loopback

COMES_AGAIN = (503, 504)
"""Statuses after which the same request may be answered."""
LONGEST_PAUSE = 10.0
"""Seconds between two tries, whatever the service asks for."""


class JudgeServiceError(RuntimeError):
    """The service gives no reward; says why."""


class JudgeRefusalError(JudgeServiceError):
    """The service refuses what is asked, and would refuse the same again; says why."""


@dataclass(frozen=True)
class JudgeClient:
    """A served judge at an address."""

    url: str
    """As `reasrm serve-judge` prints it."""
    patience_seconds: float = 600.0
    """How long a request is sent again while the service is full, loading or out of reach."""
    timeout_seconds: float = 300.0
    """How long one reply is waited for; at least the service's own --timeout."""
    token: str | None = field(default_factory=lambda: os.environ.get(TOKEN), repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no address.

        Raises:
            ValueError: the address is not of the form http://HOST:PORT.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{self.url!r} is no address of a served judge: write it as http://127.0.0.1:8765")

    def compare(self, prompt: str | list[dict[str, Any]], answers: list[str], **options: Any) -> dict[str, Any]:
        """The reply of `POST /compare`, which has one of `rewards` for each of `answers`.

        Args:
            prompt: the question, or a conversation that ends with it.
            answers: two or more.
            options: other fields of the request (`scheme`).

        Raises:
            JudgeServiceError: it refuses the request, or did not come back in time.
        """
        reply = self.post("/compare", {"prompt": prompt, "answers": answers, **options})
        rewards = reply.get("rewards")
        numbers = isinstance(rewards, list) and all(type(one) in {int, float} and math.isfinite(one) for one in rewards)
        if not numbers or len(rewards or ()) != len(answers):
            raise JudgeServiceError(f"{self.url}: gives no reward for each of {len(answers)} answers; is it the judge?")
        return reply

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a path replies to `body`, after as many tries as it takes.

        Raises:
            JudgeServiceError: it refuses the request, or did not come back in time.
        """
        try:
            data = json.dumps(body, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise JudgeServiceError(f"what is to be judged is no text: {error}") from error
        return self._patiently(path, data)

    def _patiently(self, path: str, data: bytes | None) -> dict[str, Any]:
        """What a path replies, to `data` or to nothing (GET), after as many tries as it takes."""
        give_up, tries = time.monotonic() + self.patience_seconds, 0
        while True:
            tries += 1
            try:
                return self._once(path, data)
            except _PassingError as error:
                pause = min(LONGEST_PAUSE, error.retry_after or 0.2 * 2 ** min(tries, 6))
                if time.monotonic() + pause > give_up:
                    raise JudgeServiceError(
                        f"{self.url}: {error} (tried {tries} times in {self.patience_seconds:g} s)"
                    ) from error
                time.sleep(pause)

    def identity(self) -> dict[str, Any]:
        """Which judge is served (`GET /identity`): its engine with the hash of its weights, its prompt.

        Raises:
            JudgeServiceError: it refuses, or did not come back in time.
        """
        return self._patiently("/identity", None)

    def _once(self, path: str, data: bytes | None) -> dict[str, Any]:
        headers = {} if data is None else {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url.rstrip("/") + path, data, headers)  # noqa: S310  http(s), checked above
        try:
            with self._opener().open(request, timeout=self.timeout_seconds) as response:
                reply = json.loads(response.read())
        except urllib.error.HTTPError as error:
            said = _said(error)
            if error.code in COMES_AGAIN:
                raise _PassingError(said, _seconds(error.headers.get("Retry-After"))) from error
            kind = JudgeRefusalError if error.code < HTTPStatus.INTERNAL_SERVER_ERROR else JudgeServiceError
            raise kind(f"{self.url}{path}: {error.code}: {said}") from error
        except (OSError, http.client.HTTPException) as error:
            raise _PassingError(f"out of reach ({getattr(error, 'reason', error) or type(error).__name__})") from error
        except ValueError as error:
            raise JudgeServiceError(
                f"{self.url}{path}: replies with something else than JSON; is it the judge?"
            ) from error
        if not isinstance(reply, dict):
            raise JudgeServiceError(f"{self.url}{path}: replies with something else than an object; is it the judge?")
        return reply

    def _opener(self) -> urllib.request.OpenerDirector:
        """Follows no redirect, which would carry the token elsewhere; loopback is reached without a proxy."""
        opener = urllib.request.OpenerDirector()
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ]
        if not is_loopback(urlsplit(self.url).hostname or ""):
            handlers.append(urllib.request.ProxyHandler())
        for handler in handlers:
            opener.add_handler(handler)
        return opener


class _PassingError(Exception):
    """The same request may be answered later."""

    def __init__(self, said: str, retry_after: float | None = None) -> None:
        super().__init__(said)
        self.retry_after = retry_after


def _said(error: urllib.error.HTTPError) -> str:
    """What the service says of an error, and where."""
    try:
        body = json.loads(error.read())
        return f"{body['where']}: {body['error']}"
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return str(error.reason)


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
