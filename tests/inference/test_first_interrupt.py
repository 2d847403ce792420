"""Ctrl-C while a served judge is slow or hangs: what came is kept, nobody waits for long; real signals and HTTP."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.first_interrupt import GRACE_SECONDS, FirstInterrupt
from tests.fixtures.judge_server import first_is_best, judge_server

pytestmark = pytest.mark.slow

PROMPT_ONLY = """
import sys
from reasrm.inference.api_engine import ApiEngine
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.served_model import served_model
from reasrm.records.pair import Message, Role

engine = ApiEngine(served_model("m", sys.argv[1], concurrency=8))
prompts = [Prompt((Message(role=Role.USER, content=f"case {n}"),)) for n in range(40)]
sampling = Sampling(max_new_tokens=9, temperature=0, top_p=1, seed=0, stop="</answer>")
answers = engine.generate(prompts, sampling)
next(answers)
print("first", flush=True)
sys.stdin.readline()
raise KeyboardInterrupt
"""
"""Is interrupted between two replies, and never closes its engine."""


class SlowService:
    """Answers four requests at once; the others wait to be let go."""

    def __init__(self) -> None:
        self.go, self.seen = threading.Event(), 0
        self._lock = threading.Lock()

    def __call__(self, _: str, __: dict[str, Any]) -> None:
        """Wait, if it is not one of the first."""
        with self._lock:
            self.seen += 1
            waits = self.seen > 4
        if waits:
            self.go.wait(60)


@contextmanager
def slow_service() -> Iterator[tuple[SlowService, str]]:
    service = SlowService()
    with judge_server(first_is_best, service) as url:
        try:
            yield service, url
        finally:
            service.go.set()


@contextmanager
def judging(folder: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`reasrm judge` on 30 rows, once four replies have come; and its ledger."""
    rows, out = folder / "rows.jsonl", folder / "out.jsonl"
    rows.write_text("".join(json.dumps({"prompt": f"case {n}", "a": "yes", "b": "no"}) + "\n" for n in range(30)))
    command = [sys.executable, "-m", "reasrm.cli", "judge", "--jsonl", str(rows), "--out", str(out)]
    command += ["--base-url", url, "--model", "m"]
    ledger = out.with_suffix(".replies.jsonl")
    process = subprocess.Popen(command, env=os.environ | {"OPENAI_API_KEY": "test"}, text=True)
    try:
        until = time.monotonic() + 60
        while not ledger.exists() or kept(ledger) < 4:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield process, ledger
    finally:
        process.kill()
        process.wait()


def kept(ledger: Path) -> int:
    return ledger.read_bytes().count(b"\n")


def test_an_interrupt_ends_in_seconds_though_the_service_hangs(tmp_path: Path) -> None:
    with slow_service() as (_, url), judging(tmp_path, url) as (process, ledger):
        process.send_signal(signal.SIGINT)
        assert process.wait(GRACE_SECONDS + 10) == 130
        assert kept(ledger) == 4


def test_replies_that_come_soon_after_an_interrupt_are_kept(tmp_path: Path) -> None:
    with slow_service() as (service, url), judging(tmp_path, url) as (process, ledger):
        process.send_signal(signal.SIGINT)
        time.sleep(GRACE_SECONDS / 3)
        service.go.set()
        assert process.wait(GRACE_SECONDS + 10) == 130
        assert kept(ledger) == service.seen == 20, "nothing more was sent, and all that was under way came"


def test_a_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    with slow_service() as (_, url), judging(tmp_path, url) as (process, ledger):
        process.send_signal(signal.SIGINT)
        time.sleep(GRACE_SECONDS / 6)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert time.monotonic() - began < GRACE_SECONDS / 2
        assert kept(ledger) == 4


def test_a_program_that_ends_between_two_replies_waits_for_none(tmp_path: Path) -> None:
    with slow_service() as (_, url):
        command = [sys.executable, "-c", PROMPT_ONLY, url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "first\n"
            child.communicate("\n", timeout=20)
        assert child.returncode == -signal.SIGINT


def test_a_program_that_handles_sigint_keeps_its_handler() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        with FirstInterrupt() as interrupt:
            signal.raise_signal(signal.SIGINT)
        assert seen == [signal.SIGINT]
        assert not interrupt.noted
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigint_is_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with FirstInterrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.noted
    assert signal.getsignal(signal.SIGINT) is before
