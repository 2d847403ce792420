"""The budget: what is set aside for a request, and that what was spent stays within the limit, whatever comes back.

Run:     pytest tests/distillation/test_budget.py
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.api_reply import Usage
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.batch.batch_run import ask_in_batches
from reasrm.distillation.cost_estimate import estimate_cost
from reasrm.distillation.online_run import ask_online
from reasrm.distillation.prices import Prices
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.run_statistics import StopReason
from reasrm.distillation.settings import AskingMode
from reasrm.distillation.spend_budget import ENOUGH_REPLIES, SpendBudget, TokenEstimates
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from tests.fake_vendor.oracle_on_loopback import LocalOracle, ask, oracle, questions, settings

PRICES = Prices(input=3, output=15, cache_read=0.3, cache_write=3.75, as_of="2026-11-20")
LIMIT = 8192


@dataclass(frozen=True)
class Asked:
    """A request as the budget sees it."""

    max_tokens: int = LIMIT
    prompt_characters: int = 4000


@dataclass
class Spent:
    """How a run result: what was paid, what replies cost beyond what was set aside, how many there were."""

    usd: float = 0.0
    beyond_usd: float = 0.0
    replies: int = 0


def spend(limit_usd: float, window: int, length: Callable[[], int], pick: Callable[[int], int]) -> Spent:
    """Send requests while the budget allows, `window` at once; replies come back in the order that `pick` draws."""
    estimates, budget, spent = TokenEstimates(LIMIT), SpendBudget(limit_usd, 0.0), Spent()
    in_flight: list[tuple[float, Usage]] = []
    while True:
        reserved = estimates.cost_bound(Asked(), PRICES)
        while len(in_flight) < window and budget.fits(reserved.most_usd):
            budget.reserve(reserved.usd)
            in_flight.append((reserved.usd, Usage(input_tokens=1000, output_tokens=min(LIMIT, length()))))
        assert budget.spent_usd + budget.reserved_usd <= limit_usd + spent.beyond_usd + 1e-9
        if not in_flight:
            return spent
        usd, usage = in_flight.pop(pick(len(in_flight)))
        paid = PRICES.usd(usage)
        budget.settle(usd, paid)
        estimates.learn(Asked().prompt_characters, usage)
        spent.usd, spent.replies = spent.usd + paid, spent.replies + 1
        spent.beyond_usd += max(0.0, paid - usd)


@given(
    st.floats(0.0, 3.0),
    st.integers(1, 256),
    st.lists(st.integers(1, LIMIT), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_what_is_spent_and_set_aside_exceeds_the_limit_only_by_what_replies_cost_beyond_their_share(
    limit_usd: float, window: int, lengths: list[int], draw: random.Random
) -> None:
    spent = spend(limit_usd, window, lambda: draw.choice(lengths), draw.randrange)
    assert spent.usd <= limit_usd + spent.beyond_usd + 1e-9
    if spent.replies <= ENOUGH_REPLIES:
        assert spent.usd <= limit_usd + 1e-9


@pytest.mark.parametrize("window", [pytest.param(16, marks=pytest.mark.slow), 256])
@pytest.mark.parametrize("usual", [(6.4, 0.3), (6.0, 0.8), (5.5, 1.2)])
def test_lengths_as_models_have_them_exceed_the_limit_by_2_percent_at_most_and_use_it(
    window: int, usual: tuple[float, float]
) -> None:
    """Log-normal lengths, the first replies all refusals of one token: the worst start for what is learnt."""
    for seed in range(10):
        draw = random.Random(seed)
        lengths = chain([1] * 8, (int(draw.lognormvariate(*usual)) for _ in count()))
        spent = spend(20.0, window, lengths.__next__, draw.randrange)
        assert 0.98 * 20 < spent.usd < 1.02 * 20


def test_a_request_is_set_aside_in_full_until_enough_is_known_and_always_when_it_is_a_longer_second_try() -> None:
    estimates = TokenEstimates(LIMIT)
    for _ in range(ENOUGH_REPLIES - 1):
        estimates.learn(4000, Usage(input_tokens=1000, output_tokens=1))
    assert estimates.bound(Asked()).output_tokens == LIMIT
    for _ in range(1000):
        estimates.learn(4000, Usage(input_tokens=1000, output_tokens=600))
    assert 600 < estimates.bound(Asked()).output_tokens < 750
    assert 1000 <= estimates.bound(Asked()).input_tokens < 1010
    assert estimates.bound(Asked(2 * LIMIT)).output_tokens == 2 * LIMIT
    assert estimates.most(Asked()).output_tokens == LIMIT


def test_a_cached_prompt_is_set_aside_at_the_dearest_price() -> None:
    usage = Usage(input_tokens=1000, output_tokens=100)
    assert PRICES.at_most_usd(usage) == pytest.approx((3750 + 1500) / 1e6)
    assert PRICES.at_most_usd(usage, batch=True) == pytest.approx(PRICES.at_most_usd(usage) / 2)


def dear(vendor: ApiProtocol = ApiProtocol.ANTHROPIC, **changes: Any) -> Oracle:
    """An oracle whose replies may be long."""
    return oracle(vendor, **{"max_tokens": 1000, "prices": PRICES} | changes)


@pytest.mark.parametrize("vendor", [ApiProtocol.ANTHROPIC, ApiProtocol.OPENAI_RESPONSES])
def test_a_first_reply_of_one_token_does_not_lower_what_is_set_aside(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(latency_seconds=0.1, output_tokens=900, short_replies=3)
    stopped = ask(server, dear(vendor), pairs, tmp_path / "ledger.jsonl", settings(budget_usd=0.5, most_in_flight=128))
    assert stopped.stopped is StopReason.BUDGET
    assert 0.47 < server.request_log()["usd"] <= 0.5


def test_attempts_that_may_have_been_billed_stay_booked_also_in_the_next_run(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(output_tokens=300, faults={"reset_billed": 0.2, "bad_json": 0.2})
    for _ in range(3):
        stopped = ask(server, dear(), pairs, tmp_path / "ledger.jsonl", settings(budget_usd=0.5))
        assert stopped.stopped is StopReason.BUDGET
        assert server.request_log()["usd"] <= 0.5
    assert stopped.estimate.spent_usd < 0.4
    assert stopped.estimate.possibly_billed_usd > 0.05


@pytest.mark.parametrize("mode", list(AskingMode))
def test_a_budget_of_nothing_sends_nothing(
    mode: AskingMode, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    ask_by = ask_in_batches if mode is AskingMode.BATCH else ask_online
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        result = ask_by("test", lambda: questions(pairs), dear(), ledger, settings(budget_usd=0.0), server.endpoint)
    assert result.stopped is StopReason.BUDGET
    assert server.request_log()["billed"] == server.request_log()["batches_created"] == 0


def test_retries_of_cut_replies_are_in_the_estimate(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    """With half of the pairs known, the estimate of the other half is near what it then costs."""
    who = oracle(ApiProtocol.ANTHROPIC, max_tokens=60, truncated_retries=1)
    ask(server, who, pairs[:100], tmp_path / "ledger.jsonl")
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        estimates = TokenEstimates(who.max_tokens)
        estimate = estimate_cost(questions(pairs), who.plan(), ledger, estimates)
    expected = estimate.expected(estimates, who.prices, batch=False)
    assert expected["requests"] > expected["to_ask"] == 100
    before = server.request_log()["usd"]
    ask(server, who, pairs, tmp_path / "ledger.jsonl")
    assert server.request_log()["usd"] - before == pytest.approx(expected["usd"], rel=0.1)
