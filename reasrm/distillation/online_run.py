"""One run of one pass: open the ledger, look ahead, ask what is missing, and say how it ended."""

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasrm.apis.anthropic_messages import AnthropicClient
from reasrm.apis.clients import open_client, request_format
from reasrm.apis.connection import Connection
from reasrm.apis.openai_chat import OpenAIClient
from reasrm.apis.request_format import ApiProtocol, RequestFormat
from reasrm.distillation.asking import Asking
from reasrm.distillation.batch.open_batches import clear_the_way_online
from reasrm.distillation.cost import Budget, Estimates, Prices
from reasrm.distillation.live_line import live_line
from reasrm.distillation.questions import Case
from reasrm.distillation.rate_control.admission_control import Gate, StopReason
from reasrm.distillation.rate_control.rate_limiter import Pacer
from reasrm.distillation.request_plan import Outlook, RequestPlan, before_asking, keys_to_ask
from reasrm.distillation.run_statistics import Accounts
from reasrm.distillation.settings import AskingSettings
from reasrm.records.ledger import Ledger, LedgerBusyError
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import ExitCode, StageError

INTERRUPTED = "a signal asked for it"
"""Detail of the stop reason of the same name."""

Cases = Callable[[], Iterator[Case]]
"""Gives the cases of a run from the first one on, as often as it is called: they are never all in memory."""


Endpoint = Callable[[], AbstractContextManager[str | None]]
"""Gives the address to ask while it is open; None for the vendor's own, by the SDK's environment variables."""


class LedgerInUseError(StageError):
    """Another run writes to the same ledger."""

    exit_code = ExitCode.BUSY


@dataclass(frozen=True)
class Oracle:
    """Who is asked, and for what kind of reply."""

    vendor: ApiProtocol
    model: str
    prices: Prices
    max_tokens: int
    truncated_retries: int
    cache_system_prompt: bool = True

    def shape(self) -> RequestFormat:
        """How its requests are written."""
        return request_format(self.vendor, self.model, cache_system_prompt=self.cache_system_prompt)

    def plan(self) -> RequestPlan:
        """How its requests are made, keyed and looked up; needs no connection."""
        return RequestPlan(self.shape(), self.prices, self.max_tokens, self.truncated_retries)

    def connect(self, connection: Connection) -> AnthropicClient | OpenAIClient:
        """A client of the vendor.

        Raises:
            NoKeyError: the SDK finds no key in the environment.
        """
        return open_client(self.vendor, connection)

    def estimates(self) -> Estimates:
        """Estimates that know nothing yet."""
        return Estimates(self.max_tokens)


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    stopped: StopReason | None
    """None if every case is settled."""
    detail: str
    outlook: Outlook
    summary: dict[str, Any]
    """Of this run alone."""

    @property
    def maybe_billed_unseen(self) -> int:
        """Attempts of all runs with this ledger that may have been billed without an answer: an upper bound."""
        return self.outlook.maybe_billed_unseen + int(self.summary["maybe_billed_unseen"])


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Open the ledger at `path` for writing.

    Raises:
        LedgerInUseError: another run holds it.
    """
    try:
        ledger = Ledger(path)
    except LedgerBusyError as error:
        raise LedgerInUseError(str(error)) from error
    with ledger:
        yield ledger


def ask_online(
    name: str,
    cases: Cases,
    oracle: Oracle,
    ledger: Ledger,
    settings: AskingSettings,
    endpoint: Endpoint,
    elsewhere_usd: float = 0.0,
) -> Ended:
    """Ask every case that `ledger` does not settle, one request each.

    Args:
        name: shown in front of the live line.
        cases: the questions.
        oracle: who is asked.
        ledger: open for writing.
        settings: how.
        endpoint: where; opened only if something is to be asked.
        elsewhere_usd: what else counts against the budget of `settings`.

    Raises:
        OpenBatchError: an open batch holds what would be asked.
    """
    estimates = oracle.estimates()
    outlook = before_asking(cases(), oracle.plan(), ledger, estimates)
    outlook.elsewhere_usd = elsewhere_usd
    if outlook.to_ask == 0:
        return Ended(None, "", outlook, Accounts().summary())
    wanted = keys_to_ask(cases(), oracle.plan(), ledger)
    may_abandon = settings.abandon_batches
    if clear_the_way_online(ledger, wanted, ProgressLine(name).say, may_abandon=may_abandon):
        outlook.look_for_unseen(ledger)
    with endpoint() as url:
        run = OnlineRun(name, oracle, ledger, settings, outlook, estimates)
        return asyncio.run(run.ask(cases(), url))


@dataclass(frozen=True)
class OnlineRun:
    """One run, once it is known that something is to be asked."""

    name: str
    oracle: Oracle
    ledger: Ledger
    settings: AskingSettings
    outlook: Outlook
    estimates: Estimates

    async def ask(self, cases: Iterator[Case], url: str | None) -> Ended:
        """Ask over one client."""
        settings, outlook = self.settings, self.outlook
        accounts = Accounts()
        gate = Gate(
            pacer=Pacer(settings.declared_rpm),
            budget=Budget(settings.budget_usd, outlook.booked_usd),
            accounts=accounts,
            most_in_flight=settings.most_in_flight,
            outage_seconds=60 * settings.outage_minutes,
        )
        line = ProgressLine(self.name)

        def show(*, now: bool = False) -> None:
            line.show(live_line(outlook.questions, outlook.answered, accounts, gate), now=now)

        provider = self.oracle.connect(Connection(settings.timeout_seconds, settings.most_in_flight, url))
        gc.freeze()  # what is loaded by now stays to the end: the collector need not walk it every few requests
        try:
            with stops_on_signals(lambda: gate.stop(StopReason.INTERRUPTED, INTERRUPTED)):
                await Asking(
                    provider,
                    self.oracle.plan(),
                    self.ledger,
                    gate,
                    accounts,
                    self.estimates,
                    settings.attempts,
                    settings.most_in_flight,
                    outlook,
                    show,
                ).run(cases)
            show(now=True)
            line.end()
        finally:
            await provider.close()
        return Ended(gate.stopped, gate.detail, outlook, accounts.summary())


@contextmanager
def stops_on_signals(stop: Callable[[], object]) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM call `stop`, which loses nothing; the second one acts as ever."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        stop()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
