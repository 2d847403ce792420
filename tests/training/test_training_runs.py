"""Trainings on a very small model: the same bytes twice, and the same bytes after kill -9 and a rerun."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.miniature.oracle_replies import oracle_reply
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.comparison import hashed_side, show
from reasrm.records.jsonl import write_records
from reasrm.records.trace import KeptTrace, TracePass
from reasrm.runtime.yaml_files import read_yaml, write_yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SMALL = {"hidden_size": 32, "layers": 1, "heads": 1, "intermediate_size": 64}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small inputs, a small base model and parameters for short trainings."""
    folder = tmp_path_factory.mktemp("trainings")
    params = read_yaml(ROOT / "params.yaml")
    params["base_model"] |= {"documents": 320, "save_every": 4, "log_every": 2, "batch_size": 16}
    params["base_model"]["shape"] |= SMALL
    for section in ("sft", "answer_sft", "scalar_rm"):
        params[section] |= {"epochs": 1, "save_every": 2, "log_every": 1, "batch_size": 16}
    params["grpo"] |= {"steps": 6, "batch_size": 16, "save_every": 2, "log_every": 1, "steps_without_signal": 50}
    write_yaml(folder / "params.yaml", params)
    pairs = training_pairs(Split.TRAIN, 240, 0)
    write_records(folder / "data/pairs/distill.jsonl", pairs[:160])
    write_records(folder / "data/pairs/reinforce.jsonl", pairs[160:])
    comparisons = [show(pair, hashed_side(pair, 0)) for pair in pairs[:160]]
    traces = []
    for comparison in comparisons:
        system, user = judge_prompt(comparison, PromptVariant.FULL)
        text = oracle_reply(system.content, user.content, "careful")
        traces.append(KeptTrace(comparison=comparison, text=text, source="test", oracle_pass=TracePass.FIRST))
    write_records(folder / "data/traces/kept.jsonl", traces)
    run(folder, "stages.base_model")
    return folder


@pytest.fixture(scope="module")
def project_with_adapters(project: Path) -> Path:
    """The same with LoRA in place of all weights."""
    folder = project.with_name("with_adapters")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("work", "sft", "grpo-*"))
    params = read_yaml(folder / "params.yaml")
    adapter = {"rank": 4, "alpha": 8, "dropout": 0.1, "target_modules": "all-linear", "use_rslora": True}
    for section in ("sft", "grpo"):
        params[section]["lora"] = adapter | {"quantise": None}
    write_yaml(folder / "params.yaml", params)
    return folder


def start(folder: Path, *command: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", *command], cwd=folder, env=environment)


def run(folder: Path, *command: str) -> None:
    assert start(folder, *command).wait() == 0


def fingerprint(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("stages.sft",), "sft"),
        (("stages.answer_sft",), "answer_sft"),
        (("stages.scalar_rm",), "scalar_rm"),
        (("stages.grpo", "cold_start"), "grpo-cold_start"),
    ],
)
def test_twice_and_after_kill_the_same_bytes(project: Path, command: tuple[str, ...], name: str) -> None:
    train_twice(project, command, name)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("command", "name"), [(("stages.sft",), "sft"), (("stages.grpo", "cold_start"), "grpo-cold_start")]
)
def test_with_an_adapter_too(project_with_adapters: Path, command: tuple[str, ...], name: str) -> None:
    train_twice(project_with_adapters, command, name)
    if name.startswith("grpo"):
        curve = (project_with_adapters / "data/curves" / name / "plots/metrics/train/kl.tsv").read_text().split("\n")
        assert float(curve[1].split("\t")[1]) == 0.0, "the reference is the base without its adapter"


def train_twice(project: Path, command: tuple[str, ...], name: str) -> None:
    """Train, then train again with a kill in between, and compare the bytes."""
    outputs = [project / "data/checkpoints" / name, project / "data/curves" / name]
    work = project / "work" / name
    run(project, *command)
    first = [fingerprint(path) for path in outputs]
    assert any(file.endswith(".safetensors") for file in first[0])

    shutil.rmtree(work)
    for path in outputs:
        shutil.rmtree(path)
    process = start(project, *command)
    while process.poll() is None and not list(work.glob("*/checkpoint-*/trainer_state.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not outputs[0].exists(), "the training was over before it could be killed: make it longer"

    run(project, *command)
    assert [fingerprint(path) for path in outputs] == first
