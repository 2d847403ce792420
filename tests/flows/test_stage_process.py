"""What stages find in their environment."""

import sys
from pathlib import Path

import pytest

from flows.stage_process import BUDGET_VARIABLE, stage_environment


def test_stages_find_this_interpreter_their_gpus_and_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    environment = stage_environment(("2", "3"), 12.5)
    assert environment["PATH"].startswith(str(Path(sys.prefix, "bin")))
    assert environment["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert environment[BUDGET_VARIABLE] == "12.5"
    assert environment["OMP_NUM_THREADS"] == "7"
    assert "PYTHONDONTWRITEBYTECODE" not in environment


def test_on_the_cpu_a_stage_has_one_thread_unless_the_user_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert stage_environment()["OMP_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in stage_environment(("0",))
