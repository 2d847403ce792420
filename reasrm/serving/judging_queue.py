"""Comparisons of many requests, judged together: a bounded queue, and one thread that asks the judge about a batch.

A batch begins with the first comparison that waits and is judged when it is full, or when that one has waited long
enough. A comparison that is kept already is answered at once, one that waits or is being judged is waited for, so
nothing is judged twice. Who gives up waiting changes nothing: what waits is judged and kept for the next one.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from reasrm.evaluation.judge import Judge
from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.vocabulary import UnknownWordsError
from reasrm.judging.prompt import PLAIN_COMPARISON
from reasrm.records.comparison import Comparison
from reasrm.records.judgment import ComparisonJudgment
from reasrm.runtime.stage_main import StageError, StoppedResumable
from reasrm.runtime.terminal import say_error
from reasrm.serving.judging_thread import JudgingThread
from reasrm.serving.kept_judgments import KeptJudgments
from reasrm.serving.service_errors import ServiceError, come_again, unprocessable
from reasrm.serving.service_metrics import ServiceMetrics

Waiting = asyncio.Future[ComparisonJudgment]
UNKNOWN_WORDS = "unknown_words"
"""Why a comparison was not asked."""
SECONDS_OF_LOADING = 2.0
"""When a client may come again while the model is being loaded."""
SECONDS_AFTER_AN_OUTAGE = 10.0
"""When a client may come again if the judge's own service is out of reach."""


@dataclass(frozen=True)
class QueueLimits:
    """How comparisons wait."""

    most_waiting: int
    """Comparisons that wait; more are refused."""
    batch: int
    """Comparisons that are judged together at most."""
    wait_seconds: float
    """How long the first of a batch waits for others."""


@dataclass
class _Entry:
    key: str
    comparison: Comparison
    answer: Waiting
    since: float = field(default_factory=time.monotonic)


class JudgingQueue:
    """The queue in front of one judge; belongs to one event loop."""

    def __init__(self, judge: Judge, kept: KeptJudgments, limits: QueueLimits, metrics: ServiceMetrics) -> None:
        """Nothing is judged before `run`."""
        self._judge = judge
        self._kept = kept
        self._limits = limits
        self._metrics = metrics
        self._entries: deque[_Entry] = deque()
        self._pending: dict[str, Waiting] = {}
        self._arrived = asyncio.Event()
        self._thread = JudgingThread()
        self.ready = False
        """Whether the model is loaded."""
        self._stopping = False
        self._seconds_each = 0.05
        """Of judging one comparison, as lately measured."""
        # A checkpoint's replies depend on its batch, so they are kept by comparison alone; a service's do not, and each
        # is paid for, so each is kept as soon as it has come.
        self._runs_here = not isinstance(judge, TextJudge) or judge.runs_here
        self._reply_ledger = None if self._runs_here else kept.ledger

    @property
    def gives_scores(self) -> bool:
        """Whether the judge scores answers by themselves."""
        return isinstance(self._judge, ScalarJudge)

    def identity(self) -> dict[str, Any]:
        """The judge's (`Judge.identity`), and how its replies are drawn, but for the seeds."""
        drawn = self._judge.samplings if isinstance(self._judge, TextJudge) else ()
        return {**self._judge.identity(), "samplings": [one.model_dump(mode="json", exclude={"seed"}) for one in drawn]}

    async def load(self) -> None:
        """Load a checkpoint and let it judge a plain comparison; of a service nothing is asked.

        Raises:
            StageError: the judge cannot be used; says why.
        """
        await self._thread.call(self._load)
        self.ready = True

    def submit(self, comparisons: Sequence[Comparison]) -> tuple[list[Waiting], int]:
        """A future of each comparison's judgment, and how many have to be judged for it.

        Raises:
            ServiceError: they do not fit into the queue, or the service stops; none of them waits then.
        """
        if not self.ready:
            raise come_again("service", "the model is being loaded", SECONDS_OF_LOADING)
        keys = [self._kept.key(one) for one in comparisons]
        keyed = dict(zip(keys, comparisons, strict=True))
        found = {key: self._found(key) for key in keyed}
        new = [key for key, answer in found.items() if answer is None]
        if new and self._stopping:
            raise come_again("service", "stopping: send the request again when the service is back", 1)
        if new and len(self._entries) + len(new) > self._limits.most_waiting:
            raise self._full(len(new))
        for key in new:
            entry = _Entry(key, keyed[key], asyncio.get_running_loop().create_future())
            entry.answer.add_done_callback(_take_notice)
            self._entries.append(entry)
            found[key] = self._pending[key] = entry.answer
        self._metrics.waiting.set(len(self._entries))
        self._metrics.comparisons.labels("judged").inc(len(new))
        self._metrics.comparisons.labels("kept").inc(len(keyed) - len(new))
        if new:
            self._arrived.set()
        return [answer for key in keys if (answer := found[key])], len(new)

    async def run(self) -> None:
        """Judge batch after batch until `stop`; what is being judged then is judged to its end."""
        loop = asyncio.get_running_loop()
        while not self._stopping:
            if not self._entries:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            until = self._entries[0].since + self._limits.wait_seconds
            while len(self._entries) < self._limits.batch and time.monotonic() < until and not self._stopping:
                self._arrived.clear()
                await _set_within(self._arrived, until - time.monotonic())
            if self._stopping:
                break
            size = min(self._limits.batch, len(self._entries))
            batch = [self._entries.popleft() for _ in range(size)]
            self._metrics.waiting.set(len(self._entries))
            began = time.monotonic()
            await self._thread.call(partial(self._judge_batch, loop, batch))
            self._seconds_each = 0.7 * self._seconds_each + 0.3 * (time.monotonic() - began) / size
            self._metrics.batch_size.observe(size)

    def stop(self) -> None:
        """Take nothing more; what waits is refused, what is being judged is judged to its end."""
        self._stopping = True
        self._arrived.set()
        while self._entries:
            entry = self._entries.popleft()
            self._settle(entry, come_again("service", "stopping: send the request again when the service is back", 1))
        self._metrics.waiting.set(0)

    def _found(self, key: str) -> Waiting | None:
        """The judgment that is kept or on its way."""
        if key in self._pending:
            return self._pending[key]
        judgment = self._kept.get(key)
        if judgment is None:
            return None
        answer: Waiting = asyncio.get_running_loop().create_future()
        answer.set_result(judgment)
        return answer

    def _full(self, new: int) -> ServiceError:
        most, waiting = self._limits.most_waiting, len(self._entries)
        if new > most:
            return unprocessable(
                "answers",
                f"make {new:,} comparisons, and no more than {most:,} may wait: send fewer answers, or "
                "start the service with a larger --queue",
            )
        seconds = min(60.0, waiting * self._seconds_each)
        return come_again("queue", f"full: {waiting:,} of {most:,} comparisons wait; {new:,} more do not fit", seconds)

    def _load(self) -> None:
        self._kept.identify()
        if self._runs_here:
            list(self._judge.judge([PLAIN_COMPARISON]))

    def _judge_batch(self, loop: asyncio.AbstractEventLoop, batch: list[_Entry]) -> None:
        """Judge in the judge's thread; every entry is settled in the loop's."""
        left = {entry.key: entry for entry in batch}

        def settle(entry: _Entry, result: ComparisonJudgment | ServiceError) -> None:
            del left[entry.key]
            loop.call_soon_threadsafe(self._settle, entry, result)

        try:
            readable = []
            for entry in batch:
                unasked = self._unasked(entry.comparison)
                if unasked is None:
                    readable.append(entry)
                else:
                    settle(entry, unasked)
            judgments = self._judge.judge([entry.comparison for entry in readable], self._reply_ledger)
            for entry, judgment in zip(readable, judgments, strict=True):
                self._kept.keep(entry.key, judgment)
                settle(entry, judgment)
        except Exception as error:  # noqa: BLE001  the service goes on; every request that waits is told
            say_error("reasrm serve-judge", f"{len(left)} comparisons were not judged: {error or type(error).__name__}")
            loop.call_soon_threadsafe(self._fail, list(left.values()), _as_service_error(error))

    def _unasked(self, comparison: Comparison) -> ComparisonJudgment | ServiceError | None:
        """What stands for the judgment of texts with words that the judge never learnt; None if it knows all.

        In a question they are the client's mistake, in an answer they may be a policy's babble: that has no verdict,
        and the other answers are judged.
        """
        if not self._judge.unknown_words(comparison):
            return None
        try:
            self._judge.require_known_words([comparison.model_copy(update={"response_a": "", "response_b": ""})])
        except UnknownWordsError as error:
            return unprocessable("prompt", str(error))
        return ComparisonJudgment(verdict=None, unreadable=UNKNOWN_WORDS)

    def _fail(self, entries: list[_Entry], error: ServiceError) -> None:
        """At once: who comes again after the first error must not meet one of the same failure that still waits."""
        for entry in entries:
            self._settle(entry, error)

    def _settle(self, entry: _Entry, result: ComparisonJudgment | ServiceError) -> None:
        self._pending.pop(entry.key, None)
        if isinstance(result, ServiceError):
            entry.answer.set_exception(result)
            return
        entry.answer.set_result(result)
        self._metrics.count_judgment(result)


def _as_service_error(error: Exception) -> ServiceError:
    if isinstance(error, StoppedResumable):
        return come_again("judge", str(error), SECONDS_AFTER_AN_OUTAGE)
    if isinstance(error, StageError):
        return ServiceError(HTTPStatus.BAD_GATEWAY, "judge", str(error))
    return ServiceError(HTTPStatus.INTERNAL_SERVER_ERROR, "judge", f"{type(error).__name__}: {error}")


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until `event` is set, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), max(0.0, seconds))
    except TimeoutError:
        return


def _take_notice(answer: Waiting) -> None:
    """Where nobody waits any more, an error is nobody's surprise."""
    if not answer.cancelled():
        answer.exception()
