"""Asking: every question is sent until it is settled, and every reply is in the ledger before anything else happens.

Questions are taken one after the other, never all at once, so that memory does not grow with their number. A request
that failed for a reason that passes waits (full jitter) and goes through the gate again, beside the others.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stages.judging.verdict import Verdict, read_verdict
from stages.oracle.accounts import Accounts
from stages.oracle.attempt import Answer, Attempt, Provider, Trouble, Usage
from stages.oracle.cases import Case
from stages.oracle.gate import Gate, RunStopped, StopReason, Ticket, Waiting
from stages.oracle.ledger_state import LedgerState
from stages.oracle.money import Estimates
from stages.oracle.plan import Request, RequestPlan
from stages.records.ledger import FINAL, Ledger
from stages.records.trace import TraceOutcome

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
"""Seconds; a retry waits a random time up to the first, doubled with each attempt, up to the longest (full jitter)."""
ALL_INVALID = 20
"""If so many requests come back invalid before any other reply, the settings are wrong and the run stops."""
BACKING_OFF = 256
"""Questions that may wait for a retry at once, besides those in flight."""


@dataclass(frozen=True)
class Asking:
    """One run over a list of cases."""

    provider: Provider
    plan: RequestPlan
    ledger: Ledger
    gate: Gate
    accounts: Accounts
    estimates: Estimates
    attempts: int
    """How often one request may fail for reasons that usually pass."""
    most_in_flight: int
    show: Callable[[], None]
    """Called twice a second, to show progress."""

    async def run(self, cases: Iterator[Case]) -> None:
        """Ask until every case is settled or the gate is stopped; what is in flight then comes home first."""
        room = asyncio.Semaphore(self.most_in_flight + BACKING_OFF)
        ticker = asyncio.create_task(self._tick())
        try:
            async with asyncio.TaskGroup() as group:
                for case in cases:
                    request = self.plan.progress(case.question, self.ledger).next
                    if request is None:
                        continue
                    await room.acquire()
                    if self.gate.stopped is not None:
                        break
                    task = group.create_task(self._settle(case, request))
                    task.add_done_callback(lambda _: room.release())
        finally:
            ticker.cancel()

    async def _tick(self) -> None:
        """Show progress also while nothing comes back."""
        while True:
            self.show()
            await asyncio.sleep(0.5)

    async def _settle(self, case: Case, request: Request | None) -> None:
        """Send the requests of one question until it is settled."""
        answer = None
        try:
            while request is not None:
                answer = await self._ask(request)
                request = None
                if answer.outcome is TraceOutcome.TRUNCATED:
                    request = self.plan.progress(case.question, self.ledger).next
        except RunStopped:
            return
        if answer is not None:
            self._count(case, answer)

    async def _ask(self, request: Request) -> Answer:
        """Send one request until it is answered, rejected or given up."""
        failures = 0
        while True:
            ticket, attempt = await self._send(request)
            if attempt.answer is not None:
                return attempt.answer
            trouble = attempt.trouble
            assert trouble is not None
            if trouble is Trouble.INVALID:
                return self._close(request, TraceOutcome.REJECTED, attempt.detail)
            if trouble.stops_the_run:
                raise RunStopped
            if trouble is not Trouble.RATE_LIMITED and not ticket.in_outage:
                failures += 1
            if failures >= self.attempts:
                return self._close(request, TraceOutcome.GAVE_UP, f"{trouble}: {attempt.detail}")
            if trouble is not Trouble.RATE_LIMITED:
                await self.gate.sleep(backoff_seconds(failures))

    async def _send(self, request: Request) -> tuple[Ticket, Attempt]:
        """One attempt, booked before and after; a reply is in the ledger when this returns."""
        shape = self.plan.shape
        reserved = request.max_tokens if shape.reserves_output else 0
        prompt = self.estimates.prompt_tokens(request.prompt_characters)
        bound = Usage(input_tokens=round(prompt), output_tokens=min(request.max_tokens, self.estimates.output_bound))
        ticket = await self.gate.enter(prompt + reserved, self.estimates.output_tokens, self.plan.prices.usd(bound))
        loop = asyncio.get_running_loop()
        self.ledger.append(request.key, LedgerState.SENT, {})
        began = loop.time()
        attempt, paid = Attempt(trouble=Trouble.CONNECTION), 0.0
        try:
            attempt = await self.provider.attempt(request.body)
            paid = self._book(request, attempt)
        finally:
            self.accounts.seconds_in_flight += loop.time() - began
            self.gate.leave(ticket, attempt, paid, settles_tokens=not shape.reserves_output)
        return ticket, attempt

    def _book(self, request: Request, attempt: Attempt) -> float:
        """Write what came back into the ledger and the accounts; returns dollars."""
        answer = attempt.answer
        if answer is None:
            assert attempt.trouble is not None
            self.accounts.failed(attempt.trouble)
            self.ledger.append(
                request.key, LedgerState.FAILED, {"trouble": attempt.trouble.value, "detail": attempt.detail}
            )
            return 0.0
        usd = self.plan.prices.usd(answer.usage)
        self.ledger.append(request.key, FINAL, answer.as_entry() | {"usd": usd})
        self.accounts.delivered(answer, usd)
        self.estimates.learn(request.prompt_characters, answer.usage)
        return usd

    def _close(self, request: Request, outcome: TraceOutcome, detail: str) -> Answer:
        """Settle a request that has no reply."""
        answer = Answer(outcome=outcome, text="", usage=Usage(), detail=detail)
        self.ledger.append(request.key, FINAL, answer.as_entry() | {"usd": 0.0})
        return answer

    def _count(self, case: Case, answer: Answer) -> None:
        outcomes = self.accounts.outcomes
        outcomes[answer.outcome] += 1
        if answer.outcome is TraceOutcome.OK:
            verdict = read_verdict(answer.text)
            self.accounts.agreed += isinstance(verdict, Verdict) and verdict.side is case.comparison.better
        if outcomes[TraceOutcome.REJECTED] == outcomes.total() >= ALL_INVALID:
            self.gate.stop(StopReason.ALL_INVALID, answer.detail)


def backoff_seconds(failures: int) -> float:
    """How long a request waits after its `failures`-th failure: full jitter."""
    return random.uniform(0, min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** max(0, failures - 1)))


def live_line(total: int, answered_before: int, accounts: Accounts, gate: Gate) -> str:
    """One line on how far a run is, how fast, and what it waits for."""
    done = answered_before + accounts.outcomes.total()
    settled = max(1, accounts.outcomes.total())
    ok = accounts.outcomes[TraceOutcome.OK]
    rate = accounts.replies_per_second
    limit = gate.pacer.requests_per_second
    budget = gate.budget
    parts = [
        f"{done}/{total}",
        f"ok {100 * ok / settled:.0f}%",
        f"right {100 * accounts.agreed / max(1, ok):.0f}%",
        f"{gate.in_flight} in flight",
        f"{rate:.1f}/s" + (f" of {limit:.0f}/s" if limit else ""),
        *(f"{count} {trouble}" for trouble, count in sorted(accounts.troubles.items())),
        f"${budget.spent_usd:.2f}" + (f" of ${budget.limit_usd:.2f}" if budget.limit_usd is not None else ""),
    ]
    if gate.waiting in (Waiting.RETRY_AFTER, Waiting.SERVER_DOWN, Waiting.BUDGET):
        seconds = max(gate.pacer.paused_seconds, gate.breaker.seconds_until_probe)
        parts.append(f"waiting for {gate.waiting}" + (f" ({seconds:.0f} s)" if seconds else ""))
    elif rate:
        parts.append(f"{(total - done) / rate:.0f} s left")
    return ", ".join(parts)
