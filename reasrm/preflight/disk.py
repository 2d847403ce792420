"""What the stages that write a model put on the disk, in bytes.

A training keeps some checkpoints to resume from (weights and optimiser), with one more while it is written;
its model is written once and lies a second time in DVC's cache, unless that links files
(https://dvc.org/doc/user-guide/data-management/large-dataset-optimization).
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from reasrm.preflight.formulas.activations import BFLOAT16, FLOAT32
from reasrm.preflight.formulas.trained_weights import trained_weights
from reasrm.preflight.formulas.training_memory import Training
from reasrm.training.trainer_settings import SavedType

WRITTEN = {SavedType.FLOAT32: FLOAT32, SavedType.BFLOAT16: BFLOAT16}
DVC_CONFIGS = (Path(".dvc/config"), Path(".dvc/config.local"))
LINKS = ("hardlink", "symlink")


class DiskNeed(NamedTuple):
    """Bytes."""

    resume: float = 0.0
    """While the stage runs."""
    output: float = 0.0
    """With DVC's copy."""


def training_disk(training: Training, copies: int, kept: int, base_width: int) -> DiskNeed:
    """What a training writes.

    Args:
        training: the training.
        copies: of its output, DVC's included.
        kept: checkpoints to resume from.
        base_width: bytes of a stored weight of the base, which `save_dtype: base` keeps.
    """
    settings = training.settings
    held = trained_weights(training.shape, settings, training.parameters)
    model = training.parameters * WRITTEN.get(settings.save_dtype, base_width)
    return DiskNeed((kept + 1) * held.stored, float(copies * model))


def copied_disk(size: float, copies: int) -> DiskNeed:
    """What copying a published model of `size` bytes writes."""
    return DiskNeed(0.0, copies * size)


def output_copies(root: Path) -> int:
    """How often an output lies on the disk: once where DVC's cache links files, else twice."""
    texts = [(root / config).read_text(errors="replace") for config in DVC_CONFIGS if (root / config).is_file()]
    linked = any(line.strip().startswith("type") and line.rpartition("=")[2].strip().startswith(LINKS)
                 for text in texts for line in text.splitlines())  # fmt: skip
    return 1 if linked else 2


def free_bytes(root: Path) -> int:
    """Free on the disk of `root`."""
    return shutil.disk_usage(root).free
