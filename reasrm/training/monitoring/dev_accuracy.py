"""Judges the model on dev pairs every so many steps, logs what comes of it, and remembers the best weights.

The figures go into the trainer's own log beside the loss of their step, so they are in its checkpoints, and a resumed
training neither judges again nor forgets. The best weights lie beside those checkpoints, one file per step that was the
best when it was judged; after each checkpoint all but the best so far are removed. So whatever checkpoint a killed
training goes on from, the best until then is there.
"""

from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from reasrm.runtime.stage_main import StageError
from reasrm.training.monitoring.dev_judging import ACCURACY, DevSet, dev_metrics, judged_on_dev


class DevAccuracy(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Dev accuracy of a training; of several processes each judges its share."""

    def __init__(self, trainer: Any, tokenizer: Any, dev: DevSet, best: "BestWeights | None") -> None:
        """Judge the model of `trainer` on `dev`, and keep the best weights in `best` if there is one."""
        self._trainer = trainer
        self._tokenizer = tokenizer
        self._dev = dev
        self._best = best
        self._pending: dict[str, float] = {}

    def judge(self) -> dict[str, float]:
        """What is logged of the model as it is; called by all processes."""
        from accelerate.utils import gather_object

        accelerator = self._trainer.accelerator
        model = accelerator.unwrap_model(self._trainer.model)
        share = slice(accelerator.process_index, None, accelerator.num_processes)
        counts = judged_on_dev(model, self._tokenizer, self._dev, share)
        return dev_metrics(gather_object([counts]), self._dev)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Judge; the trainer logs next."""
        if state.global_step % self._dev.settings.every == 0:
            self._pending = self.judge()
            control.should_log = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Put the figures into the log entry of this step."""
        if not self._pending or logs is None:
            return
        logs |= self._pending
        state.log_history[-1] |= self._pending
        self._pending = {}
        if self._best is not None and best_step(state.log_history) == state.global_step:
            self._best.store(state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Forget the weights that were the best once: from here on nothing goes back to them."""
        if self._best is not None:
            self._best.remove_all_but(best_step(state.log_history))

    def finish(self, log: list[dict[str, Any]]) -> int:
        """Judge the last step, if that was not done, into `log`; give the trainer the weights that are kept.

        Returns:
            Their step.
        """
        last = int(self._trainer.state.global_step)
        if not any(entry["step"] == last and ACCURACY in entry for entry in log):
            figures = self.judge()
            if log and log[-1]["step"] == last:
                log[-1] |= figures
            else:
                log.append({"step": last, **figures})
        kept = best_step(log) if self._best is not None else last
        if self._best is not None and kept is not None and kept != last:
            self._best.restore(kept)
        return last if kept is None else kept


class BestWeights:
    """Files of the trained weights (with an adapter: the adapter's) at steps that were the best on dev."""

    def __init__(self, folder: Path, trainer: Any) -> None:
        """Keep the files in `folder`."""
        self._folder = folder
        self._trainer = trainer

    def store(self, step: int) -> None:
        """Write the weights as they are, whole or not at all; of several processes the first does."""
        from safetensors.torch import save_file

        if not self._trainer.is_world_process_zero():
            return
        model = self._trainer.accelerator.unwrap_model(self._trainer.model)
        weights = {
            name: weight.detach().cpu().contiguous()
            for name, weight in model.named_parameters()
            if weight.requires_grad
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f"{step}.partial"
        save_file(weights, partial)
        partial.replace(self._file(step))

    def remove_all_but(self, step: int | None) -> None:
        """Remove the other steps' files, and unfinished ones."""
        if self._trainer.is_world_process_zero():
            for file in self._folder.glob("*"):
                if step is None or file != self._file(step):
                    file.unlink()

    def restore(self, step: int) -> None:
        """Give the model the weights of `step`.

        Raises:
            StageError: their file is gone.
        """
        from safetensors.torch import load_file

        if not self._file(step).is_file():
            raise StageError(
                f"{self._file(step)}: the best weights on dev are not there any more; remove {self._folder.parent} and "
                f"train again"
            )
        model = self._trainer.accelerator.unwrap_model(self._trainer.model)
        model.load_state_dict(load_file(self._file(step)), strict=False)

    def _file(self, step: int) -> Path:
        return self._folder / f"{step}.safetensors"


def best_step(log: list[dict[str, Any]]) -> int | None:
    """The step of the highest dev accuracy in a trainer's log, of equal ones the earliest; None if none is there."""
    judged = [(entry[ACCURACY], -int(entry["step"])) for entry in log if ACCURACY in entry]
    return -max(judged)[1] if judged else None
