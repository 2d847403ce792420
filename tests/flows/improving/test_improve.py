"""`reasrm improve` on toy stages: which judge each round begins with, what a kill leaves, what a budget buys."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flows.improving.results import COLUMNS, cells
from flows.improving.round_params import round_params
from flows.running.stage_outcome import FlowError
from flows.running.status import running_process
from reasrm.runtime.yaml_files import parse_yaml, read_yaml, write_yaml
from tests.flows.processes import LONG, survivors
from tests.flows.toy_project import environment
from tests.flows.toy_rounds import ASKED, HANG, NO_LABEL, PARAMS, PROCESSES, QUESTIONS, make_rounds_project

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_rounds_project(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def surroundings(server_port: int) -> dict[str, str]:
    return environment() | {"PREFECT_SERVER_API_PORT": str(server_port)}


def improve(project: Path, surroundings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reasrm.cli", "improve", *words]
    return subprocess.run(command, cwd=project, env=surroundings, capture_output=True, text=True, check=False)


def document(root: Path, number: int, kept: list[int]) -> dict[str, Any]:
    return dict(parse_yaml(round_params(root, number, kept), "params.yaml"))


def test_a_round_begins_with_the_judge_and_the_pairs_that_were_kept() -> None:
    first, second, third = (document(ROOT, *one) for one in ((1, []), (2, [1]), (3, [1])))
    assert first["hard_cases_variants"]["round-1"]["judge"] == "grpo-full"
    assert first["grpo_variants"]["round-1"]["start"] == "grpo-full"
    assert first["extend_pairs_variants"]["round-1"]["extends"] == "data/pairs"
    assert second["contested_variants"]["round-2"]["old"] == "round-1"
    assert second["grpo_variants"]["round-2"]["start"] == "grpo-round-1"
    assert second["extend_pairs_variants"]["round-2"]["extends"] == "data/pair_versions/round-1"
    assert "round-2" not in third["grpo_variants"], "a dropped round is no part of a later one"
    assert third["grpo_variants"]["round-3"]["start"] == "grpo-round-1"
    own = [one["hard_cases_variants"][f"round-{number}"] for number, one in enumerate((first, second, third), start=1)]
    assert len({one["seed"] for one in own}) == 3, "each round draws prompts and answers of its own"
    assert second["hard_cases_variants"]["round-1"] == first["hard_cases_variants"]["round-1"]


def test_the_next_round_draws_the_answers_of_the_policy_that_the_kept_judge_trained(tmp_path: Path) -> None:
    write_yaml(tmp_path / "params.yaml", PARAMS)
    found = document(tmp_path, 2, [1])
    trained = "data/policies/round-1/checkpoint"
    assert found["hard_cases_variants"]["round-1"]["policy"] == found["policy_variants"]["round-1"]["start"]
    assert found["hard_cases_variants"]["round-2"]["policy"] == found["policy_variants"]["round-2"]["start"] == trained
    assert found["policy_variants"]["round-2"]["judge"] == "round-2"
    assert found["policy_variants"]["round-2"]["checkpoint"] == "data/checkpoints/grpo-round-2"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"arm": "nobody"}, "improve.arm is nobody: `policy_variants` has reasrm"),
        ({"judge": "nobody"}, "improve.judge is nobody: `judge_variants` has grpo-full"),
        ({"grpo": {"start": "sft"}}, r"`grpo.start` is set by each round itself"),
        ({"rounds": 3}, "rounds"),
    ],
)
def test_what_a_round_cannot_begin_with_is_refused(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    write_yaml(tmp_path / "params.yaml", PARAMS | {"improve": PARAMS["improve"] | change})
    with pytest.raises(FlowError, match=why):
        round_params(tmp_path, 1, [])


@pytest.mark.slow
def test_without_a_policy_nothing_begins(project: Path, surroundings: dict[str, str]) -> None:
    (project / "data/prompts.jsonl").unlink()
    done = improve(project, surroundings, "--dry-run")
    assert done.returncode == 1
    assert "improve.prompts is data/prompts.jsonl: it is not there, and no stage makes it" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_round_goes_on_and_rounds_chain(project: Path, surroundings: dict[str, str]) -> None:
    (project / HANG).parent.mkdir()
    (project / HANG).touch()
    command = [sys.executable, "-m", "reasrm.cli", "improve", "--rounds", "1", "--json"]
    process = subprocess.Popen(command, cwd=project, env=surroundings, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + LONG
    while not (project / ASKED).exists() or len((project / ASKED).read_text().splitlines()) < QUESTIONS // 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not survivors(map(int, (project / PROCESSES).read_text().split()))
    (project / HANG).unlink()
    while running_process(project / "work/improve/round-1") is not None:  # it ends when it sees that it is orphaned
        assert time.monotonic() < deadline
        time.sleep(0.1)

    done = improve(project, surroundings, "--rounds", "2", "--json", "--budget-usd", "1")
    assert done.returncode == 0, done.stderr
    asked = (project / ASKED).read_text().splitlines()
    assert len(asked) == len(set(asked)) == 4 * QUESTIONS, "nothing is asked twice"
    found = json.loads(done.stdout)
    assert [one["kept"] for one in found["rounds"]] == [True, False]
    assert [one["judges"]["old"] for one in found["rounds"]] == ["grpo-full", "round-1"]
    assert found["judge"] == "round-1"
    rounds = project / "work/improve"
    assert (rounds / "round-2/data/checkpoints/grpo-round-2").read_text() == "full round-1 round-2 "
    assert (rounds / "round-1/data/policies/round-1/checkpoint").read_text() == "by full round-1 "
    assert not (rounds / "round-2/data/policies").exists(), "no policy is trained with a judge that was dropped"
    assert json.loads((rounds / "round-2/decision.json").read_text())["kept"] is False
    assert json.loads((rounds / "rounds.json").read_text()) == found
    assert read_yaml(project / "params.yaml") == PARAMS
    assert not (project / "dvc.lock").exists(), "the project itself stays as it was"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_round_without_a_label_is_a_decision_and_no_failure(project: Path, surroundings: dict[str, str]) -> None:
    (project / NO_LABEL).parent.mkdir()
    (project / NO_LABEL).touch()
    done = improve(project, surroundings, "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    (decision,) = json.loads(done.stdout)["rounds"]
    assert (decision["kept"], decision["benchmarks"]) == (False, None)
    assert decision["oracle"]["questions"] == {"train": QUESTIONS}
    assert len(cells(decision)) == len(COLUMNS)
    assert json.loads(done.stdout)["judge"] == "grpo-full"
    assert not (project / "work/improve/round-1/data/checkpoints/grpo-round-1").exists(), "nothing is trained"
