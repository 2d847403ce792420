"""kill -9 of the flow in the middle of real stages: no process is left, nothing is asked again, the same bytes.

Run:     pytest -m slow tests/flows/running/test_kill_of_real_stages.py        (some minutes; tiny models)
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from reasrm.runtime.yaml_files import read_yaml
from tests.flows.real_project import change_params, copy_pipeline, dvc
from tests.flows.toy_project import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

TARGET = "grpo@full"
LEDGER = Path("ledgers/distill_traces-first.jsonl")
SHORT: dict[str, Any] = {"batch_size": 16, "save_every": 2, "log_every": 1}
NO_SERVER = {"PREFECT_SERVER_API_PORT": "9"}
"""Nothing answers there, so threads carry the stages out."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real pipeline with few pairs, a very small model and short trainings."""
    root = tmp_path_factory.mktemp("killed") / "project"
    copy_pipeline(root)
    change_params(
        root,
        collect_pairs={"counts": {"distill": 400, "reinforce": 160, "dev": 40}, "distill_slices": None},
        distill_traces_asking={"most_in_flight": 2},
        base_model=SHORT
        | {"documents": 320, "shape": {"hidden_size": 32, "layers": 1, "heads": 1, "intermediate_size": 64}},
        sft=SHORT | {"epochs": 1},
        grpo=SHORT | {"steps": 8, "steps_without_signal": 50},
    )
    return root


def start(root: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "reasrm.cli", "run", "--to", TARGET]
    return subprocess.Popen(command, cwd=root, env=environment() | NO_SERVER, start_new_session=True)


def kill_when(root: Path, is_time: Callable[[], bool]) -> set[str]:
    """Kill -9 of the flow alone, once it is time; return the command lines of all that it had started.

    Raises:
        AssertionError: it ended before, or a process outlived it.
    """
    flow = start(root)
    while not is_time():
        assert flow.poll() is None, "the flow was over before it could be killed"
        time.sleep(0.02)
    family = psutil.Process(flow.pid).children(recursive=True)
    words = {" ".join(process.cmdline()) for process in family}
    os.kill(flow.pid, signal.SIGKILL)
    flow.wait()
    _, alive = psutil.wait_procs(family, timeout=300)
    assert not alive
    assert not [process for process in psutil.process_iter(["cwd"]) if str(process.info["cwd"]).startswith(str(root))]
    return words


def answered(root: Path) -> Counter[str]:
    """How often each question has a final answer in the ledger."""
    path = root / LEDGER
    lines = path.read_text().splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines if line.endswith("}")]
    return Counter(entry["key"] for entry in entries if entry["state"] == "final")


def runs(words: set[str], program: str) -> bool:
    return any(program in line for line in words)


def test_killed_twice_and_resumed_it_ends_like_dvc_repro_alone(project: Path, tmp_path: Path) -> None:
    words = kill_when(project, lambda: len(answered(project)) >= 60)
    assert runs(words, "stages.distill_traces first")
    assert runs(words, "reasrm.miniature.oracle_server")
    assert len(answered(project)) < 400
    assert not (project / "data/traces/first.jsonl").exists()

    words = kill_when(project, lambda: bool(list(project.glob("work/grpo-full/*/checkpoint-*/trainer_state.json"))))
    assert runs(words, "stages.grpo full")
    assert not (project / "data/checkpoints/grpo-full").exists()

    assert start(project).wait() == 0
    assert len(answered(project)) == 400
    assert set(answered(project).values()) == {1}

    alone = tmp_path / "alone"
    copy_pipeline(alone)
    (alone / "params.yaml").write_bytes((project / "params.yaml").read_bytes())
    done = dvc(alone, "repro", "-q", TARGET)
    assert done.returncode == 0, done.stderr
    assert read_yaml(project / "dvc.lock") == read_yaml(alone / "dvc.lock")
