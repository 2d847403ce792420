"""Batches that are lost, foreign, or open while something else is asked: none is paid for twice, none taken wrongly.

Run:     pytest tests/distillation/batch/test_open_batches.py
"""

from pathlib import Path

import pytest

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.batch.batch_ledger import OpenBatchError
from reasrm.distillation.ledger_entries import LedgerState
from reasrm.distillation.run_statistics import StopReason
from reasrm.records.jsonl import write_records
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TraceOutcome
from reasrm.runtime.stage_main import ExitCode
from tests.commands.oracle_command import invoke
from tests.fake_vendor.oracle_on_loopback import (
    MODEL,
    LocalOracle,
    ask,
    ask_batches,
    forget_what_came_after,
    oracle,
    settings,
)

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("vendor", [ApiProtocol.ANTHROPIC, ApiProtocol.OPENAI])
"""The third API differs in its bodies alone; `test_batch_run.py` asks all three."""
QUICK = {"poll_seconds": 0.1}


@pytest.fixture
def pairs(pairs: list[PreferencePair]) -> list[PreferencePair]:
    """Fewer than elsewhere."""
    return pairs[:80]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def leave_open(
    server: LocalOracle,
    vendor: ApiProtocol,
    pairs: list[PreferencePair],
    file: Path,
    state: LedgerState = LedgerState.BATCH_CREATED,
) -> None:
    """A run that was killed once its batch was in `state`."""
    ask_batches(server, oracle(vendor), pairs, file)
    forget_what_came_after(file, state)


def test_a_lost_batch_is_adopted_while_the_vendor_still_counts_none_of_its_requests(
    server: LocalOracle, pairs: list[PreferencePair], file: Path
) -> None:
    server.restart(lost_batch_creates=1, batch_validation_seconds=2)
    _, totals = ask_batches(server, oracle(ApiProtocol.OPENAI), pairs, file, **QUICK)
    account = server.request_log()
    assert account["batches_created"] == 1
    assert account["billed"] == totals.outcomes[TraceOutcome.OK] == len(pairs)


@BOTH
def test_a_refused_creation_adopts_no_other_batch_of_the_same_size(
    vendor: ApiProtocol,
    server: LocalOracle,
    pairs: list[PreferencePair],
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.restart(refused_batch_creates=1)
    _, totals = ask_batches(server, oracle(vendor), pairs, file, batch_requests=40, **QUICK)
    account = server.request_log()
    assert account["batches_created"] == 2
    assert account["billed"] == account["distinct_billed"] == totals.outcomes[TraceOutcome.OK] == len(pairs)


@BOTH
@pytest.mark.parametrize("created", [True, False])
def test_a_batch_of_another_run_is_not_adopted(
    vendor: ApiProtocol, created: bool, server: LocalOracle, pairs: list[PreferencePair], file: Path, tmp_path: Path
) -> None:
    leave_open(server, vendor, pairs[:40], file, LedgerState.BATCH_INTENT)
    if not created:
        server.restart(batch_seconds=0.5)
    ask_batches(server, oracle(vendor), pairs[40:], tmp_path / "other.jsonl")
    _, totals = ask_batches(server, oracle(vendor), pairs[:40], file, **QUICK)
    account = server.request_log()
    assert account["batches_created"] == 2
    assert account["billed"] == account["distinct_billed"] == len(pairs)
    assert totals.outcomes[TraceOutcome.OK] == 40


def test_online_refuses_what_an_open_batch_holds(server: LocalOracle, pairs: list[PreferencePair], file: Path) -> None:
    leave_open(server, ApiProtocol.OPENAI, pairs[:30], file)
    with pytest.raises(OpenBatchError, match=r"holds 30 of the requests.*--batch.*--abandon-batches") as refusal:
        ask(server, oracle(ApiProtocol.OPENAI), pairs, file)
    assert refusal.value.exit_code is ExitCode.USAGE
    assert server.request_log()["billed"] == 30
    ask(server, oracle(ApiProtocol.OPENAI), pairs[30:], file)
    ask_batches(server, oracle(ApiProtocol.OPENAI), pairs, file)
    assert server.request_log()["billed"] == server.request_log()["distinct_billed"] == len(pairs)


def test_online_goes_on_once_the_batch_is_given_up(
    server: LocalOracle, pairs: list[PreferencePair], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_open(server, ApiProtocol.ANTHROPIC, pairs[:30], file)
    result = ask(server, oracle(ApiProtocol.ANTHROPIC), pairs, file, settings(abandon_batches=True))
    assert result.stopped is None
    assert result.possibly_billed == 30
    assert "gave up batch" in capsys.readouterr().err
    assert ask(server, oracle(ApiProtocol.ANTHROPIC), pairs, file).possibly_billed == 30


def test_a_batch_of_other_settings_is_booked_all_the_same(
    server: LocalOracle, pairs: list[PreferencePair], file: Path
) -> None:
    leave_open(server, ApiProtocol.ANTHROPIC, pairs, file)
    before = server.request_log()["usd"]
    result, others = ask_batches(server, oracle(ApiProtocol.ANTHROPIC, max_tokens=900), pairs[:30], file)
    assert result.statistics["replies"] == others.outcomes[TraceOutcome.OK] == 30
    assert server.request_log()["batches_created"] == 2
    _, totals = ask_batches(server, oracle(ApiProtocol.ANTHROPIC), pairs, file)
    assert server.request_log()["batches_created"] == 2
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)
    assert totals.usd == pytest.approx(before)


def test_a_batch_of_another_vendor_is_left_alone(server: LocalOracle, pairs: list[PreferencePair], file: Path) -> None:
    leave_open(server, ApiProtocol.ANTHROPIC, pairs[:30], file)
    for vendor in (ApiProtocol.OPENAI, ApiProtocol.OPENAI_RESPONSES, ApiProtocol.ANTHROPIC):
        _, totals = ask_batches(server, oracle(vendor), pairs[:30], file)
        assert totals.outcomes[TraceOutcome.OK] == 30
    assert server.request_log()["batches_created"] == 3


@BOTH
def test_a_batch_that_the_account_does_not_know_has_a_way_out(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], file: Path
) -> None:
    leave_open(server, vendor, pairs[:30], file)
    server.restart()
    result, _ = ask_batches(server, oracle(vendor), pairs, file)
    assert result.stopped is StopReason.NOT_ALLOWED
    assert "does not have it" in result.detail
    assert "--abandon-batches" in result.detail
    result, totals = ask_batches(server, oracle(vendor), pairs, file, abandon_batches=True)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)
    assert result.possibly_billed == 30


def test_a_lost_batch_is_not_looked_for_in_another_account(
    server: LocalOracle, pairs: list[PreferencePair], file: Path, tmp_path: Path
) -> None:
    ask_batches(server, oracle(ApiProtocol.ANTHROPIC), pairs[:10], tmp_path / "earlier.jsonl")
    leave_open(server, ApiProtocol.ANTHROPIC, pairs[:30], file, LedgerState.BATCH_INTENT)
    server.restart()
    result, _ = ask_batches(server, oracle(ApiProtocol.ANTHROPIC), pairs[:30], file, **QUICK)
    assert result.stopped is StopReason.NOT_ALLOWED
    assert "does not have it" in result.detail
    assert server.request_log()["batches_created"] == 0


def test_what_is_waited_for_stands_on_the_live_line(
    server: LocalOracle, pairs: list[PreferencePair], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.restart(refused_batch_creates=1, refused_batch_looks=1)
    ask_batches(server, oracle(ApiProtocol.ANTHROPIC), pairs[:10], file, **QUICK)
    message = capsys.readouterr().err
    assert "looking whether batch whose creation gave no reply of 10 requests (anthropic)" in message
    assert "waiting to ask the batch API again (overloaded: overloaded)" in message


@BOTH
def test_results_are_read_again_when_the_way_to_them_fails(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], file: Path
) -> None:
    server.restart(refused_batch_looks=4)
    result, totals = ask_batches(server, oracle(vendor), pairs, file, **QUICK)
    assert totals.outcomes[TraceOutcome.OK] == result.statistics["replies"] == len(pairs)
    assert server.request_log()["batches_created"] == 1


def test_the_command_says_that_a_batch_is_open_and_exits_with_2(
    server: LocalOracle,
    pairs: list[PreferencePair],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    write_records(tmp_path / "pairs.jsonl", pairs)
    arguments = ["--pairs", str(tmp_path / "pairs.jsonl"), "--out", str(tmp_path / "out.jsonl"), "--pass", "first"]
    arguments += ["--provider", "anthropic", "--model", MODEL, "--prices", "3,15", "--max-tokens", "500"]
    assert invoke([*arguments, "--batch"]).exit_code == 0
    forget_what_came_after(tmp_path / "out.jsonl.ledger.jsonl", LedgerState.BATCH_CREATED)
    refused = invoke(arguments)
    assert refused.exit_code == ExitCode.USAGE
    assert "run with --batch" in refused.stderr
    assert invoke([*arguments, "--batch"]).exit_code == 0
    assert server.request_log()["billed"] == len(pairs)
