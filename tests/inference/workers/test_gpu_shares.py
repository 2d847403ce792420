"""Equal shares of the GPUs that torch says are visible; a machine without one can only be told of them."""

import pytest
import torch

from reasrm.inference.workers.gpu_shares import share_gpus
from reasrm.runtime.stage_main import StageError


def visible(monkeypatch: pytest.MonkeyPatch, count: int, named: str = "") -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)


def test_without_a_gpu_processes_share_the_processor_and_no_model_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    visible(monkeypatch, 0)
    assert share_gpus(3, 1) == ["", "", ""]
    with pytest.raises(StageError, match=r"needs 2 GPUs and 0 are visible"):
        share_gpus(1, 2)


def test_each_process_gets_its_own_by_the_names_that_are_visible(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    visible(monkeypatch, 4)
    assert share_gpus(2, 2) == ["0,1", "2,3"]
    visible(monkeypatch, 4, "4,5,GPU-6,7")
    assert share_gpus(4, 1) == ["4", "5", "GPU-6", "7"]
    assert capsys.readouterr().err == ""
    assert share_gpus(1, 1) == ["4"]
    assert share_gpus(1, 1) == ["4"]
    assert capsys.readouterr().err.count("3 of 4 visible GPUs stay idle") == 1
    with pytest.raises(StageError, match=r"`data_parallel` 3 times `tensor_parallel` 2 needs 6 GPUs and 4 are visible"):
        share_gpus(3, 2)
