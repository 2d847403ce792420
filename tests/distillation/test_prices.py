"""Prices: those that genai-prices ships, taken without the network, and our own over them."""

import socket
from datetime import date
from importlib.metadata import version
from typing import Any

import pytest

from reasrm.apis.api_reply import Usage
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.prices import Prices, library_prices


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection is an error."""

    def refuse(*arguments: Any) -> None:
        raise AssertionError(f"a connection was opened: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("vendor", "model", "dollars"),
    [
        (ApiProtocol.ANTHROPIC, "claude-sonnet-4-5-20250929", (3.0, 15.0, 0.3, 3.75)),
        (ApiProtocol.OPENAI, "gpt-4o-2024-08-06", (2.5, 10.0, 1.25, 2.5)),
        (ApiProtocol.OPENAI_RESPONSES, "o3-2025-04-16", (2.0, 8.0, 0.5, 2.0)),
    ],
)
def test_the_library_knows_dated_models_and_is_named_with_its_version(
    vendor: ApiProtocol, model: str, dollars: tuple[float, float, float, float]
) -> None:
    prices = library_prices(vendor, model)
    assert prices is not None
    assert (prices.input, prices.output, prices.cache_read, prices.cache_write) == pytest.approx(dollars)
    assert prices.as_of == f"genai-prices {version('genai-prices')}"


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("model", ["miniature-lazy-20261101", "claude-sonnet-4-5-20250929", ""])
def test_a_model_that_the_vendor_does_not_sell_has_no_price(model: str) -> None:
    assert library_prices(ApiProtocol.OPENAI, model) is None


@pytest.mark.parametrize("as_of", ["2026-11-20", date(2026, 11, 20)])
def test_own_prices_state_their_day(as_of: object) -> None:
    prices = Prices.model_validate({"input": 1, "output": 2, "cache_read": 0, "cache_write": 0, "as_of": as_of})
    assert prices.as_of == "2026-11-20"
    assert prices.is_price_of(Usage(1000, 100), prices.usd(Usage(1000, 100), batch=True))
    assert not prices.is_price_of(Usage(1000, 100), 1.0)
