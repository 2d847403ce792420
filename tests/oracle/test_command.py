"""The stand-alone command: exit codes, summary, both passes, the vendors' own variables, no key in any file.

Run:     pytest tests/oracle/test_command.py
"""

import json
from pathlib import Path
from typing import Any

import pytest
from oracle_on_loopback import MODEL, LocalOracle

from stages.oracle.command import main
from stages.records.jsonl import read_records, write_records
from stages.records.pair import PreferencePair
from stages.records.trace import OracleTrace

KEY = "sk-secret-0123456789"


@pytest.fixture
def folder(server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty pairs, and an environment that points to the local oracle."""
    for name in ("ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    write_records(tmp_path / "pairs.jsonl", pairs[:60])
    return tmp_path


def call(folder: Path, *more: str, which: str = "first", out: str = "first.jsonl", provider: str = "anthropic") -> int:
    """Run the command; returns its exit code."""
    arguments = ["--pairs", str(folder / "pairs.jsonl"), "--pass", which, "--provider", provider, "--model", MODEL]
    arguments += ["--out", str(folder / out), "--summary", str(folder / "summary.json"), "--max-tokens", "500", *more]
    try:
        main(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


def summary(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "summary.json").read_text()))


def test_two_passes_with_two_vendors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "--prices", "3,15") == 0
    assert summary(folder)["settled"] == summary(folder)["questions"] == 60
    second = ("--first-traces", str(folder / "first.jsonl"), "--prices", "2,8")
    assert call(folder, *second, which="second", out="second.jsonl", provider="openai") == 0
    wrong = 60 - json.loads((folder / "summary.json").read_text())["questions"]
    traces = list(read_records(folder / "first.jsonl", OracleTrace))
    assert len(traces) == 60
    assert sum(f"[[{trace.better}]]" in trace.text for trace in traces) == wrong
    told = capsys.readouterr()
    everything = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert KEY.encode() not in everything
    assert KEY not in told.out + told.err


def test_batches_cost_half(folder: Path) -> None:
    assert call(folder, "--prices", "3,15") == 0
    online = summary(folder)["spent_usd"]
    assert call(folder, "--prices", "3,15", "--batch", "--poll-seconds", "1", out="batch.jsonl") == 0
    assert summary(folder)["spent_usd"] == pytest.approx(online / 2, abs=1e-5)


def test_a_budget_stops_with_3_and_a_larger_one_finishes(folder: Path, server: LocalOracle) -> None:
    assert call(folder, "--prices", "3,15", "--budget-usd", "0.05") == 3
    assert summary(folder)["stopped"] == "budget"
    assert not (folder / "first.jsonl").exists()
    assert call(folder, "--prices", "3,15", "--budget-usd", "5") == 0
    assert server.accounts()["billed_again"] == 0


def test_a_dry_run_asks_nobody(folder: Path, server: LocalOracle, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "--prices", "3,15", "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["to_ask"] == 60
    assert server.accounts()["requests"] == 0
    assert sorted(file.name for file in folder.iterdir()) == ["pairs.jsonl"]


def test_no_key_and_no_price_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(folder) == 1
    assert "give --prices" in capsys.readouterr().err
    for vendor in ("anthropic", "openai"):
        monkeypatch.delenv(f"{vendor.upper()}_API_KEY")
        monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(folder / "nothing"))
        assert call(folder, "--prices", "3,15", provider=vendor) == 1
        assert f"{vendor.upper()}_API_KEY" in capsys.readouterr().err


def test_the_second_pass_needs_the_first(folder: Path) -> None:
    assert call(folder, "--prices", "3,15", which="second") == 2


def test_bad_input_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pairs.jsonl").write_text('{"prompt": []}\n')
    assert call(folder, "--prices", "3,15") == 1
    assert "pairs.jsonl line 1" in capsys.readouterr().err
