"""Training stages as processes in a folder of their own, and the bytes that they leave."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from reasrm.runtime.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
PARAMS = read_yaml(ROOT / "params.yaml")
LORA: dict[str, Any] = {
    "rank": 8, "alpha": 16.0, "dropout": 0.0, "target_modules": "all-linear", "use_rslora": False, "quantise": None,
}  # fmt: skip


def start(
    folder: Path, *command: str, stdout: int | None = None, stderr: int | None = None
) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", *command], cwd=folder, env=environment, stdout=stdout, stderr=stderr)


def run(folder: Path, *command: str) -> None:
    assert start(folder, *command).wait() == 0


def summary(folder: Path, *command: str) -> str:
    """The line in which a stage says what it did."""
    process = start(folder, *command, stdout=subprocess.PIPE)
    written = process.communicate()[0].decode()
    assert process.returncode == 0
    return written.splitlines()[-1]


def fingerprint(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def train_twice(project: Path, command: tuple[str, ...], name: str) -> None:
    """Train, then train again with a kill in between, and compare the bytes."""
    outputs = [project / "data/checkpoints" / name, project / "data/curves" / name]
    work = project / "work" / name
    shutil.rmtree(work, ignore_errors=True)
    run(project, *command)
    first = [fingerprint(path) for path in outputs]
    assert any(file.endswith(".safetensors") for file in first[0])

    assert not work.exists(), "what a successful training leaves in work/ is removed"
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
