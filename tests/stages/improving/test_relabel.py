"""The stage with the local oracle: kill -9 in the middle, a budget that stops it, and nothing asked twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from reasrm.miniature.world import Split, training_pairs
from reasrm.records.comparison import Side
from reasrm.records.hard_case import AnswerPair, Candidate, CandidateKind, RelabelledCandidate, RelabelOutcome
from reasrm.records.jsonl import read_records, read_rows, write_records
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from stages.improving.relabel import main
from tests.flows.processes import LONG

ROOT = Path(__file__).parents[3]
CANDIDATES, MOST = 60, 100
LEDGER = Path("ledgers/relabel.jsonl")
pytestmark = pytest.mark.slow


def make_checkout(folder: Path, most_in_flight: int) -> Path:
    """The committed parameters, and candidates of which every third is a tie."""
    document = read_yaml(ROOT / "params.yaml")
    document["relabel_variants"] = {"some": {"reads": "data/candidates.jsonl", "most_questions": MOST}}
    document["distill_traces_asking"] |= {"most_in_flight": most_in_flight}
    folder.mkdir()
    write_yaml(folder / "params.yaml", document)
    found = []
    for place, pair in enumerate(training_pairs(Split.TRAIN, CANDIDATES, seed=3)):
        worse = f"{pair.chosen}: agrees. So A has 100, B has 0." if place % 3 == 0 else pair.rejected
        answers = AnswerPair(prompt=pair.prompt, prompt_id=pair.id, task=pair.source, a=worse, b=pair.chosen)
        verdicts = {"judge": (Side.A, Side.B)}
        found.append(Candidate(pair=answers, kind=CandidateKind.INCONSISTENT, verdicts=verdicts))
    write_records(folder / "data/candidates.jsonl", found)
    return folder


def start(folder: Path, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "stages.improving.relabel", "some"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def states(folder: Path) -> dict[str, Counter[str]]:
    """How often each question was sent, and answered."""
    found: dict[str, Counter[str]] = {"sent": Counter(), "final": Counter()}
    for _, entry in read_rows(folder / LEDGER):
        found[entry["state"]][entry["key"]] += 1
    return found


def outputs(folder: Path) -> list[bytes]:
    return [(folder / "data/relabelled/some" / name).read_bytes() for name in ("relabelled.jsonl", "metrics.json")]


def test_a_killed_and_a_stopped_run_go_on_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    whole, killed = make_checkout(tmp_path / "whole", 64), make_checkout(tmp_path / "killed", 1)
    done = start(whole)
    out, err = done.communicate()
    assert done.returncode == 0, err
    assert f"{MOST} questions, $" in out

    child, deadline = start(killed), time.monotonic() + LONG
    while not (killed / LEDGER).exists() or len(states(killed)["final"]) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not (killed / "data/relabelled").exists()
    assert len(states(killed)["final"]) < MOST
    stopped = start(killed, REASRM_BUDGET_USD="0.1")
    assert "stopped (budget)" in stopped.communicate()[1]
    assert stopped.returncode == 3
    assert len(states(killed)["final"]) < MOST
    last = start(killed)
    _, err = last.communicate()
    assert last.returncode == 0, err
    assert outputs(killed) == outputs(whole)
    asked = states(killed)
    assert set(asked["final"].values()) == {1}
    assert len(asked["final"]) == MOST
    assert asked["sent"].total() <= MOST + 1, "the one in flight at the kill alone was sent again"
    again = start(killed)
    again.communicate()
    assert states(killed) == asked

    found = list(read_records(killed / "data/relabelled/some/relabelled.jsonl", RelabelledCandidate))
    for place, one in enumerate(found):
        expected = RelabelOutcome.ORDERS_DISAGREE if place % 3 == 0 else RelabelOutcome.LABELLED
        assert one.outcome is (expected if place < MOST // 2 else RelabelOutcome.OVER_LIMIT)
        assert one.better in (None, Side.B)
    metrics = json.loads(outputs(killed)[1])
    assert sum(metrics["outcomes"].values()) == metrics["candidates"] == CANDIDATES
    assert metrics["usd"] > 0.1


def test_two_judges_that_agree_everywhere_leave_nothing_to_ask_and_that_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkout(tmp_path / "agreed", 1)
    write_records(folder / "data/candidates.jsonl", [])
    monkeypatch.chdir(folder)
    assert main("some").startswith("some: 0 questions, $0.0000")
    found, metrics = outputs(folder)
    assert found == b""
    assert (json.loads(metrics)["questions"], json.loads(metrics)["usd"]) == (0, 0)
