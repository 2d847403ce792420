"""One pass from questions to traces: ask what the ledger does not answer, then write; or say what is still to come.

The stage `distill_traces` and the command `reasrm oracle` are two doors to this.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from reasrm.distillation.batch.batch_run import ask_in_batches
from reasrm.distillation.online_run import Cases, Ended, Endpoint, Oracle, ask_online, open_ledger
from reasrm.distillation.possibly_billed import maybe_billed_unseen
from reasrm.distillation.questions import Case
from reasrm.distillation.rate_control.admission_control import StopReason
from reasrm.distillation.request_plan import look_ahead
from reasrm.distillation.settings import AskingSettings, Mode
from reasrm.distillation.traces import PassTotals, traces
from reasrm.records.jsonl import write_records
from reasrm.records.ledger import Ledger, ReadOnlyLedger
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.runtime.stage_main import StageError, StoppedResumable


@dataclass(frozen=True)
class PassEnded:
    """How a run of a pass ended, and what the ledger holds of it now."""

    ended: Ended
    totals: PassTotals
    """Of the settled questions; of all, unless the run was stopped."""
    stop: StoppedResumable | None
    """What to raise once the spend has been written down; None if every question is settled."""

    def metrics(self) -> dict[str, Any]:
        """The pass's metrics; after a stop they say what it has cost so far, and how many questions are open."""
        if self.ended.stopped is None:
            return self.totals.metrics()
        open_still = self.ended.outlook.questions - self.totals.asked
        return self.totals.metrics() | {"stopped": self.ended.stopped.value, "still_to_ask": open_still}

    def raise_if_stopped(self) -> None:
        """End the stage or command if the run was stopped.

        Raises:
            StoppedResumable: it was.
        """
        if self.stop is not None:
            raise self.stop


@dataclass(frozen=True)
class OraclePass:
    """One pass over one file of questions."""

    name: str
    """Shown in front of the live line."""
    which: TracePass
    cases: Cases
    oracle: Oracle
    settings: AskingSettings
    ledger: Path
    budget_is_set_by: str
    """What a user has to change for a larger budget, for the message of a stop."""
    elsewhere_usd: float = 0.0
    """What else counts against the budget of `settings`."""

    def expected(self) -> dict[str, Any]:
        """Requests, tokens and dollars that are still to come, JSON-like; asks nobody, changes nothing."""
        with ReadOnlyLedger(self.ledger) as ledger:
            return self._expected(ledger)

    def run(self, out: Path, endpoint: Endpoint) -> PassEnded:
        """Ask what the ledger does not answer; write the traces to `out` if every question is settled then.

        Raises:
            LedgerInUseError: another run writes to the ledger.
            StageError: there is nothing to ask about, or the counts do not add up; `out` stays as it was.
        """
        ask = ask_in_batches if self._in_batches else ask_online
        with open_ledger(self.ledger) as ledger:
            ended = ask(self.name, self.cases, self.oracle, ledger, self.settings, endpoint, self.elsewhere_usd)
            if ended.outlook.questions == 0 and self.which is TracePass.FIRST:
                raise StageError("there is no pair to ask about: the file of pairs is empty")
            totals = PassTotals(self.oracle.prices)
            stopped = ended.stopped is not None
            model, plan = self.oracle.model, self.oracle.plan()
            found = traces(self.cases(), plan, ledger, self.which, model, totals, only_settled=stopped)
            if stopped:
                deque(found, maxlen=0)
                return PassEnded(ended, totals, self._stop(ended, ledger))
            write_records(out, _checked(found, totals, ended.outlook.questions))
            return PassEnded(ended, totals, None)

    def _expected(self, ledger: Ledger) -> dict[str, Any]:
        estimates = self.oracle.estimates()
        outlook = look_ahead(self.cases(), self.oracle.plan(), ledger, estimates)
        return outlook.expected(estimates, self.oracle.prices, batch=self._in_batches)

    @property
    def _in_batches(self) -> bool:
        return self.settings.mode is Mode.BATCH

    def _stop(self, ended: Ended, ledger: Ledger) -> StoppedResumable:
        detail, how = ended.detail, "the same command goes on from there"
        if ended.stopped is StopReason.BUDGET:
            detail, how = self._budget_told(ledger), f"with a larger budget {how}"
        replies = ended.summary["replies"]
        return StoppedResumable(
            f"stopped ({ended.stopped}): {detail}. {replies} replies of this run are kept in {ledger.path}; {how}"
        )

    def _budget_told(self, ledger: Ledger) -> str:
        """What is spent, on what, what the rest may cost, and what to do."""
        estimates, plan, prices = self.oracle.estimates(), self.oracle.plan(), self.oracle.prices
        outlook = look_ahead(self.cases(), plan, ledger, estimates)
        rest_usd = outlook.expected(estimates, prices, batch=self._in_batches)["usd"]
        progress = (plan.progress(case.question, ledger) for case in self.cases())
        request = next(found.next for found in progress if found.next is not None)
        next_usd = estimates.reservation(request, prices, batch=self._in_batches).most_usd
        unseen = maybe_billed_unseen(ledger.entries())
        booked = outlook.spent_usd + unseen.usd + self.elsewhere_usd
        parts = [f"{_usd(self.elsewhere_usd)} by the other pass"] if self.elsewhere_usd else []
        if unseen.usd:
            parts.append(f"{_usd(unseen.usd)} at most for {unseen.attempts} attempts without a reply")
        told = f" ({', '.join(parts)})" if parts else ""
        enough = ceil(100 * (booked + rest_usd + next_usd)) / 100
        return (
            f"{_usd(booked)} of the {_usd(self.settings.budget_usd or 0.0)} that these questions may cost in all runs "
            f"are spent{told}, the next request may cost {_usd(next_usd)}; the "
            f"{outlook.to_ask} of {outlook.questions} questions of this pass that are left are estimated at "
            f"{_usd(rest_usd)} more: raise {self.budget_is_set_by} to about {_usd(enough)}"
        )


def spent_on(cases: Iterable[Case], oracle: Oracle, ledger_file: Path) -> float:
    """Dollars that a pass has cost so far: for these cases, and at most for attempts that gave no reply."""
    plan = oracle.plan()
    with ReadOnlyLedger(ledger_file) as ledger:
        paid = sum(plan.progress(case.question, ledger).paid_usd for case in cases)
        return paid + maybe_billed_unseen(ledger.entries()).usd


def _checked(found: Iterator[OracleTrace], totals: PassTotals, expected: int) -> Iterator[OracleTrace]:
    """Pass the traces on; fail behind the last one, before the file takes its place, if they are not as many."""
    yield from found
    totals.check(expected)


def _usd(amount: float) -> str:
    """Dollars with as many digits as matter."""
    return f"${amount:.2f}" if amount >= 10 else f"${amount:.4f}"
