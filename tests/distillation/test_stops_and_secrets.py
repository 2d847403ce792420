"""How the command ends when it cannot finish, what it says then, and that no key is ever written anywhere.

Run:     pytest tests/distillation/test_stops_and_secrets.py
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from reasrm.records.jsonl import write_records
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from tests.commands.oracle_command import invoke
from tests.fake_vendor.oracle_on_loopback import MODEL, LocalOracle

CANARY = "sk-canary-4711-never-to-be-seen"
PRICES = ("--prices", "3,15")


@pytest.fixture
def folder(server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two hundred pairs, and an environment that points to the local oracle with keys that are canaries."""
    for name in ("ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", CANARY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    write_records(tmp_path / "pairs.jsonl", pairs)
    return tmp_path


def arguments(folder: Path, *more: str, provider: str = "anthropic") -> list[str]:
    """The command line."""
    files = ["--pairs", str(folder / "pairs.jsonl"), "--out", str(folder / "first.jsonl")]
    files += ["--summary", str(folder / "summary.json")]
    return [*files, "--pass", "first", "--provider", provider, "--model", MODEL, "--max-tokens", "500", *more]


def call(folder: Path, *more: str, provider: str = "anthropic") -> Result:
    """Run the command."""
    return invoke(arguments(folder, *more, provider=provider))


def interrupt_when(condition: Callable[[], bool]) -> threading.Thread:
    """Send this process SIGINT, as Ctrl-C does, once `condition` holds."""

    def wait() -> None:
        while not condition():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def stopped(folder: Path) -> str:
    return str(json.loads((folder / "summary.json").read_text())["stopped"])


def test_ctrl_c_stops_with_3_and_what_was_in_flight_is_not_paid_again(folder: Path, server: LocalOracle) -> None:
    server.restart(latency_seconds=0.2)
    interrupt_when(lambda: server.request_log()["billed"] >= 20)
    assert call(folder, *PRICES).exit_code == 3
    assert stopped(folder) == "interrupted"
    assert call(folder, *PRICES).exit_code == 0
    assert server.request_log()["billed"] == server.request_log()["distinct_billed"] == 200


@pytest.mark.slow
def test_a_second_ctrl_c_ends_it_at_once_with_130_and_in_one_line(folder: Path, server: LocalOracle) -> None:
    server.restart(latency_seconds=30, latency_sigma=0.0)
    command = [sys.executable, "-m", "reasrm.cli", "oracle", *arguments(folder, *PRICES)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while server.request_log()["in_flight"] < 2:
        assert child.poll() is None
        time.sleep(0.02)
    while child.poll() is None:
        child.send_signal(signal.SIGINT)
        time.sleep(0.5)
    assert child.stderr is not None
    message = child.stderr.read()
    assert child.returncode == 130
    assert "Traceback" not in message
    assert "interrupted at once" in message


@pytest.mark.slow
def test_ctrl_c_leaves_a_batch_running_and_the_next_run_takes_it_up(folder: Path, server: LocalOracle) -> None:
    server.restart(batch_seconds=3)
    interrupt_when(lambda: server.request_log()["batches_created"] == 1)
    assert call(folder, *PRICES, "--batch", "--poll-seconds", "1").exit_code == 3
    assert stopped(folder) == "interrupted"
    assert call(folder, *PRICES, "--batch", "--poll-seconds", "1").exit_code == 0
    assert server.request_log()["batches_created"] == 1
    assert server.request_log()["billed"] == 200


@pytest.mark.parametrize(
    ("settings", "more", "reason", "said"),
    [
        ({"credit_usd": 0.05}, (), "no_credit", "credit balance"),
        ({"outages": [(0.0, 1e9)]}, ("--outage-minutes", "0.02"), "outage", "has been down for"),
        ({"faults": {"invalid": 1.0}}, (), "all_invalid", "the request is invalid"),
    ],
)
def test_a_stop_says_why_and_exits_with_3(
    settings: dict[str, object], more: tuple[str, ...], reason: str, said: str, folder: Path, server: LocalOracle
) -> None:
    server.restart(**settings)
    result = call(folder, *PRICES, *more)
    assert result.exit_code == 3
    assert stopped(folder) == reason
    message = result.stderr
    assert f"stopped ({reason})" in message
    assert said in message
    assert "the same command goes on from there" in message


@pytest.mark.parametrize(
    "provider",
    ["anthropic", *(pytest.param(other, marks=pytest.mark.slow) for other in ("openai", "openai_responses"))],
)
@pytest.mark.parametrize("batch", [(), ("--batch", "--poll-seconds", "1")])
def test_a_key_that_a_gateway_repeats_stands_nowhere(
    provider: str, batch: tuple[str, ...], folder: Path, server: LocalOracle
) -> None:
    server.restart(echoes_keys=True)
    result = call(folder, *PRICES, *batch, provider=provider)
    assert result.exit_code == 3
    assert stopped(folder) == "not_allowed"
    message = result.output
    assert "invalid key" in message
    assert CANARY not in message
    assert not [file for file in folder.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]


def test_a_ledger_in_use_exits_with_4(folder: Path) -> None:
    with Ledger(folder / "first.jsonl.ledger.jsonl"):
        result = call(folder, *PRICES)
        assert result.exit_code == 4
    assert "first.jsonl.ledger.jsonl is being written by another run" in result.stderr


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"prompt": [}', "not valid JSON"),
        ('{"prompt": [{"role": "user", "content": "q"}], "rejected": "b", "source": "s"}', "chosen: Field required"),
        ('{"prompt": [{"role": "user", "content": 7}], "chosen": "a", "rejected": "b", "source": "s"}',
         "prompt.0.content: Input should be a valid string (got '7')"),
        ('{"prompt": [{"role": "assistant", "content": "q"}], "chosen": "a", "rejected": "b", "source": "s"}',
         "the last turn must be the user's"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_before_anything_is_asked(row: str, said: str, folder: Path, server: LocalOracle) -> None:
    good = (folder / "pairs.jsonl").read_text().splitlines()[:3]
    (folder / "pairs.jsonl").write_text("\n".join([*good, row]) + "\n")
    result = call(folder, *PRICES)
    assert result.exit_code == 1
    message = result.stderr
    assert "pairs.jsonl line 4: " in message
    assert said in message
    assert "Traceback" not in message
    assert server.request_log()["requests"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai_responses"])
def test_no_key_in_any_file_or_message_whatever_goes_wrong(provider: str, folder: Path, server: LocalOracle) -> None:
    """Every way out of the command in a process of its own, logs silent or at their loudest."""
    pairs = folder / "pairs.jsonl"
    pairs.write_text("".join(pairs.read_text().splitlines(keepends=True)[:80]))
    quiet = {**os.environ, "PYTHONASYNCIODEBUG": "1"}
    loud = quiet | {"ANTHROPIC_LOG": "debug", "OPENAI_LOG": "debug"}
    faults = {"invalid": 0.1, "reset": 0.2, "bad_json": 0.2, "overloaded": 0.2}
    full_disk = ["bash", "-c", 'ulimit -f 24 && exec "$0" "$@"']
    spoken = b""
    for prefix, environment, settings, more in (
        ([], loud, {"faults": faults}, ()),
        ([], loud, {"credit_usd": 0.02}, ("--ledger", str(folder / "other.ledger.jsonl"))),
        ([], loud, {}, ("--summary", "/dev/null/nowhere", "--ledger", str(folder / "third.ledger.jsonl"))),
        (full_disk, loud, {}, ("--ledger", str(folder / "full.ledger.jsonl"))),
        ([], quiet, {"faults": faults, "credit_usd": 0.1}, ("--ledger", str(folder / "fourth.ledger.jsonl"))),
    ):
        server.restart(**settings)
        python = [*prefix, sys.executable, "-m", "reasrm.cli", "oracle"]
        command = [*python, *arguments(folder, *PRICES, *more, provider=provider)]
        ended = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=600)
        spoken += ended.stdout + ended.stderr
    assert b"bytes could be written" in spoken
    assert b"stopped (no_credit)" in spoken
    assert b"HTTP Request: POST" in spoken or b"Request options" in spoken
    written = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert len(written) >= 5
    assert not [str(file) for file, content in written.items() if CANARY.encode() in content]
    assert CANARY.encode() not in spoken
