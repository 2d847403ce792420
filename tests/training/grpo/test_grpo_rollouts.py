"""The measurement of benchmarks/grpo_rollouts.py: the stage trains where nothing is but what is copied there."""

from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.grpo_rollouts import measure, report


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_training_is_measured_step_by_step(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = Namespace(data=project / "data", start="base", steps=3, set='{"batch_size": 16}')
    training = measure("transformers", given)
    assert len(training.steps) == given.steps
    assert len(training.step_seconds) == given.steps - 1
    assert 0 < sum(training.step_seconds) < training.wall
    report({"transformers": [training]})
    assert "| transformers | " in capsys.readouterr().out
