"""Which GPUs each process of a model runs on: equal shares of those that are visible; and what is refused or said."""

import os
from functools import lru_cache

from reasrm.runtime.stage_main import StageError
from reasrm.runtime.terminal import say_error


def share_gpus(processes: int, gpus_each: int) -> list[str]:
    """The value of CUDA_VISIBLE_DEVICES for each of `processes`; empty on a machine without a GPU.

    Says so once where some GPUs are left idle.

    Raises:
        StageError: there are not `gpus_each` for every process.
    """
    visible = _visible_gpus()
    needed = processes * gpus_each
    if not visible and gpus_each == 1:
        return [""] * processes
    if needed > len(visible):
        raise StageError(
            f"`data_parallel` {processes} times `tensor_parallel` {gpus_each} needs {needed} GPUs and {len(visible)} "
            f"{'is' if len(visible) == 1 else 'are'} visible: lower one of them, or show more (CUDA_VISIBLE_DEVICES; "
            "`reasrm run --gpus-per-stage`)"
        )
    if needed < len(visible):
        _say_idle(len(visible) - needed, len(visible))
    return [",".join(visible[start : start + gpus_each]) for start in range(0, needed, gpus_each)]


def _visible_gpus() -> list[str]:
    """The names under which CUDA shows its devices to this process, as CUDA_VISIBLE_DEVICES lists them."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in named.split(",")] if named else [str(number) for number in range(count)]
    return names[:count]


@lru_cache
def _say_idle(idle: int, visible: int) -> None:
    say_error(
        "judge",
        f"{idle} of {visible} visible GPUs stay idle: `judge_running.data_parallel` copies of the model, each on "
        "`judge.tensor_parallel` GPUs, would use them",
    )
