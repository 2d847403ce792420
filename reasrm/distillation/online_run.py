"""One online run of one pass: read from the ledger what is missing, ask for it, and say how it ended."""

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import dataclass

from reasrm.apis.connection import Connection
from reasrm.distillation.asking import Asking
from reasrm.distillation.batch.batch_ledger import refuse_or_abandon_open_batches
from reasrm.distillation.cost_estimate import CostEstimate, estimate_before_run, unanswered_keys
from reasrm.distillation.questions import OracleQuestion, Questions
from reasrm.distillation.rate_control.admission_control import AdmissionControl
from reasrm.distillation.rate_control.rate_limiter import RateLimiter
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.run_lifecycle import INTERRUPTED, Endpoint, RunResult, stops_on_signals
from reasrm.distillation.run_messages import live_line
from reasrm.distillation.run_statistics import RunStatistics, StopReason
from reasrm.distillation.settings import AskingSettings
from reasrm.distillation.spend_budget import SpendBudget, TokenEstimates
from reasrm.records.ledger import Ledger
from reasrm.runtime.progress import ProgressLine


def ask_online(
    name: str,
    questions: Questions,
    oracle: Oracle,
    ledger: Ledger,
    settings: AskingSettings,
    endpoint: Endpoint,
    other_pass_usd: float = 0.0,
) -> RunResult:
    """Ask every question that `ledger` does not settle, one request each.

    Args:
        name: shown in front of the live line.
        questions: of the pass.
        oracle: who is asked.
        ledger: open for writing.
        settings: how.
        endpoint: where; opened only if something is to be asked.
        other_pass_usd: what else counts against the budget of `settings`.

    Raises:
        OpenBatchError: an open batch holds what would be asked.
    """
    tokens = TokenEstimates(oracle.max_tokens)
    estimate = estimate_before_run(questions(), oracle.plan(), ledger, tokens)
    estimate.other_pass_usd = other_pass_usd
    if estimate.to_ask == 0:
        return RunResult(None, "", estimate, RunStatistics().summary())
    wanted = unanswered_keys(questions(), oracle.plan(), ledger)
    may_abandon = settings.abandon_batches
    if refuse_or_abandon_open_batches(ledger, wanted, ProgressLine(name).say, may_abandon=may_abandon):
        estimate.read_possibly_billed(ledger)
    with endpoint() as url:
        run = OnlineRun(name, oracle, ledger, settings, estimate, tokens)
        return asyncio.run(run.ask(questions(), url))


@dataclass(frozen=True)
class OnlineRun:
    """One run, once it is known that something is to be asked."""

    name: str
    oracle: Oracle
    ledger: Ledger
    settings: AskingSettings
    estimate: CostEstimate
    tokens: TokenEstimates

    async def ask(self, questions: Iterator[OracleQuestion], url: str | None) -> RunResult:
        """Ask over one client."""
        settings, estimate = self.settings, self.estimate
        statistics = RunStatistics()
        admission = AdmissionControl(
            rate_limiter=RateLimiter(settings.declared_rpm),
            budget=SpendBudget(settings.budget_usd, estimate.counted_usd),
            statistics=statistics,
            most_in_flight=settings.most_in_flight,
            outage_seconds=60 * settings.outage_minutes,
        )
        line = ProgressLine(self.name)

        def show(*, now: bool = False) -> None:
            priced = self.oracle.prices is not None
            line.show(live_line(estimate.questions, estimate.answered, statistics, admission, priced=priced), now=now)

        client = self.oracle.connect(Connection(settings.timeout_seconds, settings.most_in_flight, url))
        gc.freeze()  # what is loaded by now stays to the end: the collector need not walk it every few requests
        try:
            with stops_on_signals(lambda: admission.stop(StopReason.INTERRUPTED, INTERRUPTED)):
                await Asking(
                    client,
                    self.oracle.plan(),
                    self.ledger,
                    admission,
                    statistics,
                    self.tokens,
                    settings.attempts,
                    settings.most_in_flight,
                    estimate,
                    show,
                ).run(questions)
            show(now=True)
            line.end()
        except ExceptionGroup as several:
            raise _the_same_fault(several) from None
        finally:
            await client.close()
        return RunResult(admission.stopped, admission.detail, estimate, statistics.summary())


def _the_same_fault(several: ExceptionGroup[Exception]) -> Exception:
    """The first of what requests in flight met, if it is a full disk or the like for all of them; else all of it."""
    disk = several.subgroup(OSError)
    return disk.exceptions[0] if disk is not None and len(disk.exceptions) == len(several.exceptions) else several
