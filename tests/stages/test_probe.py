"""The stage `probe`: what it refuses before anything is asked."""

from pathlib import Path

import pytest

from reasrm.runtime.stage_main import StageError
from stages.probe import require_same_model

JUDGED = {"engine": {"checkpoint": "0" * 64, "versions": {"torch": "1"}}, "params": {}}


def test_answers_of_one_model_are_not_set_beside_judgments_of_another() -> None:
    other = {"engine": {"checkpoint": "1" * 64}}
    with pytest.raises(
        StageError, match=r"data/checkpoints/base \(weights 1{12}\) is not what made data/judgments/sft"
    ):
        require_same_model(other, JUDGED, "sft", Path("data/checkpoints/base"))


def test_the_same_weights_under_other_versions_are_the_same_model() -> None:
    """What the versions change in its replies is for the judging stage to ask again."""
    require_same_model({"engine": {"checkpoint": "0" * 64}}, JUDGED, "sft", Path("data/checkpoints/sft"))
