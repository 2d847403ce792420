"""GRPO's reference model under fully_shard: with all its weights, and cut block by block.

TRL makes the reference itself, after the model that is trained. Under `fsdp2` only the first process of a node reads
weights from the disk (accelerate's loading that spares memory, which transformers obeys), and the others hold zeros
until these are sent to them. accelerate sends them to the trained model; TRL 1.16 does not send them to the reference
(`trl.models.prepare_fsdp`): all but the first process's part would stay zero, the divergence would be from no model
at all, and nothing would say so. It also cuts the reference as one piece, so every forward pass gathers all of it,
65 GB of a model of 32 billion parameters. Here accelerate prepares it as it does the trained model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reasrm.runtime.stage_main import StageError


@contextmanager
def reference_by_blocks() -> Iterator[None]:
    """While TRL makes its trainer, a reference that is sharded by `fully_shard` is so by accelerate.

    Raises:
        StageError: this version of TRL prepares references in another place.
    """
    from trl.trainer import grpo_trainer

    original = getattr(grpo_trainer, "prepare_fsdp", None)
    if original is None:
        raise StageError("this version of TRL prepares sharded references elsewhere: take the version of the lock")
    grpo_trainer.prepare_fsdp = prepare_reference
    try:
        yield
    finally:
        grpo_trainer.prepare_fsdp = original


def prepare_reference(model: Any, accelerator: Any) -> Any:
    """`model`, frozen and cut over the processes block by block, each with its part of the first one's weights.

    Args:
        model: whole on the first process; on others its weights need not be there.
        accelerator: accelerate's, with fully_shard (`fsdp_version: 2`).
    """
    from accelerate.utils import fsdp2_prepare_model

    model.requires_grad_(False)  # else weights in bfloat16 would be made float32, which only an optimiser needs
    return fsdp2_prepare_model(accelerator, model).eval()
