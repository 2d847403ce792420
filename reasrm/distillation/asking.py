"""Asking: every question is sent until it is settled, and every reply is in the ledger before anything else happens.

Questions are taken one after the other, never all at once, so that memory does not grow with their number. A request
that failed for a reason that passes waits (full jitter) and goes through the gate again, beside the others.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import ApiReply, AttemptResult, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.request_format import ChatPrompt
from reasrm.apis.retry_policy import backoff_seconds
from reasrm.distillation.coalesced_requests import Askers
from reasrm.distillation.cost import Estimates
from reasrm.distillation.ledger_state import LedgerState
from reasrm.distillation.quarantine import Refused, Suspense
from reasrm.distillation.questions import Case
from reasrm.distillation.rate_control.admission_control import Gate, RunStopped, StopReason, Ticket
from reasrm.distillation.request_plan import Outlook, Progress, Request, RequestPlan
from reasrm.distillation.run_statistics import Accounts
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.trace import TraceOutcome

BACKING_OFF = 256
"""Questions that may wait for a retry at once, besides those in flight."""


@dataclass
class Asking:
    """One run over a list of cases."""

    provider: ApiClient
    plan: RequestPlan
    ledger: Ledger
    gate: Gate
    accounts: Accounts
    estimates: Estimates
    attempts: int
    """How often one request may fail for reasons that usually pass."""
    most_in_flight: int
    outlook: Outlook
    """Which cases the ledger answered when the run began."""
    show: Callable[[], None]
    """Called twice a second, to show progress."""
    _open: dict[str, Askers] = field(default_factory=dict)
    """The pairs that wait for each request in flight or held, by its key: what is equal is asked once."""
    _given_up: set[str] = field(default_factory=set)
    """Keys of the requests that this run has given up."""
    _all_open: bool = False
    """Every question has been sent at least once: no others will tell whether the rate limit lets any in."""
    _suspense: Suspense = field(init=False)

    def __post_init__(self) -> None:
        self._suspense = Suspense(self.ledger.entries)

    async def run(self, cases: Iterator[Case]) -> None:
        """Ask until every case is settled or the gate is stopped; what is in flight then comes home first."""
        room = asyncio.Semaphore(self.most_in_flight + BACKING_OFF)
        ticker = asyncio.create_task(self._tick())
        try:
            async with asyncio.TaskGroup() as group:
                for case in self._unanswered(cases):
                    askers, progress = Askers.of(case), self._to_open(case)
                    if progress is None or progress.next is None:
                        await asyncio.sleep(0)
                        continue
                    await room.acquire()
                    if self.gate.stopped is not None:
                        break
                    self._open[progress.next.key] = askers
                    task = group.create_task(self._settle(case.question, progress.next, askers, progress.cut))
                    task.add_done_callback(lambda _: room.release())
                self._all_open = True
            if self.gate.stopped is None and self._suspense.held:
                self._end_suspense()
        finally:
            ticker.cancel()

    def _unanswered(self, cases: Iterator[Case]) -> Iterator[Case]:
        """The cases that the ledger did not answer when the run began: of the others not even the prompt is made."""
        return (case for place, case in enumerate(cases) if not self.outlook.was_answered(place))

    def _to_open(self, case: Case) -> Progress | None:
        """How far a case is; None if its request is open for another or was settled in this run: the case joins."""
        progress = self.plan.progress(case.question, self.ledger)
        request = progress.next
        if request is None or request.key in self._given_up:
            self._count(Askers.of(case), progress.answers[-1])
            return None
        askers = self._open.get(request.key)
        if askers is None:
            return progress
        askers.add(case)
        return None

    async def _tick(self) -> None:
        """Show progress also while nothing comes back."""
        while True:
            self.show()
            await asyncio.sleep(0.5)

    async def _settle(self, question: ChatPrompt, request: Request, askers: Askers, cut: ApiReply | None) -> None:
        """Send the requests of one question until it is settled, or held because it was called invalid."""
        try:
            while (answer := await self._ask(request, askers, cut)) is not None:
                following = None
                if answer.outcome is TraceOutcome.TRUNCATED and answer is not cut:
                    following = self.plan.progress(question, self.ledger).next
                if following is None:
                    self._settled(request.key, answer)
                    return
                self._open[following.key] = self._open.pop(request.key)
                cut, request = answer, following
        except RunStopped:
            return

    async def _ask(self, request: Request, askers: Askers, cut: ApiReply | None) -> ApiReply | None:
        """Send one request until it is answered, refused or given up.

        A rate limit counts as a failure of the request only if it let others in meanwhile, or if no others are left.

        Args:
            request: what to send.
            askers: the pairs that wait for the reply.
            cut: the reply that was cut off, if this request asks for the same with a higher token limit.

        Returns:
            What settles the question: also `cut`, if the higher limit is refused; None if the request is held.

        Raises:
            RunStopped: the run has stopped.
        """
        failures = limited = 0
        replies_then = -1
        while True:
            ticket, attempt = await self._send(request)
            if attempt.reply is not None:
                self._believe(ticket)
                return attempt.reply
            error_kind = attempt.error_kind
            assert error_kind is not None
            if error_kind is ErrorKind.INVALID:
                return self._refused(request, askers, cut, ticket, attempt.detail)
            if error_kind.stops_the_run:
                raise RunStopped
            if error_kind is ErrorKind.RATE_LIMITED:
                limited += self._all_open or self.accounts.replies > replies_then
                replies_then = self.accounts.replies
            elif not ticket.in_outage:
                failures += 1
            if max(failures, limited) >= self.attempts:
                return self._close(request.key, TraceOutcome.GAVE_UP, f"{error_kind}: {attempt.detail}")
            if error_kind is not ErrorKind.RATE_LIMITED:
                await self.gate.sleep(backoff_seconds(failures))

    def _refused(
        self, request: Request, askers: Askers, cut: ApiReply | None, ticket: Ticket, detail: str
    ) -> ApiReply | None:
        """What a request that was called invalid settles; None if it is held (`suspense.py`)."""
        if cut is not None:
            self._close(request.key, TraceOutcome.REJECTED, detail)
            return cut
        self._suspense.hold(Refused(request.key, detail, ticket.sent_at, self.gate.breaker.now, askers))
        if self._suspense.is_strange():
            self.gate.stop(StopReason.ALL_INVALID, self._suspense.told())
        return None

    def _believe(self, ticket: Ticket) -> None:
        """Something was accepted: what was refused before it was sent has been refused for good."""
        for refused in self._suspense.accepted(ticket.sent_at):
            self._reject(refused)

    def _reject(self, refused: Refused) -> None:
        self._settled(refused.key, self._close(refused.key, TraceOutcome.REJECTED, refused.detail))

    def _end_suspense(self) -> None:
        """Every question has been asked: settle what is held, or stop for it."""
        for refused in self._suspense.end():
            self._reject(refused)
        if self._suspense.held:
            self.gate.stop(StopReason.ALL_INVALID, self._suspense.told())

    def _settled(self, key: str, answer: ApiReply) -> None:
        """Count the pairs that waited for the answer to the request `key`."""
        self._count(self._open.pop(key), answer)
        if answer.asked_again:
            self._given_up.add(key)

    async def _send(self, request: Request) -> tuple[Ticket, AttemptResult]:
        """One attempt, booked before and after; a reply is in the ledger when this returns."""
        shape = self.plan.shape
        reserved = request.max_tokens if shape.reserves_output else 0
        prompt = self.estimates.prompt_tokens(request.prompt_characters)
        prices, estimates = self.plan.prices, self.estimates
        ticket = await self.gate.enter(
            prompt + reserved, estimates.output_tokens, lambda: estimates.reservation(request, prices)
        )
        loop = asyncio.get_running_loop()
        self.ledger.append(request.key, LedgerState.SENT, {"usd": ticket.usd})
        began = loop.time()
        attempt, paid = AttemptResult(error_kind=ErrorKind.CONNECTION), ticket.usd
        try:
            attempt = await self.provider.attempt(request.body)
            paid = self._book(request, attempt)
            if attempt.error_kind is not None and attempt.error_kind.maybe_billed:
                paid = ticket.usd
        finally:
            self.accounts.seconds_in_flight += loop.time() - began
            self.gate.leave(ticket, attempt, paid, settles_tokens=not shape.reserves_output)
        return ticket, attempt

    def _book(self, request: Request, attempt: AttemptResult) -> float:
        """Write what came back into the ledger and the accounts; returns dollars."""
        answer = attempt.reply
        if answer is None:
            assert attempt.error_kind is not None
            self.accounts.failed(attempt.error_kind)
            self.ledger.append(
                request.key, LedgerState.FAILED, {"trouble": attempt.error_kind.value, "detail": attempt.detail}
            )
            return 0.0
        usd = self.plan.prices.usd(answer.usage)
        self.ledger.append(request.key, FINAL, answer.as_entry() | {"usd": usd})
        self.accounts.delivered(answer, usd)
        self.estimates.learn(request.prompt_characters, answer.usage)
        return usd

    def _close(self, key: str, outcome: TraceOutcome, detail: str) -> ApiReply:
        """Settle a request that has no reply."""
        answer = ApiReply(outcome=outcome, text="", usage=Usage(), detail=detail)
        self.ledger.append(key, FINAL, answer.as_entry() | {"usd": 0.0})
        return answer

    def _count(self, askers: Askers, answer: ApiReply) -> None:
        """Count what the pairs that asked the same came to."""
        self.accounts.outcomes[answer.outcome] += askers.better.total()
        if answer.outcome is TraceOutcome.OK:
            verdict = read_verdict(answer.text)
            self.accounts.agreed += askers.better[verdict.side] if isinstance(verdict, Verdict) else 0
