"""What a batch's result is booked at."""

from pathlib import Path

import pytest

from reasrm.apis.api_reply import NOTHING_USED, ApiReply, Usage
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.batch.batch_ledger import BatchLedger
from reasrm.distillation.batch.result_recorder import ResultRecorder
from reasrm.distillation.run_statistics import RunStatistics
from reasrm.distillation.spend_budget import SpendBudget, TokenEstimates
from reasrm.records.ledger import Ledger
from reasrm.records.trace import TraceOutcome
from tests.fake_vendor.oracle_on_loopback import oracle

KNOWN = ApiReply(TraceOutcome.OK, "fine", Usage(1_000_000))
UNKNOWN = ApiReply(TraceOutcome.OK, "fine", NOTHING_USED, usage_known=False)


@pytest.mark.parametrize("reopened", [False, True])
def test_a_result_without_a_usage_counts_its_share_of_what_the_batch_may_cost(tmp_path: Path, reopened: bool) -> None:
    who, keys = oracle(ApiProtocol.OPENAI), ["a" * 64, "b" * 64]
    assert who.prices is not None
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        record = BatchLedger(ledger).intend(ApiProtocol.OPENAI, keys, who.prices, [], usd=7.0)
        if reopened:
            (record,) = BatchLedger(ledger).open_batches()
        tokens = TokenEstimates(who.max_tokens)
        recorder = ResultRecorder(who.plan(), ledger, RunStatistics(), SpendBudget(None, 0.0), tokens, attempts=2)
        recorder.reply(record, keys[0], UNKNOWN, {})
        recorder.reply(record, keys[1], KNOWN, {})
        booked = [(ledger.get(key) or {})["usd"] for key in keys]
    assert booked == [3.5, pytest.approx(who.prices.usd(KNOWN.usage, batch=True))]
