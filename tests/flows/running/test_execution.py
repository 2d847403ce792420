"""Signals while stages are carried out: heard, not raised, and only where the process gets any."""

import signal
from collections.abc import Iterator
from threading import Thread

import pytest

from flows.running.execution import _signals_handled


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def test_signals_are_heard_and_nothing_is_raised_but_for_a_second_interrupt() -> None:
    before = signal.getsignal(signal.SIGTERM)
    heard: list[str] = []
    with _signals_handled(lambda: heard.append("signal")):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert heard == ["signal"] * 3
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heard: list[str] = []
    with _signals_handled(lambda: heard.append("signal")):
        signal.raise_signal(signal.SIGINT)
    assert heard == []


def test_a_thread_leaves_the_handlers_alone() -> None:
    seen: list[object] = []

    def beside() -> None:
        with _signals_handled(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = Thread(target=beside)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
