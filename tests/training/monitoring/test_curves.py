"""Curves are there while a model trains, and go to a tracker that is named; at the end nothing is left in work/."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from reasrm.runtime.stage_main import StageError
from reasrm.training.monitoring.dev_judging import dev_set
from reasrm.training.monitoring.settings import Housekeeping, Tracker
from reasrm.training.monitoring.tracking import TrackerError, require_trackers, tracker_errors_in_one_line
from reasrm.training.trainer_settings import EpochSettings, SftSettings
from tests.training.monitoring.small_training import settings, train
from tests.training.stage_runs import fingerprint


@pytest.mark.slow
@pytest.mark.usefixtures("dev_pairs")
def test_the_live_curves_end_as_the_written_ones(tmp_path: Path, base: Path) -> None:
    chosen = settings(EpochSettings, "scalar_rm", 5)
    keeping = Housekeeping(tracking=(), keep_checkpoints=1, prune_work=False)
    run = train(base, tmp_path, chosen, dev_set(chosen.dev, 0, None), keeping).run
    live, written = (fingerprint(folder / "plots") for folder in (run.resume_from.parent / "curves", run.curves))
    record = json.loads((run.curves / "training.json").read_text())
    assert {"metrics/train/loss.tsv", "metrics/dev/accuracy.tsv"} <= live.keys()
    assert live == written
    assert record["dev"]["step"] == 10
    assert record["dev"]["pairs"] == 20
    assert [file.name for file in run.resume_from.glob("checkpoint-*")] == ["checkpoint-10"]


@pytest.mark.slow
def test_lost_weights_are_not_written_and_have_no_loss(tmp_path: Path, base: Path) -> None:
    """The loss of such a step is no number; transformers would log 0."""
    chosen = settings(SftSettings, "sft", 5, learning_rate=1e20, max_grad_norm=0.0, dev=None)
    with pytest.raises(StageError, match=r"^trained: \S+ is not finite .* is not written"):
        train(base, tmp_path, chosen, None)
    assert not (tmp_path / "checkpoint").exists()
    losses = (tmp_path / "work/trained/curves/plots/metrics/train/loss.tsv").read_text().splitlines()[1:]
    assert 1 <= len(losses) < 10
    assert all(float(line.split("\t")[1]) > 1 for line in losses)


@pytest.mark.slow
@pytest.mark.usefixtures("dev_pairs")
@pytest.mark.skipif(find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_gets_the_curves_with_dev_accuracy(tmp_path: Path, base: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    chosen = settings(EpochSettings, "scalar_rm", 5)
    keeping = Housekeeping(tracking=(Tracker.TENSORBOARD,), keep_checkpoints=2, prune_work=True)
    run = train(base, tmp_path, chosen, dev_set(chosen.dev, 0, None), keeping).run
    board = EventAccumulator("work/tracking/tensorboard/trained").Reload()
    assert [point.step for point in board.Scalars("train/dev/accuracy")] == [5, 10]
    assert len(board.Scalars("train/loss")) == 10
    assert not run.resume_from.parent.exists(), "neither checkpoints nor live curves"


@pytest.mark.parametrize("tracker", Tracker)
def test_a_tracker_that_is_missing_is_named_in_one_line(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec(tracker.value) is not None:
        pytest.skip(f"{tracker} is installed")
    (tmp_path / tracker.value / "run-1").mkdir(parents=True)  # what an earlier run left where the stage is started
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TrackerError, match=f"training_housekeeping.tracking names {tracker}, whose package is not"):
        require_trackers([tracker])


def test_only_what_a_tracker_raises_is_put_on_it() -> None:
    class UsageError(Exception):
        __module__ = "wandb.errors"

    said = r"wandb refused \(api_key not configured\); set its key"
    with pytest.raises(TrackerError, match=said), tracker_errors_in_one_line():
        raise UsageError("api_key not\nconfigured")
    with pytest.raises(ZeroDivisionError), tracker_errors_in_one_line():
        raise ZeroDivisionError
