"""One training from its start to its outputs: repeatable, resumed where it was interrupted, with curves on disk."""

import math
import os
import shutil
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.runtime.outputs import new_folder
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.terminal import say_error
from reasrm.runtime.work_folder import resume_folder
from reasrm.training.checkpoint import last_checkpoint, save_model
from reasrm.training.gathered_weights import gathered_model
from reasrm.training.launch import gpu_count, refuse_idle_gpus
from reasrm.training.trainer_settings import TrainerSettings

NOT_IN_CURVES = ("step", "step_time", "total_flos", "epoch", "num_tokens")
"""Logged values that measure time, or repeat the step."""
SUMMARY_KEY = "train_runtime"
"""Marks the last entry of a trainer's log: totals of this process, which after a resume are only a part."""
BESIDE_CURVES = "*.jsonl"
"""What a training wrote of itself into the folder it resumes from; in the end it stands beside the curves."""


class NoTrainingDataError(StageError):
    """No example is left to train on; says why."""


class TrainingRun(NamedTuple):
    """The name of a training, as it is shown, and the folders that it writes."""

    name: str
    resume_from: Path
    """Checkpoints that an interrupted run with the same parameters and inputs left."""
    checkpoint: Path
    curves: Path


class LeftOut(NamedTuple):
    """Examples that are not trained on."""

    too_long: int = 0
    """Longer than the limit."""
    unrenderable: int = 0
    """Not rendered as they are by the chat template."""
    why: str = ""
    """Why the first of those is not."""

    @classmethod
    def of(cls, total: int, kept: int, reasons: Sequence[str]) -> "LeftOut":
        """Of `total` examples `kept` are trained on, and those with `reasons` are not rendered."""
        return cls(total - kept - len(reasons), len(reasons), next(iter(reasons), ""))

    def summary(self) -> str:
        """How many, in words."""
        return f"{self.too_long} too long" + (f", {self.unrenderable} unrenderable" if self.unrenderable else "")

    def say(self, who: str) -> None:
        """Print why the first unrenderable example is left out, if any is; of several processes the first does."""
        if self.unrenderable and os.environ.get("RANK", "0") == "0":
            say_error(who, f"{self.unrenderable} examples are left out as unrenderable; the first: {self.why}")

    def no_data(self, who: str, unit: str, setting: str, limit: int) -> NoTrainingDataError:
        """The error for a training that is left without any `unit`, where `setting` is the limit of tokens."""
        if self.unrenderable and not self.too_long:
            return NoTrainingDataError(f"{who}: none of {self.unrenderable} {unit} is rendered; the first: {self.why}")
        total = self.too_long + self.unrenderable
        others = f" ({self.summary()}; the first: {self.why})" if self.unrenderable else ""
        return NoTrainingDataError(f"{who}: none of {total} {unit} fits into {limit} tokens{others}; raise `{setting}`")


class TrainingResult(NamedTuple):
    """What a training did."""

    steps: int
    examples: int
    left_out: LeftOut
    last_loss: float

    def summary(self, unit: str) -> str:
        """One line for the log; `unit` says what an example is."""
        return f"{self.examples} {unit}, {self.steps} steps, loss {self.last_loss:.3f}, {self.left_out.summary()}"


def begin_training(
    name: str, settings: TrainerSettings, inputs: Iterable[Path], checkpoint: Path, curves: Path
) -> TrainingRun:
    """Make the process repeatable and find what an interrupted run left; call before any tensor is made.

    Turns off the progress bars of transformers and datasets, which are shown for each file that is read or written.

    Args:
        name: stage with variant (`grpo-full`).
        settings: all parameters that the result depends on.
        inputs: files and folders that the training reads, its fingerprint included; those that are missing do not
            count.
        checkpoint: folder to write the model to.
        curves: folder to write the curves to.

    Raises:
        LaunchError: several GPUs are visible and `launch` says one process.
    """
    from datasets import disable_progress_bars
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    disable_progress_bars()
    present = [path for path in inputs if path.exists()]
    run = TrainingRun(name, resume_folder(name, settings.model_dump(mode="json"), present), checkpoint, curves)
    make_repeatable(settings.seed, settings.threads)
    refuse_idle_gpus(settings.launch, gpu_count())
    return run


def make_repeatable(seed: int, threads: int) -> None:
    """Fix what a training's result depends on besides its inputs: seeds, threads, deterministic kernels.

    With the same number of threads on the same kind of processor the trained weights are then bit for bit the same.

    Args:
        seed: seed of Python, numpy and torch.
        threads: threads of one operation; another number sums in another order.
    """
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch
    from transformers import set_seed

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a debugging aid that doubles the time on CPU
    set_seed(seed)


@cache
def read_numbered_cpus() -> None:
    """Let torch read what was saved for a device `cpu:0`, as accelerate names the CPU of one of several processes.

    Without this no training of several CPU processes resumes: torch knows `cpu` alone.
    """
    import torch

    torch.serialization.register_package(
        9, lambda storage: None, lambda storage, location: storage if location.startswith("cpu:") else None
    )


def train_and_save(run: TrainingRun, trainer: Any, tokenizer: Any, settings: TrainerSettings) -> list[dict[str, Any]]:
    """Train from the last checkpoint of an interrupted run, if there is one; write model (adapter merged) and curves.

    Of several processes the first alone writes and shows progress; all return when everything is written.

    Returns:
        The trainer's log, one entry per logged step.
    """
    from transformers import PrinterCallback, ProgressCallback

    from reasrm.training.monitoring.callbacks import LiveProgress

    for printing in (PrinterCallback, ProgressCallback):  # the curves hold what they print
        trainer.remove_callback(printing)
    first = trainer.is_world_process_zero()
    if first:
        trainer.add_callback(LiveProgress(run.name))
    with trainer.accelerator.main_process_first():  # it removes incomplete ones
        checkpoint = last_checkpoint(run.resume_from, trainer.accelerator.num_processes)
    if trainer.accelerator.num_processes > 1:
        read_numbered_cpus()
    trainer.train(resume_from_checkpoint=checkpoint)
    log = [entry for entry in trainer.state.log_history if SUMMARY_KEY not in entry]
    model = gathered_model(trainer, run.resume_from, settings)
    if first:
        save_model(model, tokenizer, run.checkpoint)
        write_curves(log, run.curves)
        for record in run.resume_from.glob(BESIDE_CURVES):
            shutil.copyfile(record, run.curves / record.name)
    trainer.accelerator.wait_for_everyone()
    return log


def write_curves(log: list[dict[str, Any]], out: Path) -> None:
    """Write the finite numbers of a trainer's log to the folder `out` as DVCLive files, one curve per name."""
    from dvclive import Live

    with new_folder(out) as folder:
        live = Live(dir=str(folder), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False)
        for entry in log:
            live.step = int(entry["step"])
            for name, value in sorted(entry.items()):  # a resumed log comes sorted out of its file
                if name not in NOT_IN_CURVES and isinstance(value, int | float) and math.isfinite(value):
                    live.log_metric(f"train/{name}", float(value), timestamp=False)
        live.make_summary()


def last_logged(log: list[dict[str, Any]], name: str) -> float:
    """The last value logged under `name`; not a number if there is none."""
    return float(next((entry[name] for entry in reversed(log) if name in entry), math.nan))
