"""One pass from questions to traces: ask what the ledger does not answer, then write; or say what is still to come.

The stage `distill_traces` and the command `reasrm oracle` both run this.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from reasrm.distillation.batch.batch_run import ask_in_batches
from reasrm.distillation.cost_estimate import estimate_cost
from reasrm.distillation.ledger_entries import possibly_billed
from reasrm.distillation.online_run import ask_online
from reasrm.distillation.prices import Prices
from reasrm.distillation.questions import OracleQuestion, Questions
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.run_lifecycle import Endpoint, RunResult, open_ledger
from reasrm.distillation.run_messages import UNKNOWN_COST, budget_message, dollars, pass_message
from reasrm.distillation.run_statistics import StopReason
from reasrm.distillation.settings import AskingMode, AskingSettings
from reasrm.distillation.spend_budget import TokenEstimates
from reasrm.distillation.traces import PassTotals, traces
from reasrm.records.jsonl import write_records
from reasrm.records.ledger import Ledger, ReadOnlyLedger
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError, StoppedResumable


@dataclass(frozen=True)
class PassResult:
    """How a run of a pass ended, and what the ledger holds of it now."""

    run: RunResult
    totals: PassTotals
    """Of the settled questions; of all, unless the run was stopped."""
    stop: StoppedResumable | None
    """What to raise once the spend has been written down; None if every question is settled."""

    def metrics(self) -> dict[str, Any]:
        """The pass's metrics; after a stop they say what it has cost so far, and how many questions are open."""
        if self.run.stopped is None:
            return self.totals.metrics()
        still_open = self.run.estimate.questions - self.totals.asked
        return self.totals.metrics() | {"stopped": self.run.stopped.value, "still_to_ask": still_open}

    def message(self, *, free: bool = False) -> str:
        """What the pass came to, in one line; `free` if nobody is paid for it."""
        return pass_message(self.totals, self.run.possibly_billed, free=free)

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
    questions: Questions
    oracle: Oracle
    settings: AskingSettings
    ledger: Path
    budget_is_set_by: str
    """What a user has to change for a larger budget, for the message of a stop."""
    prices_are_given_by: str
    """How a user gives the prices of a model, for the message that they are not known."""
    other_pass_usd: float = 0.0
    """What else counts against the budget of `settings`."""

    def expected(self) -> dict[str, Any]:
        """Requests, tokens and dollars that are still to come, JSON-like; sends nothing, changes nothing.

        Raises:
            StageError: the model's price is not known.
        """
        prices = self._known_prices("an estimate of the cost")
        tokens = TokenEstimates(self.oracle.max_tokens)
        with ReadOnlyLedger(self.ledger) as ledger:
            estimate = estimate_cost(self.questions(), self.oracle.plan(), ledger, tokens)
        return estimate.expected(tokens, prices, batch=self._in_batches)

    def run(self, out: Path, endpoint: Endpoint) -> PassResult:
        """Ask what the ledger does not answer, then write the traces to `out`, unless the run was stopped.

        Raises:
            LedgerInUseError: another run writes to the ledger.
            OpenBatchError: an open batch holds what would be asked online.
            StageError: there is nothing to ask about, a budget is set and the model's price is not known, or the counts
                do not add up; `out` stays as it was.
        """
        if self.settings.budget_usd is not None:
            self._known_prices("a budget")
        if self.oracle.prices is None:
            ProgressLine(self.name).say(f"WARNING: {UNKNOWN_COST}: {self._no_price()}; {self.prices_are_given_by}")
        ask = ask_in_batches if self._in_batches else ask_online
        with open_ledger(self.ledger) as ledger:
            run = ask(self.name, self.questions, self.oracle, ledger, self.settings, endpoint, self.other_pass_usd)
            if run.estimate.questions == 0 and self.which is TracePass.FIRST:
                raise StageError("there is no pair to ask about: the file of pairs is empty")
            totals = PassTotals(self.oracle.prices)
            stopped = run.stopped is not None
            model, plan = self.oracle.model, self.oracle.plan()
            found = traces(self.questions(), plan, ledger, self.which, model, totals, only_settled=stopped)
            if stopped:
                deque(found, maxlen=0)
                return PassResult(run, totals, self._stop(run, ledger))
            write_records(out, _checked(found, totals, run.estimate.questions))
            return PassResult(run, totals, None)

    @property
    def _in_batches(self) -> bool:
        return self.settings.mode is AskingMode.BATCH

    def _known_prices(self, purpose: str) -> Prices:
        if self.oracle.prices is None:
            raise StageError(f"{purpose} needs the model's price, and {self._no_price()}: {self.prices_are_given_by}")
        return self.oracle.prices

    def _no_price(self) -> str:
        return f"the price of model {self.oracle.model!r} ({self.oracle.vendor}) is not known"

    def _stop(self, run: RunResult, ledger: Ledger) -> StoppedResumable:
        detail, how = run.detail, "the same command goes on from there"
        if run.stopped is StopReason.BUDGET:
            detail, how = self._budget_detail(ledger), f"with a larger budget {how}"
        replies = run.statistics["replies"]
        return StoppedResumable(
            f"stopped ({run.stopped}): {detail}. {replies} replies of this run are kept in {ledger.path}; {how}"
        )

    def _budget_detail(self, ledger: Ledger) -> str:
        """What is spent, on what, what the rest may cost, and what to do."""
        tokens, plan = TokenEstimates(self.oracle.max_tokens), self.oracle.plan()
        prices, limit_usd = self._known_prices("a budget"), self.settings.budget_usd or 0.0
        estimate = estimate_cost(self.questions(), plan, ledger, tokens)
        estimate.read_possibly_billed(ledger)
        estimate.other_pass_usd = self.other_pass_usd
        rest_usd = estimate.expected(tokens, prices, batch=self._in_batches)["usd"]
        progress = (plan.progress(question.prompt, ledger) for question in self.questions())
        request = next(found.next for found in progress if found.next is not None)
        next_usd = tokens.cost_bound(request, prices, batch=self._in_batches).most_usd
        enough = ceil(100 * (estimate.counted_usd + rest_usd + next_usd)) / 100
        message = budget_message(estimate, limit_usd, rest_usd, next_usd)
        return f"{message}: raise {self.budget_is_set_by} to about {dollars(enough)}"


def spent_on(questions: Iterable[OracleQuestion], oracle: Oracle, ledger_file: Path) -> float:
    """Dollars that a pass has cost so far: for these questions, and at most for attempts that gave no reply.

    Raises:
        StageError: the price of a reply is not known.
    """
    plan, paid = oracle.plan(), 0.0
    with ReadOnlyLedger(ledger_file) as ledger:
        for question in questions:
            progress = plan.progress(question.prompt, ledger)
            if None in progress.paid:
                raise StageError(
                    f"{ledger_file} holds replies of model {oracle.model!r}, whose price is not known: give its "
                    f"`prices` in params.yaml, so that the budget of both passes can count them"
                )
            paid += progress.paid_usd
        return paid + possibly_billed(ledger.entries()).usd


def _checked(found: Iterator[OracleTrace], totals: PassTotals, expected: int) -> Iterator[OracleTrace]:
    """Pass the traces on; fail behind the last one, before the file takes its place, if they are not as many."""
    yield from found
    totals.check(expected)
