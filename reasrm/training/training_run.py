"""One training from its start to its outputs: repeatable, resumed where it was interrupted, with curves on disk."""

import json
import math
import os
import shutil
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.runtime.stage_main import StageError
from reasrm.runtime.terminal import say_error
from reasrm.runtime.work_folder import live_curves, remove_resume_folder, resume_folder
from reasrm.training.checkpoint import last_checkpoint, require_finite, save_model
from reasrm.training.gathered_weights import gathered_model
from reasrm.training.launch import gpu_count, refuse_idle_gpus
from reasrm.training.lora import require_mergeable
from reasrm.training.monitoring.dev_judging import DEV_PAIRS, DevSet
from reasrm.training.monitoring.settings import Housekeeping, Keep
from reasrm.training.monitoring.tracking import require_trackers, tracker_callbacks, tracker_errors_in_one_line
from reasrm.training.monitoring.training_warnings import training_warnings
from reasrm.training.tied_weights import tied_weights_expected
from reasrm.training.trainer_settings import SftSettings, TrainerSettings, TrainingAttention

BESIDE_CURVES = "*.jsonl"
"""What a training wrote of itself into the folder it resumes from; in the end it stands beside the curves."""
NOT_CONFIGURED = Housekeeping(tracking=(), keep_checkpoints=2, prune_work=False)
"""Of a training that no stage began."""


class NoTrainingDataError(StageError):
    """No example is left to train on; says why."""


class TrainingRun(NamedTuple):
    """The name of a training, as it is shown, and the folders that it writes."""

    name: str
    resume_from: Path
    """Checkpoints that an interrupted run with the same parameters and inputs left."""
    checkpoint: Path
    curves: Path
    dev: DevSet | None = None
    """What the model is judged on while it trains; None for nothing."""
    keep: Keep = Keep.LAST
    housekeeping: Housekeeping = NOT_CONFIGURED


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


def outcome_note(run: TrainingRun) -> str:
    """What a training's summary line says besides its own: dev accuracy, the step that was kept, the warnings."""
    from reasrm.training.monitoring.curves import RECORD

    record = json.loads((run.curves / RECORD).read_text(encoding="utf-8"))
    kinds = [warning["kind"] for warning in record["warnings"]]
    dev = f", dev {record['dev']['accuracy']:.3f} of {record['dev']['pairs']} pairs" if record["dev"] else ""
    kept = f" at step {record['kept_step']}, which was kept" if run.keep is Keep.BEST_ON_DEV else ""
    return dev + kept + (f", {len(kinds)} warning{'s' * (len(kinds) > 1)} ({', '.join(kinds)})" if kinds else "")


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
    name: str,
    settings: TrainerSettings,
    inputs: Iterable[Path],
    checkpoint: Path,
    curves: Path,
    dev: DevSet | None = None,
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
        dev: what the model is judged on while it trains.

    Raises:
        LaunchError: several GPUs are visible and `launch` says one process.
        TrackerError: a tracker's package is missing.
    """
    from datasets import disable_progress_bars
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    disable_progress_bars()
    housekeeping = Housekeeping.load()
    require_trackers(housekeeping.tracking)
    present = [path for path in (*inputs, *([DEV_PAIRS] if dev is not None else [])) if path.exists()]
    resume_from = resume_folder(name, settings.model_dump(mode="json"), present)
    run = TrainingRun(name, resume_from, checkpoint, curves, dev, settings.keep, housekeeping)
    make_repeatable(settings.seed, settings.threads, strict=gpu_count() > 0 and not _sums_in_any_order(name, settings))
    refuse_idle_gpus(settings.launch, gpu_count())
    return run


def _sums_in_any_order(name: str, settings: TrainerSettings) -> bool:
    """Whether a training's sums keep no order on a GPU; it says so then.

    That is packing by scaled-dot-product attention: masks of packed sequences leave one kernel that keeps an order,
    and that takes several times as long.
    """
    packed = isinstance(settings, SftSettings) and settings.packing and settings.attention is TrainingAttention.SDPA
    if packed and gpu_count() and os.environ.get("RANK", "0") == "0":
        say_error(
            name,
            "warning: with `packing: true` and `attention: sdpa` a GPU adds up in no fixed order, so a second training "
            "or one that was killed and goes on ends with weights that differ in their last digits: `packing: false` "
            "(with `micro_batch_size: 1` nothing is padded) gives the same bytes",
        )
    return packed


def make_repeatable(seed: int, threads: int, *, strict: bool = False) -> None:
    """Fix what a training's result depends on besides its inputs: seeds, threads, deterministic kernels.

    With the same number of threads on the same kind of processor the trained weights are then bit for bit the same.

    Args:
        seed: seed of Python, numpy and torch.
        threads: threads of one operation; another number sums in another order.
        strict: end where an operation has no deterministic kernel, as GPUs need it: without it torch warns, and the
            backward pass of scaled-dot-product attention sums in another order each time.
    """
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("FLASH_ATTENTION_DETERMINISTIC", "1")  # transformers hands it to the package flash-attn
    import torch
    from transformers import set_seed

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=not strict)
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

    Of several processes the first alone writes and shows progress; all return when everything is written. What is left
    in `work/` is removed then, if the housekeeping says so.

    Returns:
        The trainer's log, one entry per logged step.

    Raises:
        StageError: what an adapter learns could not be merged, or the weights are no numbers any more.
    """
    from reasrm.training.monitoring.curves import SUMMARY_KEY, write_curves

    first = trainer.is_world_process_zero()
    if settings.lora is not None:
        require_mergeable(run.name, trainer.accelerator.unwrap_model(trainer.model))
    watch = _watch(run, trainer, tokenizer)
    with trainer.accelerator.main_process_first():  # it removes incomplete ones
        checkpoint = last_checkpoint(run.resume_from, trainer.accelerator.num_processes)
    if trainer.accelerator.num_processes > 1:
        read_numbered_cpus()
    with tracker_errors_in_one_line(), tied_weights_expected(trainer.accelerator.unwrap_model(trainer.model)):
        trainer.train(resume_from_checkpoint=checkpoint)
    log = [entry for entry in trainer.state.log_history if SUMMARY_KEY not in entry]
    kept_step = watch.finish(log) if watch is not None else int(trainer.state.global_step)
    model = gathered_model(trainer, run.resume_from, settings)
    if first:
        require_finite(run.name, model)
        save_model(model, tokenizer, run.checkpoint)
        write_curves(log, run.curves, kept_step)
        for record in run.resume_from.glob(BESIDE_CURVES):
            shutil.copyfile(record, run.curves / record.name)
    trainer.accelerator.wait_for_everyone()
    if first:
        for warning in training_warnings(log):
            say_error(run.name, f"warning: {warning.text}")
        if run.housekeeping.prune_work:
            remove_resume_folder(run.resume_from)
    return log


def _watch(run: TrainingRun, trainer: Any, tokenizer: Any) -> Any:
    """Give `trainer` the callbacks that watch it; dev accuracy first, so that the others see it in the log.

    Returns:
        The `DevAccuracy` among them; None where the training is not judged.
    """
    from transformers import PrinterCallback, ProgressCallback

    from reasrm.training.monitoring.callbacks import LiveProgress, StopOnLostWeights
    from reasrm.training.monitoring.curves import LiveCurves
    from reasrm.training.monitoring.dev_accuracy import BestWeights, DevAccuracy

    for printing in (PrinterCallback, ProgressCallback):  # the curves hold what they print
        trainer.remove_callback(printing)
    trainer.args.save_total_limit = run.housekeeping.keep_checkpoints
    trainer.args.run_name = run.name
    trainer.add_callback(StopOnLostWeights(run.name))
    watch = None
    if run.dev is not None:
        best = BestWeights(run.resume_from / "best_on_dev", trainer) if run.keep is Keep.BEST_ON_DEV else None
        watch = DevAccuracy(trainer, tokenizer, run.dev, best)
        trainer.add_callback(watch)
    if trainer.is_world_process_zero():
        trainer.add_callback(LiveProgress(run.name))
        trainer.add_callback(LiveCurves(live_curves(run.resume_from)))
        for tracker in tracker_callbacks(run.housekeeping.tracking, run.name):
            trainer.add_callback(tracker)
    return watch


def last_logged(log: list[dict[str, Any]], name: str) -> float:
    """The last value logged under `name`; not a number if there is none."""
    return float(next((entry[name] for entry in reversed(log) if name in entry), math.nan))
