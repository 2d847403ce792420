"""Asking online: each question is sent until it is settled; a reply is in the ledger before anything else happens.

Questions are taken one after the other, never all at once, so that memory does not grow with their number. A request
that failed for a reason that passes waits (full jitter) and goes through admission control again, beside the others.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import ApiReply, AttemptResult, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.request_format import ChatPrompt
from reasrm.apis.retry_policy import backoff_seconds
from reasrm.distillation.cost_estimate import CostEstimate
from reasrm.distillation.ledger_entries import LedgerState, failed_entry
from reasrm.distillation.quarantine import Quarantine, RefusedRequest
from reasrm.distillation.questions import CoalescedRequests, OracleQuestion
from reasrm.distillation.rate_control.admission_control import AdmissionControl, Reservation
from reasrm.distillation.request_plan import Progress, Request, RequestPlan
from reasrm.distillation.run_statistics import RunStatistics, RunStopped, StopReason
from reasrm.distillation.spend_budget import TokenEstimates
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.trace import TraceOutcome

BACKING_OFF = 256
"""Questions that may wait for a retry at once, besides those in flight."""


@dataclass
class Asking:
    """One online run over a list of questions."""

    client: ApiClient
    plan: RequestPlan
    ledger: Ledger
    admission: AdmissionControl
    statistics: RunStatistics
    tokens: TokenEstimates
    attempts: int
    """How often one request may fail for reasons that usually pass."""
    most_in_flight: int
    estimate: CostEstimate
    """Which questions the ledger answered when the run began."""
    show: Callable[[], None]
    """Called twice a second, to show progress."""
    _open: dict[str, CoalescedRequests] = field(default_factory=dict)
    """The questions that wait for each request in flight or in quarantine, by its key: what is equal is asked once."""
    _given_up: set[str] = field(default_factory=set)
    """Keys of the requests that this run has given up."""
    _last_detail: str = ""
    """Why the last of them was given up."""
    _all_open: bool = False
    """Every question has been sent at least once: no others will show whether the rate limit lets any in."""
    _quarantine: Quarantine = field(init=False)

    def __post_init__(self) -> None:
        self._quarantine = Quarantine(self.ledger.entries)

    async def run(self, questions: Iterator[OracleQuestion]) -> None:
        """Ask until every question is settled or the run is stopped; what is in flight then is waited for.

        A run in which no request has got a reply has stopped for an outage: nothing done is no success.
        """
        slots = asyncio.Semaphore(self.most_in_flight + BACKING_OFF)
        ticker = asyncio.create_task(self._tick())
        try:
            async with asyncio.TaskGroup() as group:
                for question in self._unanswered(questions):
                    coalesced, progress = CoalescedRequests.of(question), self._to_open(question)
                    if progress is None or progress.next is None:
                        await asyncio.sleep(0)
                        continue
                    await slots.acquire()
                    if self.admission.stopped is not None:
                        break
                    self._open[progress.next.key] = coalesced
                    task = group.create_task(self._settle(question.prompt, progress.next, coalesced, progress.cut))
                    task.add_done_callback(lambda _: slots.release())
                self._all_open = True
            if self.admission.stopped is None and self._quarantine.held:
                self._end_quarantine()
            if self.admission.stopped is None and self._given_up and not self.statistics.replies:
                self.admission.stop(StopReason.OUTAGE, f"no request has got a reply, the last: {self._last_detail}")
        finally:
            ticker.cancel()

    def _unanswered(self, questions: Iterator[OracleQuestion]) -> Iterator[OracleQuestion]:
        """What the ledger did not answer when the run began: of the other questions not even the prompt is made."""
        return (question for place, question in enumerate(questions) if not self.estimate.was_answered(place))

    def _to_open(self, question: OracleQuestion) -> Progress | None:
        """How far a question is; None if its request was settled in this run, or is open for another: it joins."""
        progress = self.plan.progress(question.prompt, self.ledger)
        request = progress.next
        if request is None or request.key in self._given_up:
            self._count(CoalescedRequests.of(question), progress.answers[-1])
            return None
        coalesced = self._open.get(request.key)
        if coalesced is None:
            return progress
        coalesced.add(question)
        return None

    async def _tick(self) -> None:
        """Show progress also while nothing comes back."""
        while True:
            self.show()
            await asyncio.sleep(0.5)

    async def _settle(
        self, prompt: ChatPrompt, request: Request, coalesced: CoalescedRequests, cut: ApiReply | None
    ) -> None:
        """Send the requests of one prompt until it is settled, or in quarantine because it was called invalid."""
        try:
            while (answer := await self._ask(request, coalesced, cut)) is not None:
                following = None
                if answer.outcome is TraceOutcome.TRUNCATED and answer is not cut:
                    following = self.plan.progress(prompt, self.ledger).next
                if following is None:
                    self._settled(request.key, answer)
                    return
                self._open[following.key] = self._open.pop(request.key)
                cut, request = answer, following
        except RunStopped:
            return

    async def _ask(self, request: Request, coalesced: CoalescedRequests, cut: ApiReply | None) -> ApiReply | None:
        """Send one request until it is answered, refused or given up.

        A rate limit counts as a failure of the request only if it let others in meanwhile, or if no others are left.

        Args:
            request: what to send.
            coalesced: the questions that wait for the reply.
            cut: the reply that was cut off, if this request asks for the same with a higher token limit.

        Returns:
            What settles the questions: also `cut`, if the higher limit is refused; None if the request is held in
            quarantine.

        Raises:
            RunStopped: the run has stopped.
        """
        failures = limited = 0
        replies_then = -1
        while True:
            reservation, attempt = await self._send(request)
            if attempt.reply is not None:
                self._confirm(reservation)
                return attempt.reply
            error_kind = attempt.error_kind
            assert error_kind is not None
            if error_kind is ErrorKind.INVALID:
                return self._refused(request, coalesced, cut, reservation, attempt.detail)
            if error_kind.stops_the_run:
                raise RunStopped(StopReason(error_kind.value), attempt.detail)
            if error_kind is ErrorKind.RATE_LIMITED:
                limited += self._all_open or self.statistics.replies > replies_then
                replies_then = self.statistics.replies
            elif not reservation.is_probe:
                failures += 1
            if max(failures, limited) >= self.attempts:
                return self._close(request.key, TraceOutcome.GAVE_UP, f"{error_kind}: {attempt.detail}")
            if error_kind is not ErrorKind.RATE_LIMITED:
                await self.admission.sleep(backoff_seconds(failures))

    def _refused(
        self,
        request: Request,
        coalesced: CoalescedRequests,
        cut: ApiReply | None,
        reservation: Reservation,
        detail: str,
    ) -> ApiReply | None:
        """What a request that was called invalid settles; None if it is held (`quarantine.py`)."""
        if cut is not None:
            self._close(request.key, TraceOutcome.REJECTED, detail)
            return cut
        number, sent_at, now = reservation.number, reservation.sent_at, self.admission.breaker.now
        self._quarantine.hold(RefusedRequest(request.key, detail, number, sent_at, now, coalesced))
        if self._quarantine.is_suspicious(self.admission.numbers_in_flight):
            self.admission.stop(StopReason.ALL_INVALID, self._quarantine.message())
        return None

    def _confirm(self, reservation: Reservation) -> None:
        """A request was accepted: what was refused before it was sent has been refused for good."""
        for refused in self._quarantine.accepted(reservation.number, reservation.sent_at):
            self._reject(refused)

    def _reject(self, refused: RefusedRequest) -> None:
        self._settled(refused.key, self._close(refused.key, TraceOutcome.REJECTED, refused.detail))

    def _end_quarantine(self) -> None:
        """Every question has been asked: settle what is in quarantine, or stop for it."""
        for refused in self._quarantine.end():
            self._reject(refused)
        if self._quarantine.held:
            self.admission.stop(StopReason.ALL_INVALID, self._quarantine.message())

    def _settled(self, key: str, answer: ApiReply) -> None:
        """Count the questions that waited for the answer to the request `key`."""
        self._count(self._open.pop(key), answer)
        if answer.asked_again:
            self._given_up.add(key)
            self._last_detail = answer.detail

    async def _send(self, request: Request) -> tuple[Reservation, AttemptResult]:
        """One attempt, in the ledger before it goes out; a reply is in the ledger when this returns."""
        prices, tokens, reserves_output = self.plan.prices, self.tokens, self.plan.format.reserves_output
        reserved = request.max_tokens if reserves_output else 0
        prompt = tokens.prompt_tokens(request.prompt_characters)
        reservation = await self.admission.admit(
            prompt + reserved, tokens.output_tokens, lambda: tokens.cost_bound(request, prices)
        )
        loop = asyncio.get_running_loop()
        self.ledger.append(request.key, LedgerState.SENT, {"usd": reservation.usd})
        began = loop.time()
        attempt, paid = AttemptResult(error_kind=ErrorKind.CONNECTION), reservation.usd
        try:
            attempt = await self.client.attempt(request.body)
            paid = self._record(request, attempt)
            if attempt.error_kind is not None and attempt.error_kind.maybe_billed:
                paid = reservation.usd
        finally:
            self.statistics.seconds_in_flight += loop.time() - began
            self.admission.release(reservation, attempt, paid, settles_tokens=not reserves_output)
        return reservation, attempt

    def _record(self, request: Request, attempt: AttemptResult) -> float:
        """Write what came back into ledger and statistics; returns dollars, 0 if the price is not known."""
        answer = attempt.reply
        if answer is None:
            assert attempt.error_kind is not None
            self.statistics.failed(attempt.error_kind)
            self.ledger.append(request.key, LedgerState.FAILED, failed_entry(attempt))
            return 0.0
        usd = self.plan.usd(answer.usage)
        self.ledger.append(request.key, FINAL, answer.as_entry() | {"usd": usd})
        self.statistics.delivered(answer, usd)
        self.tokens.learn(request.prompt_characters, answer.usage)
        return usd or 0.0

    def _close(self, key: str, outcome: TraceOutcome, detail: str) -> ApiReply:
        """Settle a request that has no reply."""
        answer = ApiReply(outcome=outcome, text="", usage=Usage(), detail=detail)
        self.ledger.append(key, FINAL, answer.as_entry() | {"usd": 0.0})
        return answer

    def _count(self, coalesced: CoalescedRequests, answer: ApiReply) -> None:
        """Count what the questions with this answer came to."""
        self.statistics.outcomes[answer.outcome] += coalesced.better.total()
        if answer.outcome is TraceOutcome.OK:
            verdict = read_verdict(answer.text)
            self.statistics.agreed += coalesced.better[verdict.side] if isinstance(verdict, Verdict) else 0
