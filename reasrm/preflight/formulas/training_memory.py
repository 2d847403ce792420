"""Memory of one training stage on each of its devices: its phases, and what each holds."""

from dataclasses import dataclass
from typing import NamedTuple

from reasrm.policy.training.settings import PolicySettings
from reasrm.preflight.devices import GIB
from reasrm.preflight.formulas.activations import BFLOAT16, FLOAT32, activation_bytes, number_formats, scoring_bytes
from reasrm.preflight.formulas.generation import cache_bytes, prefill_bytes, sampling_bytes
from reasrm.preflight.formulas.judge_memory import VLLM_WORK, Judging, batch_parts, vllm_memory, width_of
from reasrm.preflight.formulas.memory import MemoryNeed, Parts
from reasrm.preflight.formulas.trained_weights import TrainedWeights, trained_weights
from reasrm.preflight.model_shape import ModelShape
from reasrm.training.grpo.group_settings import GroupSettings
from reasrm.training.grpo.rollout_settings import ColocatedVllm, TransformersRollouts
from reasrm.training.grpo.vllm_rollouts import computed_in
from reasrm.training.monitoring.settings import GenerativeDevSettings
from reasrm.training.trainer_settings import Strategy, TrainerSettings, TrainingAttention

TRAINING_PROCESS = 620 * 2**20
"""Bytes of a training process on a CPU before a model is loaded: interpreter, torch, transformers, TRL, datasets."""
LOGITS_COPIES = 2
"""Float32 tensors of all logits while a check's log-probabilities are computed: themselves, and their exponentials."""
HEAP_FRAGMENTS = 1.4
"""On a CPU, memory of what comes and goes in a step over what its tensors hold at once: glibc keeps freed memory in
pieces, as `KEEP_SMALL_FREED_MEMORY` of `flows.running.stage_process` tells it. Measured, see benchmarks/README.md."""
LASTING = frozenset({"weights", "optimiser", "reference", "judge", "libraries", "vllm"})
"""Parts that stay from step to step."""
SHARDED = frozenset({Strategy.FSDP2, Strategy.ZERO3})
DEEPSPEED = frozenset({Strategy.ZERO2, Strategy.ZERO3})
"""Holds bfloat16 weights itself, so that autocast copies none."""


class HeldJudge(NamedTuple):
    """The judge that rewards a policy, in the process of the training; bytes."""

    held: float
    """Always: its weights, or what vLLM takes."""
    batch: Parts
    """While it judges."""


@dataclass(frozen=True, slots=True)
class Training:
    """One training stage, as far as its memory goes."""

    shape: ModelShape
    settings: TrainerSettings
    length: int
    """Tokens of the longest sequence: of a GRPO training, prompt and reply together."""
    on_gpu: bool
    scalar: bool = False
    """Pairs of sequences are scored by a head of one number."""
    prompt: int = 0
    """Tokens of GRPO's longest prompt."""
    device_memory: int = 0
    """Bytes of one device, of which a colocated vLLM takes its share."""
    judge: HeldJudge | None = None
    """Of a policy; None where it has none or that is served."""

    @property
    def parameters(self) -> int:
        """All parameters of the model."""
        return self.shape.scalar_parameters if self.scalar else self.shape.parameters

    @property
    def sequences(self) -> int:
        """Sequences of one forward pass on one device."""
        return self.settings.sequences_at_once * (2 if self.scalar else 1)


def training_memory(training: Training) -> MemoryNeed:
    """What each device of a training stage holds in its phases; on a CPU all processes share the memory."""
    settings = training.settings
    held = trained_weights(training.shape, settings, training.parameters)
    always = {"weights": held.weights, "optimiser": held.optimiser}
    if isinstance(settings, GroupSettings):
        always["reference"] = _reference(training, settings)
    if training.judge is not None:
        always["judge"] = training.judge.held
    if not training.on_gpu:
        always["libraries"] = TRAINING_PROCESS
    awake, asleep = _vllm(training)
    phases = {
        "forward and backward": {**always, **_pass(training, held), "vllm": asleep},
        "optimiser step": {**always, "gradients": held.gradients, "work": held.step, "vllm": asleep},
    }
    if isinstance(settings, GroupSettings):
        phases["rollouts"] = {**always, "vllm": awake}
        if isinstance(settings.rollouts, TransformersRollouts):
            phases["rollouts"] |= _rollouts(training, settings, settings.rollouts, held)
    for name, parts in _between_steps(training).items():
        phases[name] = {**always, **parts, "vllm": asleep}
    if training.on_gpu:
        return MemoryNeed(phases)
    return MemoryNeed({name: _of_all_processes(parts, settings.launch.processes) for name, parts in phases.items()})


def _of_all_processes(parts: Parts, processes: int) -> Parts:
    """What the processes of a training on a CPU hold together."""
    return {part: size * processes * (1 if part in LASTING else HEAP_FRAGMENTS) for part, size in parts.items()}


def _pass(training: Training, held: TrainedWeights) -> dict[str, float]:
    """What a forward and backward pass holds besides; of several passes the later ones find gradients."""
    shape, settings = training.shape, training.settings
    tokens = training.sequences * training.length
    logits = 0.0
    if not training.scalar:
        scored = tokens
        if isinstance(settings, GroupSettings) and training.on_gpu:  # replies alone are scored where Triton is
            scored = training.sequences * (training.length - training.prompt)
        logits = scoring_bytes(shape, settings, scored, on_gpu=training.on_gpu)
    activations = activation_bytes(shape, settings, training.sequences, training.length)
    several = settings.accumulate > 1 or settings.launch.strategy is Strategy.DDP
    return {
        "activations": activations,
        "logits": logits,
        "copies": held.copies,
        "gradients": held.gradients if several else max(0.0, held.gradients - activations),
    }


def _between_steps(training: Training) -> dict[str, Parts]:
    """What is held besides, by phase, while the training judges or draws answers to look at."""
    phases: dict[str, Parts] = {}
    if dev := _dev_batch(training):
        phases["dev accuracy"] = dev
    if training.judge is not None:
        phases["judging"] = training.judge.batch
    if isinstance(training.settings, PolicySettings):
        phases |= _policy_checks(training, training.settings)
    return phases


def _dev_batch(training: Training) -> Parts:
    """What judging the dev rows between steps takes, by the settings `dev` of the training; nothing without them."""
    settings = training.settings
    dev = settings.dev
    if dev is None:
        return {}
    return batch_parts(
        Judging(
            training.shape,
            number_formats(settings).weight,
            settings.attention is TrainingAttention.EAGER,
            training.scalar,
            dev.batch_size,
            dev.batch_tokens,
            training.prompt or training.length,
            dev.max_new_tokens if isinstance(dev, GenerativeDevSettings) else 0,
            training.on_gpu,
        )
    )


def _policy_checks(training: Training, settings: PolicySettings) -> dict[str, Parts]:
    """What drawing answers to the prompts of the checks takes, and what their log-probabilities under the start do."""
    shape, width, checks = training.shape, number_formats(settings).weight, settings.checks
    eager = settings.attention is TrainingAttention.EAGER
    limits = (checks.batch_size, checks.batch_tokens, training.prompt, settings.max_reply_tokens)
    drawn = batch_parts(Judging(shape, width, eager, False, *limits, training.on_gpu))
    rows = max(1, min(checks.batch_size, checks.batch_tokens // training.length))
    again = 0.0 if settings.lora is not None or settings.kl_weight else float(training.parameters * width)
    logits = (
        rows * training.length * shape.vocabulary * (FLOAT32 * LOGITS_COPIES + (BFLOAT16 if width == BFLOAT16 else 0))
    )
    scored = {
        "start": again,
        "logits": float(logits),
        "sequences": prefill_bytes(shape, width, rows, training.length, eager=eager),
    }
    return {"answers of a check": drawn, "log-probabilities of a check": scored}


def _vllm(training: Training) -> tuple[float, float]:
    """What a vLLM in the training's own processes takes on a device while it samples, and otherwise.

    Of a GPU it takes its share; on a CPU the share is cache alone, and its copy of the weights comes on top. A server
    takes nothing here.
    """
    settings = training.settings
    if not isinstance(settings, GroupSettings) or not isinstance(settings.rollouts, ColocatedVllm):
        return 0.0, 0.0
    taken = settings.rollouts.memory_share * training.device_memory
    if not training.on_gpu:
        taken += training.parameters * width_of(computed_in(settings))
    return taken, float(VLLM_WORK) if settings.rollouts.sleep else taken


def small_vllm_share(training: Training) -> str:
    """Why the share of a colocated vLLM is too small for it to start; empty if it is not."""
    settings = training.settings
    if not isinstance(settings, GroupSettings) or not isinstance(settings.rollouts, ColocatedVllm):
        return ""
    rollouts = settings.rollouts
    need = vllm_memory(training.shape, width_of(computed_in(settings)), training.length, rollouts.tensor_parallel).parts
    share = rollouts.memory_share * training.device_memory
    least = sum(need.values()) if training.on_gpu else need["cache"]
    if least <= share:
        return ""
    said = ", ".join(f"{name} {size / GIB:.1f}" for name, size in need.items())
    return (
        f"rollouts.memory_share {rollouts.memory_share} is {share / GIB:.1f} GiB, and vLLM needs {least / GIB:.1f} "
        f"({said}): a larger share, or rollouts.tensor_parallel"
    )


def _reference(training: Training, settings: GroupSettings) -> float:
    """The starting checkpoint, whole or cut as the weights are; an adapter needs none, and a KL weight of 0 neither."""
    if settings.lora is not None or not settings.kl_weight:
        return 0.0
    cut = settings.launch.processes if settings.launch.strategy in SHARDED else 1
    return float(training.parameters * number_formats(settings).weight / cut)


def _rollouts(
    training: Training, settings: GroupSettings, rollouts: TransformersRollouts, held: TrainedWeights
) -> dict[str, float]:
    """What transformers' `generate` takes for the replies that are sampled at a time: all of a generation, or a part.

    ZeRO-3 gathers the whole model for it (TRL's `ds3_gather_for_generation`); fully_shard goes block by block. Autocast
    copies weights as in training.
    """
    shape, formats = training.shape, number_formats(settings)
    replies = settings.batch_size * settings.steps_per_generation // settings.launch.processes
    if rollouts.batch_size is not None:
        replies = min(replies, rollouts.batch_size)
    cache = cache_bytes(shape, formats.weight, replies * training.length)
    gathered = 0.0
    if settings.launch.strategy is Strategy.ZERO3:
        gathered = float(BFLOAT16 * training.parameters)
    elif settings.launch.strategy is Strategy.FSDP2 or (formats.autocast and settings.launch.strategy not in DEEPSPEED):
        gathered = held.copies
    eager = settings.attention is TrainingAttention.EAGER
    return {
        "cache": cache * (1 + 1 / shape.layers),  # a layer's grows by copying it
        "prompts": prefill_bytes(shape, formats.product, replies, training.prompt, eager=eager),
        "logits": sampling_bytes(shape, replies),
        "copies": gathered,
    }
