"""Two processes on the CPU train and end as one does: losses, bytes, exit codes, interrupts, and no orphans."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.training.stage_runs import start, train_twice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TOLERANCE = 1e-5
"""Most that a loss of two processes may differ from that of one; seen: 1e-6 at losses of 6, after 10 steps."""


@pytest.fixture(scope="module")
def launched(project: Path) -> Path:
    """The project with two processes for each training; batches stay the same."""
    folder = project.with_name("launched")
    shutil.copytree(
        project, folder, ignore=shutil.ignore_patterns("work", "sft", "scalar_rm", "grpo-*", "answer_sft-*")
    )
    params = read_yaml(folder / "params.yaml")
    for section in ("sft", "grpo", "scalar_rm"):
        params[section]["launch"] = {"processes": 2, "strategy": "ddp"}
    write_yaml(folder / "params.yaml", params)
    return folder


def logged(folder: Path, name: str, metric: str) -> list[float]:
    lines = (folder / "data/curves" / name / "plots/metrics" / f"{metric}.tsv").read_text().splitlines()[1:]
    return [float(line.split("\t")[1]) for line in lines]


@pytest.mark.parametrize("name", ["sft", "scalar_rm"])
def test_two_processes_have_the_losses_of_one(project: Path, launched: Path, name: str) -> None:
    for folder in (project, launched):
        assert start(folder, f"stages.{name}").wait() == 0
    one, two = logged(project, name, "train/loss"), logged(launched, name, "train/loss")
    assert len(one) >= 10
    assert two == pytest.approx(one, abs=TOLERANCE)
    one, two = logged(project, name, "dev/accuracy"), logged(launched, name, "dev/accuracy")
    assert len(one) >= 5
    assert two == one, "each process judges half of the dev pairs, together all"
    files = [{path.name for path in (folder / "data/checkpoints" / name).iterdir()} for folder in (project, launched)]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("command", "name"), [(("stages.sft",), "sft"), (("stages.grpo", "cold_start"), "grpo-cold_start")]
)
def test_twice_and_after_kill_of_the_launcher_the_same_bytes(
    launched: Path, command: tuple[str, ...], name: str
) -> None:
    train_twice(launched, command, name)


def test_two_processes_replace_groups_alike(project_with_replaced_groups: Path) -> None:
    folder = project_with_replaced_groups.with_name("launched_with_replaced_groups")
    shutil.copytree(project_with_replaced_groups, folder, ignore=shutil.ignore_patterns("work", "grpo-*"))
    params = read_yaml(folder / "params.yaml")
    params["grpo"]["launch"] = {"processes": 2, "strategy": "ddp"}
    write_yaml(folder / "params.yaml", params)
    train_twice(folder, ("stages.grpo", "cold_start"), "grpo-cold_start")


def test_a_reason_is_told_once_and_its_exit_code_is_the_stages(launched: Path, tmp_path: Path) -> None:
    shutil.copy(launched / "params.yaml", tmp_path)
    process = start(tmp_path, "stages.sft", stderr=subprocess.PIPE)
    errors = process.communicate()[1].decode()
    assert process.returncode == 1
    assert [line for line in errors.splitlines() if "W1" not in line] == [
        "sft: data/pairs/dev.jsonl: not there; `dvc repro` first makes what a stage reads"
    ]


@pytest.fixture
def training(launched: Path) -> Iterator[tuple["subprocess.Popen[bytes]", list[psutil.Process]]]:
    """A launcher whose workers have begun to train, and those workers."""
    for folder in (launched / "work/sft", launched / "data/checkpoints/sft"):
        shutil.rmtree(folder, ignore_errors=True)
    process = start(launched, "stages.sft", stderr=subprocess.PIPE)
    while not list((launched / "work/sft").glob("*/checkpoint-*/trainer_state.json")):
        assert process.poll() is None
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(
        recursive=True
    )  # a worker has a child itself, which tries templates
    yield process, [child for child in children if "stages.sft" in child.cmdline()]
    process.kill()
    process.wait()


def test_an_interrupt_ends_all_and_is_told_in_one_line(
    training: tuple["subprocess.Popen[bytes]", list[psutil.Process]],
) -> None:
    process, workers = training
    assert len(workers) == 2
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1].endswith(b"sft: interrupted; the same command goes on from what is kept\n")
    assert process.returncode == 130
    assert not psutil.wait_procs(workers, timeout=30)[1]


def test_workers_end_with_a_launcher_that_was_killed(
    training: tuple["subprocess.Popen[bytes]", list[psutil.Process]],
) -> None:
    process, workers = training
    process.kill()
    assert not psutil.wait_procs(workers, timeout=30)[1]


def test_a_worker_that_is_killed_fails_the_stage(
    training: tuple["subprocess.Popen[bytes]", list[psutil.Process]],
) -> None:
    process, workers = training
    workers[1].kill()
    errors = process.communicate()[1].decode()
    assert process.returncode == 1
    assert "ended: was killed by signal 9" in errors.splitlines()[-1]
