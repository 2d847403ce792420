"""How a run begins and ends, online or in batches: its ledger, its reaction to signals, its result."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasrm.distillation.cost_estimate import CostEstimate
from reasrm.distillation.run_statistics import StopReason
from reasrm.records.ledger import Ledger, LedgerBusyError
from reasrm.runtime.stage_main import ExitCode, StageError

INTERRUPTED = "a signal asked for it"
"""Detail of the stop reason of the same name."""

Endpoint = Callable[[], AbstractContextManager[str | None]]
"""Gives the address to ask while it is open; None for the vendor's own, by the SDK's environment variables."""


class LedgerInUseError(StageError):
    """Another run writes to the same ledger."""

    exit_code = ExitCode.BUSY


@dataclass(frozen=True)
class RunResult:
    """How a run ended."""

    stopped: StopReason | None
    """None if every question is settled."""
    detail: str
    estimate: CostEstimate
    """What the run had to ask when it began."""
    statistics: dict[str, Any]
    """Of this run alone."""

    @property
    def possibly_billed(self) -> int:
        """Attempts of all runs with this ledger that may have been billed without an answer: an upper bound."""
        return self.estimate.possibly_billed + int(self.statistics["possibly_billed"])


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
