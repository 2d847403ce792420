"""DVC's own experiments with the real oracle stage: each question is asked once, and a budget counts over all of them.

Run:     pytest -m slow tests/flows/test_experiments.py        (some minutes; no model)
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reasrm.miniature.oracle_server import local_oracle
from tests.flows.real_project import change_params, copy_pipeline
from tests.flows.toy_project import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PAIRS = 40
STAGE = "distill_traces@first"
BUDGET = "0.03"
"""Dollars; all questions cost about .1."""


@pytest.fixture(scope="module")
def oracle() -> Iterator[str]:
    """A server that counts what it is asked."""
    with local_oracle() as url:
        yield url


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real pipeline with few pairs and a vendor's oracle, committed."""
    root = tmp_path_factory.mktemp("experiments") / "project"
    copy_pipeline(root)
    change_params(
        root,
        collect_pairs={"counts": {"distill": PAIRS, "reinforce": 40, "dev": 20}},
        distill_traces={"endpoint": "environment"},
    )
    for words in (["config", "user.name", "t"], ["config", "user.email", "t@example.org"], ["commit", "-qam", "few"]):
        subprocess.run(["git", "-c", "commit.gpgsign=false", *words], cwd=root, check=True)
    made = dvc(root, "", "repro", "collect_pairs")
    assert made.returncode == 0, made.stdout + made.stderr
    return root


def dvc(root: Path, url: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run DVC with the oracle's address in the environment, as a user does."""
    asked = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "k", "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "k"}
    surroundings = environment() | asked | {"OMP_NUM_THREADS": "1"} | variables
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=root, env=surroundings, capture_output=True, text=True, check=False)


def asked(url: str) -> int:
    """How many replies the server has billed."""
    with urllib.request.urlopen(f"{url}/request-log") as response:
        log: dict[str, Any] = json.load(response)
    return int(log["billed"])


def wait_for_queue(root: Path, url: str) -> str:
    """Wait until the queue's tasks have ended; returns their states."""
    for _ in range(300):
        said = dvc(root, url, "queue", "status").stdout
        if "Queued" not in said and "Running" not in said:
            return said
        time.sleep(1)
    raise AssertionError(said)


def test_experiments_ask_nothing_that_the_project_asked_and_the_budget_counts_over_both(
    project: Path, oracle: str
) -> None:
    questions = len((project / "data/pairs/distill.jsonl").read_text().splitlines())
    temporary = dvc(project, oracle, "exp", "run", "--temp", STAGE, REASRM_BUDGET_USD=BUDGET)
    assert temporary.returncode != 0
    assert "stopped (budget)" in temporary.stdout + temporary.stderr
    within_budget = asked(oracle)
    assert 0 < within_budget < questions
    assert list((project / "ledgers").glob("*")) == [project / "ledgers/distill_traces-first.jsonl"]

    again = dvc(
        project,
        oracle,
        "exp",
        "run",
        "--temp",
        "-S",
        "distill_traces.min_ok_share=0.4",
        STAGE,
        REASRM_BUDGET_USD=BUDGET,
    )
    assert again.returncode != 0
    assert asked(oracle) == within_budget, "the budget is spent, whichever checkout spent it"

    queued = dvc(project, oracle, "exp", "run", "--queue", "-S", "distill_traces.min_ok_share=0.3", STAGE)
    assert queued.returncode == 0, queued.stderr
    assert dvc(project, oracle, "queue", "start").returncode == 0
    assert "Success" in wait_for_queue(project, oracle)
    assert asked(oracle) == questions

    here = dvc(project, oracle, "repro", STAGE)
    assert here.returncode == 0, here.stdout + here.stderr
    assert asked(oracle) == questions, "each question once"


def test_a_ledger_that_another_process_writes_says_who(project: Path, oracle: str) -> None:
    program = (
        "import sys; from pathlib import Path; from reasrm.records.ledger import Ledger\n"
        "with Ledger(Path('ledgers/distill_traces-first.jsonl')): print('open', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    writer = subprocess.Popen([sys.executable, "-c", program], cwd=project, stdin=pipe, stdout=pipe, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline()
    busy = dvc(project, oracle, "exp", "run", "--temp", "-S", "distill_traces.min_ok_share=0.2", STAGE)
    writer.communicate()
    said = busy.stdout + busy.stderr
    assert f"is being written by another run (process {writer.pid} of {os.uname().nodename}, in {project})" in said
    assert "exited with 4" in said
