"""The stage over both passes: real SDKs, the local oracle as its child, kill -9 in the middle.

Run:     pytest tests/stages/test_distill_traces.py            (with -m slow for the kill)
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from reasrm.distillation.questions import needs_hint
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from stages.distill_traces import DistillTracesParams

ROOT = Path(__file__).parents[2]
OUTPUTS = tuple(f"{which}.{end}" for which in ("first", "second") for end in ("jsonl", "metrics.json", "refused.json"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the committed parameters and 120 pairs."""
    released = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(
        released.replace("miniature-careful", "miniature-lazy")
    )  # some need a second pass
    write_records(tmp_path / "data/pairs/distill.jsonl", training_pairs(Split.TRAIN, 120, seed=3))
    return tmp_path


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """The stage in `folder`, as DVC runs it; keyword arguments are environment variables."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ANTHROPIC_API_KEY": "sk-never-to-be-seen", **variables}
    command = [sys.executable, "-m", "stages.distill_traces", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def run(folder: Path, *arguments: str) -> str:
    """The stage's standard output."""
    child = start(folder, *arguments)
    out, err = child.communicate()
    assert child.returncode == 0, err
    return out


def change(folder: Path, section: str, **values: object) -> None:
    document = read_yaml(folder / "params.yaml")
    document[section] |= values
    write_yaml(folder / "params.yaml", document)


@pytest.mark.slow
def test_both_passes(checkout: Path) -> None:
    estimate = json.loads(run(checkout, "first", "--dry-run", "--json"))
    assert (estimate["questions"], estimate["to_ask"], estimate["answered"]) == (120, 120, 0)
    assert estimate["usd"] > 0
    assert not (checkout / "ledgers").exists()

    run(checkout, "first")
    run(checkout, "second")
    pairs = training_pairs(Split.TRAIN, 120, seed=3)
    first = list(read_records(checkout / "data/traces/first.jsonl", OracleTrace))
    second = list(read_records(checkout / "data/traces/second.jsonl", OracleTrace))
    assert [trace.pair.id for trace in first] == [pair.id for pair in pairs]
    assert {trace.outcome for trace in first + second} == {TraceOutcome.OK}
    assert [trace.pair.id for trace in second] == [trace.pair.id for trace in first if needs_hint(trace)]
    assert 0 < len(second) < 60
    assert all(trace.oracle_pass is TracePass.SECOND and f"[[{trace.better}]]" in trace.text for trace in second)
    metrics = json.loads((checkout / "data/traces/first.metrics.json").read_text())
    assert metrics["asked"] == 120
    assert metrics["right"] == 120 - len(second)

    before = {name: (checkout / "data/traces" / name).read_bytes() for name in OUTPUTS}
    ledger = (checkout / "ledgers/distill_traces-first.jsonl").read_bytes()
    run(checkout, "first")
    assert (checkout / "ledgers/distill_traces-first.jsonl").read_bytes() == ledger
    assert {name: (checkout / "data/traces" / name).read_bytes() for name in OUTPUTS} == before
    assert json.loads(run(checkout, "first", "--dry-run", "--json"))["to_ask"] == 0
    everything = b"".join(file.read_bytes() for file in checkout.rglob("*") if file.is_file())
    assert b"sk-never-to-be-seen" not in everything


@pytest.mark.slow
def test_a_budget_stops_the_stage_with_exit_code_3(checkout: Path) -> None:
    change(checkout, "distill_traces_asking", budget_usd=0.05)
    child = start(checkout, "first")
    _, err = child.communicate()
    assert child.returncode == 3
    assert "stopped (budget)" in err
    assert "the same command goes on" in err
    assert not (checkout / "data/traces/first.jsonl").exists()


def stop(folder: Path, which: str, budget_usd: float) -> tuple[str, dict[str, Any]]:
    """Run a pass within a budget, as `reasrm run --budget-usd` does; what it said as it stopped, and its metrics."""
    child = start(folder, which, REASRM_BUDGET_USD=str(budget_usd))
    _, err = child.communicate()
    assert child.returncode == 3, err
    return err, json.loads((folder / f"data/traces/{which}.metrics.json").read_text())


@pytest.mark.slow
def test_both_passes_spend_from_one_budget_and_a_stop_leaves_its_spend_in_the_metrics(checkout: Path) -> None:
    run(checkout, "first")
    first_usd = json.loads((checkout / "data/traces/first.metrics.json").read_text())["usd"]
    said, metrics = stop(checkout, "second", first_usd + 0.02)
    assert f"${first_usd:.4f} by the other pass" in said
    assert metrics["stopped"] == "budget"
    assert metrics["usd"] <= 0.02
    assert metrics["still_to_ask"] > 0
    assert not (checkout / "data/traces/second.jsonl").exists()

    again, unchanged = stop(checkout, "second", first_usd + 0.02)
    assert unchanged == metrics
    assert "0 replies of this run" in again
    run(checkout, "second")
    second_usd = json.loads((checkout / "data/traces/second.metrics.json").read_text())["usd"]

    write_records(checkout / "data/pairs/distill.jsonl", training_pairs(Split.TRAIN, 140, seed=3))
    said, metrics = stop(checkout, "first", first_usd + second_usd + 0.001)
    assert f"${second_usd:.4f} by the other pass" in said
    assert (metrics["usd"], metrics["still_to_ask"]) == (first_usd, 20)
    assert "about $" in said


@pytest.mark.parametrize("given", ["-1", "much", "nan"])
def test_a_budget_that_is_no_amount_is_reported_in_one_line(checkout: Path, given: str) -> None:
    child = start(checkout, "first", REASRM_BUDGET_USD=given)
    _, err = child.communicate()
    assert child.returncode == 1
    assert err.startswith("distill_traces@first: environment variable REASRM_BUDGET_USD: budget_usd")
    assert len(err.splitlines()) == 1


def test_an_estimate_without_a_known_price_says_where_to_give_one(checkout: Path) -> None:
    document = read_yaml(checkout / "params.yaml")
    document["distill_traces_variants"]["first"]["prices"] = None
    write_yaml(checkout / "params.yaml", document)
    child = start(checkout, "first", "--dry-run")
    _, err = child.communicate()
    assert child.returncode == 1
    assert "the price of model 'miniature-lazy-20261101' (anthropic) is not known" in err
    assert "give `prices` in params.yaml (distill_traces_variants: first)" in err


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    released = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(
        released.replace("miniature-careful", "miniature-lazy")
    )  # some need a second pass
    child = start(tmp_path, "second", "--dry-run")
    _, err = child.communicate()
    assert child.returncode == 1
    assert "data/traces/first.jsonl is not there yet" in err


@pytest.mark.parametrize(
    ("source", "reads", "said"),
    [
        ("published", "data/pairs/distill.jsonl", "`reads` must be revisions/traces.json where `source` is published"),
        ("files", "data/pairs/distill.jsonl", "`reads` must name the folder of the traces where `source` is files"),
        ("oracle", "mine", "`reads` must be data/pairs/distill.jsonl where `source` is oracle"),
    ],
)
def test_a_pass_depends_on_what_it_reads_and_on_nothing_else(source: str, reads: str, said: str) -> None:
    document = read_yaml(ROOT / "params.yaml")
    values = document["distill_traces"] | document["distill_traces_variants"]["first"]
    with pytest.raises(ValidationError, match=said):
        DistillTracesParams.model_validate(values | {"source": source, "reads": reads})


@pytest.mark.slow
def test_kill_minus_9_asks_nothing_again_leaves_no_process_and_changes_no_byte(checkout: Path) -> None:
    write_records(checkout / "data/pairs/distill.jsonl", training_pairs(Split.TRAIN, 600, seed=4))
    ledger = checkout / "ledgers/distill_traces-first.jsonl"
    victim = start(checkout, "first")
    while not ledger.exists() or ledger.read_bytes().count(b'"final"') < 100:
        assert victim.poll() is None
        time.sleep(0.05)
    children = psutil.Process(victim.pid).children(recursive=True)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    _, alive = psutil.wait_procs(children, timeout=300)
    assert children
    assert not alive

    run(checkout, "first")
    finals = Counter(
        entry["key"] for entry in map(json.loads, ledger.read_text().splitlines()) if entry["state"] == "final"
    )
    assert len(finals) == 600
    assert set(finals.values()) == {1}
    resumed = (checkout / "data/traces/first.jsonl").read_bytes()
    ledger.unlink()
    run(checkout, "first")
    assert (checkout / "data/traces/first.jsonl").read_bytes() == resumed
