"""The stand-alone command: exit codes, summary, both passes, the vendors' own variables, no key in any file.

Run:     pytest tests/oracle/test_command.py
"""

import json
from pathlib import Path
from typing import Any

import pytest

from reasrm.apis.request_format import ApiProtocol
from reasrm.commands.oracle import main
from reasrm.commands.oracle_arguments import prices_of
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace
from tests.fake_vendor.oracle_on_loopback import MODEL, LocalOracle

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
    assert server.request_log()["billed_again"] == 0


def test_a_dry_run_asks_nobody(folder: Path, server: LocalOracle, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "--prices", "3,15", "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["to_ask"] == 60
    assert server.request_log()["requests"] == 0
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


def asked(server: LocalOracle) -> int:
    return int(server.request_log()["requests"])


def test_pairs_that_the_first_pass_does_not_know_are_named_and_nothing_is_asked(
    folder: Path, server: LocalOracle, pairs: list[PreferencePair], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, "--prices", "3,15") == 0
    before, first = asked(server), (folder / "first.jsonl").read_bytes()
    write_records(folder / "pairs.jsonl", pairs[:62])
    second = ("--first-traces", str(folder / "first.jsonl"), "--prices", "3,15")
    assert call(folder, *second, which="second", out="second.jsonl") == 1
    told = capsys.readouterr().err
    assert "has no trace about 2 of the 62 pairs" in told
    assert pairs[60].id in told
    (folder / "none.jsonl").write_text("")
    assert call(folder, "--first-traces", str(folder / "none.jsonl"), "--prices", "3,15", which="second") == 1
    assert asked(server) == before
    assert (folder / "first.jsonl").read_bytes() == first
    assert not (folder / "second.jsonl").exists()


@pytest.mark.parametrize("which", ["first", "second"])
def test_no_pair_at_all_is_an_error_and_leaves_no_output(
    which: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pairs.jsonl").write_text("\n")
    (folder / "traces.jsonl").write_text("")
    assert call(folder, "--first-traces", str(folder / "traces.jsonl"), "--prices", "3,15", which=which) == 1
    assert "pair" in capsys.readouterr().err
    assert not (folder / "first.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "option", "said"),
    [
        (("--budget-usd", "-1"), "--budget-usd", "greater than or equal to 0"),
        (("--budget-usd", "nan"), "--budget-usd", "nan"),
        (("--attempts", "0"), "--attempts", "greater than 0"),
        (("--batch-requests", "60000"), "--batch-requests", "50000"),
        (("--timeout-seconds", "0"), "--timeout-seconds", "greater than 0"),
        (("--truncated-retries", "-1"), "--truncated-retries", "at least 0"),
        (("--max-tokens", "0"), "--max-tokens", "at least 1"),
        (("--prices=-1,2",), "--prices", "input"),
        (("--prices", "1"), "--prices", "IN,OUT"),
        (("--prices", "one,two"), "--prices", "IN,OUT"),
        (("--out", "."), "--out", "is a folder"),
        (("--summary", "."), "--summary", "is a folder"),
        (("--ledger", "."), "--ledger", "is a folder"),
        (("--out", "pairs.jsonl/out.jsonl"), "--out", "cannot be written"),
        (("--summary", "pairs.jsonl/out.jsonl"), "--summary", "cannot be written"),
        (("--out", "pairs.jsonl"), "--out", "of --pairs"),
        (("--ledger", "pairs.jsonl"), "--ledger", "of --pairs"),
        (("--summary", "./pairs.jsonl"), "--summary", "of --pairs"),
        (("--summary", "first.jsonl"), "--summary", "of --out"),
        (("--ledger", "first.jsonl"), "--ledger", "of --out"),
        (("--out", "old.jsonl", "--first-traces", "old.jsonl"), "--out", "of --first-traces"),
    ],
)
def test_wrong_words_are_2_and_name_the_option_before_anything_is_asked(
    words: tuple[str, ...],
    option: str,
    said: str,
    folder: Path,
    server: LocalOracle,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    assert call(folder, "--prices", "3,15", *words) == 2
    told = capsys.readouterr().err
    assert f"argument {option}: " in told
    assert said in told
    assert asked(server) == 0
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize("option", ["--pairs", "--first-traces"])
def test_an_input_that_is_a_folder_is_told_in_one_line(
    option: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--first-traces", str(folder / "pairs.jsonl"), option, str(folder))
    assert call(folder, "--prices", "3,15", *given, which="second") == 1
    told = capsys.readouterr().err
    assert f"reasrm oracle: Is a directory: {folder}" in told


@pytest.mark.parametrize("line", ["{", '{"key": "00", "text": 1}', '{"key": "not hex", "state": "final"}', "[]"])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_ledger_that_is_none_is_told_with_its_place(
    line: str, more: tuple[str, ...], folder: Path, server: LocalOracle, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "first.jsonl.ledger.jsonl").write_text(f"{line}\n")
    assert call(folder, "--prices", "3,15", *more) == 1
    assert "first.jsonl.ledger.jsonl byte 0: a complete line is not JSON" in capsys.readouterr().err
    assert asked(server) == 0


def test_a_budget_stop_says_what_is_spent_what_the_rest_costs_and_a_budget_that_suffices(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, "--prices", "3,15", "--budget-usd", "0.09") == 3
    told = capsys.readouterr().err
    assert summary(folder)["spent_usd"] > 0
    assert f"${summary(folder)['spent_usd']:.4f} of the $0.0900" in told
    assert f"the {60 - summary(folder)['settled']} of 60 questions" in told
    enough = told.rpartition("raise --budget-usd to about $")[2].partition(".")
    assert call(folder, "--prices", "3,15", "--budget-usd", f"{enough[0]}.{enough[2][:2]}") == 0
    assert call(folder, "--prices", "3,15", "--budget-usd", "0") == 0  # all is answered: nothing has to be sent


def test_another_model_than_the_one_asked_is_told(
    folder: Path, server: LocalOracle, capsys: pytest.CaptureFixture[str]
) -> None:
    server.restart(answering_model="miniature-20270101")
    assert call(folder, "--prices", "3,15") == 0
    assert summary(folder)["replies_of_other_models"] == {"miniature-20270101": 60}
    assert summary(folder)["output"]["replies_of_other_models"] == 60
    assert (
        "WARNING: replies were not given by the model that was asked: 60 by miniature-2027" in capsys.readouterr().out
    )


def test_replies_that_were_paid_at_other_prices_are_counted(folder: Path) -> None:
    assert call(folder, "--prices", "3,15") == 0
    paid = summary(folder)["spent_usd"]
    assert "replies_at_other_prices" not in summary(folder)["output"]
    assert call(folder, "--prices", "1,5") == 0
    assert summary(folder)["output"]["replies_at_other_prices"] == 60
    assert summary(folder)["output"]["usd"] == paid


@pytest.mark.parametrize(
    ("vendor", "read", "write"), [(ApiProtocol.ANTHROPIC, 0.3, 3.75), (ApiProtocol.OPENAI, 3.0, 3.0)]
)
def test_two_prices_give_the_vendors_own_for_its_cache(vendor: ApiProtocol, read: float, write: float) -> None:
    prices = prices_of(vendor, "m", "3,15")
    assert (prices.cache_read, prices.cache_write) == (pytest.approx(read), pytest.approx(write))
    assert prices_of(vendor, "m", "3,15,1,2").cache_write == 2


def test_bad_input_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pairs.jsonl").write_text('{"prompt": []}\n')
    assert call(folder, "--prices", "3,15") == 1
    assert "pairs.jsonl line 1" in capsys.readouterr().err
