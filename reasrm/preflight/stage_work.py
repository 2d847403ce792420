"""How much a stage computes, from its settings and its rows."""

from reasrm.preflight.formulas.activations import number_formats
from reasrm.preflight.formulas.generation import cache_bytes
from reasrm.preflight.formulas.judge_memory import Judging, width_of
from reasrm.preflight.formulas.trained_weights import trained_weights
from reasrm.preflight.formulas.training_memory import Training
from reasrm.preflight.formulas.work import Work, forward_products, training_products
from reasrm.preflight.row_lengths import RowLengths
from reasrm.training.grpo.group_settings import GroupSettings
from reasrm.training.grpo.rollout_settings import ColocatedVllm, TransformersRollouts
from reasrm.training.grpo.vllm_rollouts import computed_in
from reasrm.training.trainer_settings import EpochSettings, TrainerSettings


def training_work(training: Training, settings: TrainerSettings, rows: RowLengths | None, limit: int) -> Work | None:
    """What a training computes; None where its rows are not there. Of GRPO, with replies of full length: at most."""
    if isinstance(settings, GroupSettings):
        return _grpo_work(training, settings, rows, limit)
    if rows is None or not isinstance(settings, EpochSettings):
        return None
    tokens = rows.total(limit) * settings.epochs
    mean = max(1, min(training.length, round(tokens / max(1, rows.rows * settings.epochs))))
    return Work(tokens * training_products(training.shape, settings, mean, scalar=training.scalar), tokens)


def _grpo_work(training: Training, settings: GroupSettings, rows: RowLengths | None, limit: int) -> Work:
    """Each reply is sampled, scored by the reference (with mini-batches by the old policy too), and trained on."""
    shape = training.shape
    sampled = settings.steps * settings.batch_size // settings.num_iterations
    fitting = [length for length in rows.longest if length <= limit] if rows else []
    prompt = round(sum(fitting) / len(fitting)) if fitting else training.prompt
    length = prompt + settings.max_reply_tokens
    passes = 1 + bool(settings.kl_weight) + (settings.steps_per_generation * settings.num_iterations > 1)
    products = sampled * length * passes * forward_products(shape, length)
    products += settings.steps * settings.batch_size * length * training_products(shape, settings, length)
    rounds = settings.steps / (settings.steps_per_generation * settings.num_iterations)
    parts, read = _sampling(training, settings, prompt + settings.max_reply_tokens // 2)
    return Work(products, sampled * length, rounds * parts * settings.max_reply_tokens, read, shape.layers)


def _sampling(training: Training, settings: GroupSettings, mean: int) -> tuple[int, float]:
    """In how many parts a device samples its replies of a generation, and the bytes that one token of each reads.

    Args:
        training: the training.
        settings: its settings.
        mean: tokens of a sequence while it is sampled, on average.
    """
    shape, rollouts = training.shape, settings.rollouts
    replies = settings.batch_size * settings.steps_per_generation // settings.launch.processes
    if isinstance(rollouts, TransformersRollouts):
        at_once = min(replies, rollouts.batch_size or replies)
        read = trained_weights(shape, settings, training.parameters).weights
        return -(-replies // at_once), read + cache_bytes(shape, number_formats(settings).product, at_once * mean)
    width = width_of(computed_in(settings))
    devices = rollouts.tensor_parallel if isinstance(rollouts, ColocatedVllm) else 1
    return 1, training.parameters * width / devices + cache_bytes(shape, width, replies * mean)


def judge_work(judging: Judging, rows: RowLengths | None, limit: int, samples: int) -> Work | None:
    """What judging all rows computes, with replies of full length: at most. None where there are no rows."""
    if rows is None:
        return None
    shape = judging.shape
    read = rows.total(limit) * samples
    count = round(rows.rows * rows.fitting(limit)) * samples
    mean = max(1, round(read / count)) if count else 1
    written = count * judging.reply
    products = (read + written) * forward_products(shape, mean + judging.reply, scalar=judging.scalar)
    if judging.scalar:
        return Work(products, read)
    at_once = max(1, min(judging.batch_size, judging.batch_tokens // mean))
    bytes_read = shape.parameters * judging.width + cache_bytes(
        shape, judging.width, at_once * (mean + judging.reply // 2)
    )
    return Work(products, read + written, -(-count // at_once) * judging.reply, bytes_read, shape.layers)
