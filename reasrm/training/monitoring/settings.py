"""What is watched while a model trains: dev accuracy, which weights are kept, trackers, and what stays in `work/`.

Dev accuracy and `keep` stand in each training's own section, since curves and weights depend on them. The section
`training_housekeeping` changes no output, so no stage depends on it.
"""

from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from reasrm.records.comparison import Orders
from reasrm.runtime.params import StageParams


class Keep(StrEnum):
    """Which weights of a training become its checkpoint."""

    LAST = "last"
    """Those after the last step."""
    BEST_ON_DEV = "best_on_dev"
    """Those of the highest dev accuracy, of equal ones the earliest; the last step is judged too."""


class Tracker(StrEnum):
    """Where curves go besides DVCLive's files; transformers' names (`report_to`)."""

    TENSORBOARD = "tensorboard"
    WANDB = "wandb"
    MLFLOW = "mlflow"


class DevSettings(BaseModel):
    """How often and on how many pairs of data/pairs/dev.jsonl the model in training is judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(gt=0)
    """Steps between two judgings; a multiple of `log_every`."""
    pairs: int = Field(gt=0)
    """So many pairs, chosen by their hash: the same in every training."""
    batch_size: int = Field(gt=0)
    """Most prompts in a batch, on each device."""
    batch_tokens: int = Field(gt=0)
    """Most prompt tokens in a batch, padding included."""


class GenerativeDevSettings(DevSettings):
    """The same for a model that writes its verdict, greedily."""

    orders: Orders
    """Each pair in both orders, or in the one that its hash and the training's seed give."""
    max_new_tokens: int = Field(gt=0)
    """A reply is cut off here, as by the judge's setting of this name."""


class Housekeeping(StageParams):
    """Section `training_housekeeping` of params.yaml; read by every training, no dependency of any."""

    section: ClassVar[str] = "training_housekeeping"

    tracking: tuple[Tracker, ...]
    """Trackers that get the curves live."""
    keep_checkpoints: int = Field(gt=0)
    """Checkpoints to resume from that a running training keeps in `work/`: the last ones."""
    prune_work: bool
    """Remove them when the training has succeeded."""
