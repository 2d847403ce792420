"""A reference that is cut over processes is the checkpoint that the training starts from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.sharded_reference import prepare_reference, reference_by_blocks
from tests.training.stage_runs import ROOT


def test_trl_prepares_references_here_while_a_trainer_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from trl.trainer import grpo_trainer

    before = grpo_trainer.prepare_fsdp
    with reference_by_blocks():
        assert grpo_trainer.prepare_fsdp is prepare_reference
    assert grpo_trainer.prepare_fsdp is before
    monkeypatch.delattr(grpo_trainer, "prepare_fsdp")
    with pytest.raises(StageError, match="take the version of the lock"), reference_by_blocks():
        pass


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_process_has_its_part_of_the_weights_that_one_has_read(checkpoint: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "tests.training.grpo.reference_in_two_processes", str(checkpoint)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.count("whole") == 2
