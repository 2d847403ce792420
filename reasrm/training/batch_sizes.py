"""Batch sizes that do not depend on the number of devices: forward passes are derived, what does not divide is refused.

A batch of one optimiser step = sequences of one forward pass on one device x processes x forward passes (accumulation).
"""

NAMED = 6
"""So many numbers that would fit are named in an error's text."""


def accumulation(batch_size: int, micro_batch_size: int | None, processes: int) -> int:
    """Forward passes per optimiser step on each device.

    Args:
        batch_size: sequences of one optimiser step, over all processes.
        micro_batch_size: sequences of one forward pass on one device; None for a process's whole share.
        processes: processes that train together, one device each.

    Raises:
        ValueError: the batch cannot be cut into equal parts; names numbers that would fit.
    """
    at_once = (micro_batch_size or 1) * processes
    if batch_size % at_once == 0:
        return batch_size // at_once if micro_batch_size else 1
    multiples = [at_once * times for times in (batch_size // at_once, batch_size // at_once + 1) if times]
    fitting = f"batch_size {' or '.join(map(str, multiples))} would fit"
    if micro_batch_size and batch_size % processes == 0:
        share = batch_size // processes
        fitting += f", or micro_batch_size {_listed(divisors_up_to(share, micro_batch_size))} or null"
    parts = [f"micro_batch_size ({micro_batch_size})"] if micro_batch_size else []
    parts += [f"launch.processes ({processes})"] if processes > 1 else []
    raise ValueError(f"batch_size ({batch_size}) must be a multiple of {' x '.join(parts)}: {fitting}")


def require_whole_groups(batch_size: int, steps_per_generation: int, replies_per_prompt: int) -> None:
    """Do nothing if replies that are sampled together make whole groups; a group may lie in several forward passes.

    Raises:
        ValueError: a group would be cut; names numbers that would fit.
    """
    sampled = batch_size * steps_per_generation
    if sampled % replies_per_prompt == 0:
        return
    lower = sampled // replies_per_prompt * replies_per_prompt
    fitting = [size for size in (lower, lower + replies_per_prompt) if size and size % steps_per_generation == 0]
    sizes = " or ".join(str(size // steps_per_generation) for size in fitting)
    divisors = _listed([size for size in divisors_up_to(sampled, 2 * replies_per_prompt) if size > 1])
    raise ValueError(
        f"batch_size ({batch_size}) x steps_per_generation ({steps_per_generation}) must hold whole groups of "
        f"replies_per_prompt ({replies_per_prompt}) replies: "
        + (f"batch_size {sizes} would fit, or " if sizes else "")
        + f"replies_per_prompt {divisors or 'of another batch_size'}"
    )


def divisors_up_to(number: int, most: int) -> list[int]:
    """The divisors of `number` that are not above `most`, the largest first."""
    return [size for size in range(min(number, most), 0, -1) if number % size == 0]


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:NAMED]))
