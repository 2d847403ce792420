"""TensorBoard, Weights & Biases or MLflow by name, through transformers' own callbacks (`report_to`).

Each has its own environment variables, and what they say holds; where they say nothing, everything stays below `work/`.
Keys are the trackers' own business: none is read here.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from reasrm.runtime.kept_folders import WORK
from reasrm.runtime.stage_main import StageError
from reasrm.training.monitoring.settings import Tracker

FINGERPRINT_EXEMPT = "it sends curves to trackers; nothing that is trained or written depends on it"
SAID = 300
"""Characters of a tracker's error that are shown."""


class TrackerError(StageError):
    """A tracker is not installed, or cannot be reached or written; says which."""


def require_trackers(trackers: Sequence[Tracker]) -> None:
    """Do nothing if the package of each tracker is installed.

    Raises:
        TrackerError: one is not.
    """
    for tracker in trackers:
        spec = find_spec(tracker.value)
        if spec is None or spec.origin is None:  # a folder of that name in the project, such as W&B's own, is none
            raise TrackerError(
                f"params.yaml: training_housekeeping.tracking names {tracker}, whose package is not installed: "
                f"`pip install {tracker}`, or leave it out"
            )


def tracker_callbacks(trackers: Sequence[Tracker], training: str) -> list[Any]:
    """The trainer callbacks of `trackers`; call in the first process, with `require_trackers` passed."""
    from transformers.integrations import MLflowCallback, TensorBoardCallback, WandbCallback

    folder = WORK / "tracking"
    callbacks: list[Any] = []
    if Tracker.TENSORBOARD in trackers:
        board = TensorBoardCallback()
        board.logging_dir = board.logging_dir or str(folder / "tensorboard" / training)
        callbacks.append(board)
    if Tracker.WANDB in trackers:
        (folder / "wandb").mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("WANDB_DIR", str(folder / "wandb"))
        os.environ.setdefault("WANDB_PROJECT", "reasrm")
        os.environ.setdefault("WANDB_SILENT", "true")  # its own lines would tear the progress line
        callbacks.append(WandbCallback())
    if Tracker.MLFLOW in trackers:
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        os.environ.setdefault("MLFLOW_EXPERIMENT_NAME", "reasrm")
        callbacks.append(MLflowCallback())
    return callbacks


@contextmanager
def tracker_errors_in_one_line() -> Iterator[None]:
    """Turn what a tracker raises while it trains (no key, no connection) into one line.

    Raises:
        TrackerError: it did.
    """
    try:
        yield
    except Exception as error:  # only the trackers' own kinds are turned
        package = type(error).__module__.partition(".")[0]
        if package not in set(Tracker):
            raise
        said = " ".join(str(error).split())[:SAID]
        raise TrackerError(
            f"training_housekeeping.tracking: {package} refused ({said}); set its key or its offline mode "
            f"(WANDB_MODE=offline, MLFLOW_TRACKING_URI=sqlite:///FILE), or leave it out; the same command goes on"
        ) from error
