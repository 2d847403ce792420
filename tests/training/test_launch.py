"""What a launch demands of settings, environment and machine before any process starts."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from reasrm.runtime.stage_main import StageError
from reasrm.training.launch import Nodes, launch, nodes_from_environment, refuse_idle_gpus
from reasrm.training.trainer_settings import LaunchSettings, Strategy, TrainerSettings
from stages.base_model import BaseModelParams
from tests.training.stage_runs import LORA, PARAMS

SINGLE = LaunchSettings(processes=1, strategy=Strategy.SINGLE)


def settings(processes: int, strategy: str) -> TrainerSettings:
    values = {name: PARAMS["sft"][name] for name in TrainerSettings.model_fields}
    return TrainerSettings.model_validate(
        values | {"dev": None, "launch": {"processes": processes, "strategy": strategy}}
    )


@pytest.mark.parametrize(
    ("processes", "strategy", "message"),
    [
        (2, "single", "2 processes need a strategy other than `single`: ddp, fsdp2, zero2, zero3"),
        (1, "ddp", "`ddp` needs two processes at least"),
        (0, "ddp", "greater than 0"),
        (2, "dp", "'single', 'ddp', 'fsdp2', 'zero2' or 'zero3'"),
        (3, "ddp", r"batch_size \(32\) must be a multiple of launch\.processes \(3\): batch_size 30 or 33 would fit"),
    ],
)
def test_processes_and_strategy_that_do_not_go_together_are_refused(
    processes: int, strategy: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(processes, strategy)


@pytest.mark.parametrize("processes", [1, 2, 4, 8])
def test_the_batch_of_a_step_does_not_depend_on_the_number_of_processes(processes: int) -> None:
    chosen = settings(processes, "fsdp2")
    assert chosen.sequences_at_once * chosen.accumulate * processes == 32


def test_several_gpus_without_a_launch_are_refused() -> None:
    with pytest.raises(
        StageError, match=r"8 GPUs are visible .* \{processes: 8, strategy: ddp\}.*CUDA_VISIBLE_DEVICES"
    ):
        refuse_idle_gpus(SINGLE, 8)
    for visible in (0, 1):
        refuse_idle_gpus(SINGLE, visible)
    refuse_idle_gpus(LaunchSettings(processes=8, strategy=Strategy.FSDP2), 8)


NODES = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "first", "MASTER_PORT": "29500"}


def test_several_nodes_meet_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NODES:
        monkeypatch.delenv(name, raising=False)
    assert nodes_from_environment() == Nodes(1, 0, "", "")
    for name, value in NODES.items():
        monkeypatch.setenv(name, value)
    assert nodes_from_environment() == Nodes(2, 1, "first", "29500")


@pytest.mark.parametrize(
    "wrong", [{"NODE_RANK": ""}, {"NODE_RANK": "2"}, {"MASTER_ADDR": ""}, {"MASTER_PORT": "x"}, {"NNODES": "two"}]
)
def test_a_meeting_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]) -> None:
    for name, value in (NODES | wrong).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StageError, match="several nodes need NNODES, NODE_RANK"):
        nodes_from_environment()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("fsdp2", "`strategy: fsdp2` needs CUDA devices; on a CPU there is `ddp` alone"),
        ("zero3", "`strategy: zero3` needs (the package deepspeed|CUDA devices)"),
    ],
)
def test_a_strategy_that_the_machine_does_not_have_is_refused(strategy: str, message: str) -> None:
    """On a CPU accelerate would silently take ddp."""
    with pytest.raises(StageError, match=message):
        launch(settings(2, strategy))


def test_nodes_share_the_processes_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (NODES | {"NNODES": "3", "NODE_RANK": "0"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StageError, match=r"launch\.processes \(2\) must be a multiple of the 3 nodes"):
        launch(settings(2, "ddp"))


@pytest.mark.parametrize("field", ["processes", "strategy"])
def test_a_launch_has_no_default(field: str) -> None:
    values: dict[str, Any] = {"processes": 1, "strategy": "single"}
    del values[field]
    with pytest.raises(ValidationError, match="Field required"):
        LaunchSettings.model_validate(values)


@pytest.mark.parametrize("change", [{"launch": {"processes": 2, "strategy": "ddp"}}, {"lora": LORA}])
def test_the_miniature_is_trained_alone_and_whole(change: dict[str, Any]) -> None:
    assert BaseModelParams.model_validate(PARAMS["base_model"])
    with pytest.raises(ValidationError, match="trains the miniature alone"):
        BaseModelParams.model_validate(PARAMS["base_model"] | change)
