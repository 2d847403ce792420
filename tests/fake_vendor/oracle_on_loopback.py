"""What the tests of the oracle share: the local server, questions, an oracle and settings to ask with."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.batch.batch_run import ask_in_batches
from reasrm.distillation.ledger_entries import LedgerState
from reasrm.distillation.online_run import ask_online
from reasrm.distillation.prices import Prices
from reasrm.distillation.questions import OracleQuestion, first_pass
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.run_lifecycle import RunResult
from reasrm.distillation.settings import AskingMode, AskingSettings
from reasrm.distillation.traces import PassTotals, traces
from reasrm.fake_vendor.settings import FakeVendorSettings
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TracePass

PRICES = Prices(input=3, output=15, cache_read=0.3, cache_write=3.75, as_of="2026-11-20")
MODEL = "miniature-lazy-20261101"
OTHERS = [pytest.param(vendor, marks=pytest.mark.slow) for vendor in (ApiProtocol.OPENAI, ApiProtocol.OPENAI_RESPONSES)]
EACH_VENDOR = pytest.mark.parametrize("vendor", [ApiProtocol.ANTHROPIC, *OTHERS])
"""One protocol each time, the two others with the slow tests: most of what is tested so is the same code."""


@dataclass(frozen=True)
class LocalOracle:
    """The server of the tests."""

    url: str

    def restart(self, **settings: Any) -> None:
        """An empty request log and new settings."""
        body = FakeVendorSettings(**settings).model_dump_json().encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/settings", data=body)).close()

    def request_log(self) -> dict[str, Any]:
        """What the server says was asked and billed."""
        with urllib.request.urlopen(f"{self.url}/request-log") as response:
            return dict(json.load(response))

    def endpoint(self) -> AbstractContextManager[str | None]:
        """Where to ask."""
        return nullcontext(self.url)


def oracle(vendor: ApiProtocol, **changes: Any) -> Oracle:
    """The oracle of the tests."""
    usual: dict[str, Any] = {"model": MODEL, "prices": PRICES, "max_tokens": 400, "truncated_retries": 1}
    return Oracle(vendor=vendor, **usual | changes)


def settings(**changes: Any) -> AskingSettings:
    """Patient, unlimited, online."""
    return AskingSettings(
        **{
            "mode": AskingMode.ONLINE,
            "budget_usd": None,
            "most_in_flight": 16,
            "attempts": 8,
            "timeout_seconds": 20,
            "outage_minutes": 10,
            "declared_rpm": None,
            "batch_requests": 1000,
            "poll_seconds": 0.5,
        }
        | changes
    )


def questions(pairs: list[PreferencePair]) -> Iterator[OracleQuestion]:
    """First-pass questions about `pairs`."""
    return first_pass(pairs, 0, PromptVariant.FULL)


def ask_batches(
    server: LocalOracle, who: Oracle, pairs: list[PreferencePair], ledger_file: Path, **how: Any
) -> tuple[RunResult, PassTotals]:
    """One batch run over `pairs`, and the totals of its output if it is whole."""
    with Ledger(ledger_file) as ledger:
        how = {"mode": AskingMode.BATCH} | how
        ended = ask_in_batches("test", lambda: questions(pairs), who, ledger, settings(**how), server.endpoint)
        totals = PassTotals(who.prices)
        if ended.stopped is None:
            list(traces(questions(pairs), who.plan(), ledger, TracePass.FIRST, who.model, totals))
    return ended, totals


def forget_what_came_after(ledger_file: Path, state: LedgerState) -> None:
    """Leave of a ledger what a kill right after its first entry of `state` would have left."""
    lines = ledger_file.read_bytes().splitlines(keepends=True)
    last = next(place for place, line in enumerate(lines) if f'"state":"{state}"'.encode() in line)
    ledger_file.write_bytes(b"".join(lines[: last + 1]))


def ask(
    server: LocalOracle, who: Oracle, pairs: list[PreferencePair], ledger_file: Path, how: AskingSettings | None = None
) -> RunResult:
    """One run over `pairs` with the ledger at `ledger_file`."""
    with Ledger(ledger_file) as ledger:
        return ask_online("test", lambda: questions(pairs), who, ledger, how or settings(), server.endpoint)
