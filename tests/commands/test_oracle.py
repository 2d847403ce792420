"""The stand-alone command: exit codes, summary, both passes, the vendors' own variables, no key in any file.

Run:     pytest tests/commands/test_oracle.py
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import Result

from reasrm.apis.request_format import ApiProtocol
from reasrm.commands.oracle import PassName, PromptName, ProviderName
from reasrm.commands.oracle_run import given_prices
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TracePass
from tests.commands.oracle_command import invoke
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


def call(
    folder: Path, *more: str, which: str = "first", out: str = "first.jsonl", provider: str = "anthropic"
) -> Result:
    """Run the command."""
    arguments = ["--pairs", str(folder / "pairs.jsonl"), "--pass", which, "--provider", provider, "--model", MODEL]
    arguments += ["--out", str(folder / out), "--summary", str(folder / "summary.json"), "--max-tokens", "500", *more]
    return invoke(arguments)


def summary(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "summary.json").read_text()))


def test_two_passes_with_two_vendors(folder: Path) -> None:
    first_run = call(folder, "--prices", "3,15")
    assert first_run.exit_code == 0
    assert summary(folder)["settled"] == summary(folder)["questions"] == 60
    second = ("--first-traces", str(folder / "first.jsonl"), "--prices", "2,8")
    result = call(folder, *second, which="second", out="second.jsonl", provider="openai")
    assert result.exit_code == 0
    wrong = 60 - json.loads((folder / "summary.json").read_text())["questions"]
    traces = list(read_records(folder / "first.jsonl", OracleTrace))
    assert len(traces) == 60
    assert sum(f"[[{trace.better}]]" in trace.text for trace in traces) == wrong
    everything = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert KEY.encode() not in everything
    assert KEY not in first_run.output + result.output


def test_batches_cost_half(folder: Path) -> None:
    assert call(folder, "--prices", "3,15").exit_code == 0
    online = summary(folder)["spent_usd"]
    assert call(folder, "--prices", "3,15", "--batch", "--poll-seconds", "1", out="batch.jsonl").exit_code == 0
    assert summary(folder)["spent_usd"] == pytest.approx(online / 2, abs=1e-5)


def test_a_budget_stops_with_3_and_a_larger_one_finishes(folder: Path, server: LocalOracle) -> None:
    assert call(folder, "--prices", "3,15", "--budget-usd", "0.05").exit_code == 3
    assert summary(folder)["stopped"] == "budget"
    assert not (folder / "first.jsonl").exists()
    assert call(folder, "--prices", "3,15", "--budget-usd", "5").exit_code == 0
    assert server.request_log()["billed_again"] == 0


def test_a_dry_run_asks_nobody(folder: Path, server: LocalOracle) -> None:
    result = call(folder, "--prices", "3,15", "--dry-run")
    assert result.exit_code == 0
    assert "60 of 60 questions still to ask in 60 requests: at most $" in result.stdout
    expected = json.loads(call(folder, "--prices", "3,15", "--dry-run", "--json").stdout)
    assert expected["to_ask"] == 60
    assert 0 < expected["usd"] <= expected["at_most_usd"]
    assert server.request_log()["requests"] == 0
    assert sorted(file.name for file in folder.iterdir()) == ["pairs.jsonl"]


def test_a_missing_key_is_an_error_that_names_its_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in ("anthropic", "openai"):
        monkeypatch.delenv(f"{vendor.upper()}_API_KEY")
        monkeypatch.setenv(f"{vendor.upper()}_BASE_URL", "http://oracle.invalid")
        monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(folder / "nothing"))
        result = call(folder, "--prices", "3,15", provider=vendor)
        assert result.exit_code == 1
        assert f"{vendor.upper()}_API_KEY" in result.stderr


@pytest.mark.parametrize(("more", "share"), [((), 1.0), (("--batch", "--poll-seconds", "1"), 0.5)])
def test_an_unknown_model_runs_with_a_warning_and_is_priced_once_prices_are_given(
    more: tuple[str, ...], share: float, folder: Path
) -> None:
    result = call(folder, *more)
    assert result.exit_code == 0
    assert "WARNING: cost unknown" in result.stderr
    assert "60 replies, cost unknown" in result.stdout
    assert "give --prices" in result.stderr
    assert summary(folder)["spent_usd"] is None
    assert summary(folder)["output"]["usd"] is None
    priced = call(folder, "--prices", "3,15")
    assert priced.exit_code == 0
    used = summary(folder)["output"]
    usd = (3 * used["input_tokens"] + 15 * used["output_tokens"]) / 1e6
    assert summary(folder)["spent_usd"] == pytest.approx(share * usd, abs=1e-6)
    assert "WARNING" not in priced.stderr


@pytest.mark.parametrize(
    ("more", "purpose"), [(("--budget-usd", "1"), "a budget"), (("--dry-run",), "an estimate of the cost")]
)
def test_a_budget_and_an_estimate_demand_a_price_and_say_how_to_give_it(
    more: tuple[str, ...], purpose: str, folder: Path, server: LocalOracle
) -> None:
    result = call(folder, *more)
    assert result.exit_code == 1
    assert f"{purpose} needs the model's price" in result.stderr
    assert "give --prices" in result.stderr
    assert asked(server) == 0


def test_the_second_pass_needs_the_first(folder: Path) -> None:
    assert call(folder, "--prices", "3,15", which="second").exit_code == 2


def asked(server: LocalOracle) -> int:
    return int(server.request_log()["requests"])


def test_pairs_that_the_first_pass_does_not_know_are_named_and_nothing_is_asked(
    folder: Path, server: LocalOracle, pairs: list[PreferencePair]
) -> None:
    result = call(folder, "--prices", "3,15")
    assert result.exit_code == 0
    before, first = asked(server), (folder / "first.jsonl").read_bytes()
    write_records(folder / "pairs.jsonl", pairs[:62])
    second = ("--first-traces", str(folder / "first.jsonl"), "--prices", "3,15")
    result = call(folder, *second, which="second", out="second.jsonl")
    assert result.exit_code == 1
    message = result.stderr
    assert "has no trace about 2 of the 62 pairs" in message
    assert pairs[60].id in message
    (folder / "none.jsonl").write_text("")
    result = call(folder, "--first-traces", str(folder / "none.jsonl"), "--prices", "3,15", which="second")
    assert result.exit_code == 1
    assert asked(server) == before
    assert (folder / "first.jsonl").read_bytes() == first
    assert not (folder / "second.jsonl").exists()


@pytest.mark.parametrize("which", ["first", "second"])
def test_no_pair_at_all_is_an_error_and_leaves_no_output(which: str, folder: Path) -> None:
    (folder / "pairs.jsonl").write_text("\n")
    (folder / "traces.jsonl").write_text("")
    result = call(folder, "--first-traces", str(folder / "traces.jsonl"), "--prices", "3,15", which=which)
    assert result.exit_code == 1
    assert "pair" in result.stderr
    assert not (folder / "first.jsonl").exists()


@pytest.mark.parametrize(
    ("more", "option", "said"),
    [
        (("--budget-usd", "-1"), "--budget-usd", "greater than or equal to 0"),
        (("--budget-usd", "nan"), "--budget-usd", "nan"),
        (("--attempts", "0"), "--attempts", "greater than 0"),
        (("--batch-requests", "60000"), "--batch-requests", "50000"),
        (("--timeout-seconds", "0"), "--timeout-seconds", "greater than 0"),
        (("--truncated-retries", "-1"), "--truncated-retries", "greater than or equal to 0"),
        (("--max-tokens", "0"), "--max-tokens", "greater than or equal to 1"),
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
def test_a_usage_error_exits_with_2_and_names_the_option_before_anything_is_asked(
    more: tuple[str, ...],
    option: str,
    said: str,
    folder: Path,
    server: LocalOracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    result = call(folder, "--prices", "3,15", *more)
    assert result.exit_code == 2
    message = result.stderr
    assert f"Invalid value for {option}: " in message.replace("'", "")
    assert said in message
    assert asked(server) == 0
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize("option", ["--pairs", "--first-traces"])
def test_an_input_that_is_a_folder_is_reported_in_one_line(option: str, folder: Path) -> None:
    given = ("--first-traces", str(folder / "pairs.jsonl"), option, str(folder))
    result = call(folder, "--prices", "3,15", *given, which="second")
    assert result.exit_code == 1
    message = result.stderr
    assert f"reasrm oracle: Is a directory: {folder}" in message


@pytest.mark.parametrize("line", ["{", '{"key": "00", "text": 1}', '{"key": "not hex", "state": "final"}', "[]"])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_file_that_is_no_ledger_is_reported_with_its_place(
    line: str, more: tuple[str, ...], folder: Path, server: LocalOracle
) -> None:
    (folder / "first.jsonl.ledger.jsonl").write_text(f"{line}\n")
    result = call(folder, "--prices", "3,15", *more)
    assert result.exit_code == 1
    assert "first.jsonl.ledger.jsonl byte 0: a complete line is not JSON" in result.stderr
    assert asked(server) == 0


def test_a_budget_stop_says_what_is_spent_what_the_rest_costs_and_a_budget_that_suffices(folder: Path) -> None:
    result = call(folder, "--prices", "3,15", "--budget-usd", "0.09")
    assert result.exit_code == 3
    message = result.stderr
    assert summary(folder)["spent_usd"] > 0
    assert f"${summary(folder)['spent_usd']:.4f} of the $0.0900" in message
    assert f"the {60 - summary(folder)['settled']} of 60 questions" in message
    enough = message.rpartition("raise --budget-usd to about $")[2].partition(".")
    result = call(folder, "--prices", "3,15", "--budget-usd", f"{enough[0]}.{enough[2][:2]}")
    assert result.exit_code == 0
    result = call(folder, "--prices", "3,15", "--budget-usd", "0")
    assert result.exit_code == 0  # all is answered: nothing has to be sent


def test_another_model_than_the_one_asked_is_reported(folder: Path, server: LocalOracle) -> None:
    server.restart(answering_model="miniature-20270101")
    result = call(folder, "--prices", "3,15")
    assert result.exit_code == 0
    assert summary(folder)["replies_of_other_models"] == {"miniature-20270101": 60}
    assert summary(folder)["output"]["replies_of_other_models"] == 60
    assert "WARNING: replies were not given by the model that was asked: 60 by miniature-2027" in result.stdout


def test_replies_that_were_paid_at_other_prices_are_counted(folder: Path) -> None:
    assert call(folder, "--prices", "3,15").exit_code == 0
    paid = summary(folder)["spent_usd"]
    assert "replies_at_other_prices" not in summary(folder)["output"]
    assert call(folder, "--prices", "1,5").exit_code == 0
    assert summary(folder)["output"]["replies_at_other_prices"] == 60
    assert summary(folder)["output"]["usd"] == paid


@pytest.mark.parametrize(
    ("vendor", "read", "write"), [(ApiProtocol.ANTHROPIC, 0.3, 3.75), (ApiProtocol.OPENAI, 3.0, 3.0)]
)
def test_two_prices_give_the_vendors_own_for_its_cache(vendor: ApiProtocol, read: float, write: float) -> None:
    prices = given_prices(vendor, "3,15")
    assert (prices.cache_read, prices.cache_write) == (pytest.approx(read), pytest.approx(write))
    assert given_prices(vendor, "3,15,1,2").cache_write == 2


def test_bad_input_is_named(folder: Path) -> None:
    (folder / "pairs.jsonl").write_text('{"prompt": []}\n')
    result = call(folder, "--prices", "3,15")
    assert result.exit_code == 1
    assert "pairs.jsonl line 1" in result.stderr


def test_the_choices_of_the_command_line_are_those_of_the_library() -> None:
    assert get_args(PassName) == tuple(TracePass)
    assert get_args(ProviderName) == tuple(ApiProtocol)
    assert get_args(PromptName) == tuple(PromptVariant)


def test_the_command_line_loads_no_heavy_module_for_its_help() -> None:
    program = "import reasrm.commands.oracle, sys; print([m for m in sys.modules if m.partition('.')[0] in HEAVY])"
    heavy = f"HEAVY = {{'pydantic', 'anthropic', 'openai', 'numpy', 'aiohttp', 'genai_prices'}}; {program}"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout == "[]\n"
