"""Same inputs, same bytes: threads, seeds and deterministic kernels of a training process."""

import os


def make_repeatable(seed: int, threads: int) -> None:
    """Fix what a training's result may depend on besides its inputs; call before any tensor is made.

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
