"""What to change so that a stage fits: each change is put into the formulas again, none is a fixed phrase."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

from pydantic import ValidationError

from reasrm.inference.local_model import Attention, Dtype
from reasrm.preflight.devices import GIB
from reasrm.preflight.row_lengths import RowLengths
from reasrm.preflight.stage_estimate import Project, StageEstimate, estimate_stage, estimate_training
from reasrm.preflight.stage_settings import JudgeNeeds, StageSettings
from reasrm.training.grpo.group_settings import GroupSettings
from reasrm.training.grpo.rollout_settings import ColocatedVllm, ImportanceSampling, TransformersRollouts, VllmRollouts
from reasrm.training.grpo.vllm_rollouts import computed_in
from reasrm.training.lora import LoraSettings, Quantisation
from reasrm.training.trainer_settings import LaunchSettings, Strategy, TrainerSettings, TrainingAttention, WeightType

ADAPTER = LoraSettings(rank=32, alpha=64, dropout=0.0, target_modules="all-linear", use_rslora=False, quantise=None)
VLLM_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Of a GPU's memory, the shares that a colocated vLLM is tried with."""


class Change(NamedTuple):
    """One change of settings, and what it comes to."""

    text: str
    gib: float
    """Memory of the stage on one device with this change and those before it."""
    fits: bool


class _Step(NamedTuple):
    text: str
    settings: TrainerSettings


Tried = Callable[[TrainerSettings], StageEstimate]
"""The stage with other settings."""


def changes_to_fit(
    project: Project, stage: StageSettings, estimate: StageEstimate, rows: RowLengths | None
) -> list[Change]:
    """Changes, each with those before it, until the stage fits; the last one says whether it does. None if it fits.

    The first change that suffices alone stands alone, unless it is an adapter, which makes another training.
    """
    if estimate.fits is not False or estimate.memory is None:
        return []
    settings = stage.settings
    if isinstance(settings, JudgeNeeds):
        return _judge_changes(project, stage, settings, rows)
    if not isinstance(settings, TrainerSettings):
        return []

    def tried(changed: TrainerSettings) -> StageEstimate:
        return estimate_training(project, stage, changed, rows)

    steps = [step for step in _training_steps(project, settings, tried) if not step.text.startswith("lora")]
    alone = [_change(step, tried(step.settings)) for step in steps]
    if sufficient := next((change for change in alone if change.fits), None):
        return [sufficient]
    return list(_together(project, settings, tried))


def _change(step: _Step, estimate: StageEstimate) -> Change:
    assert estimate.memory is not None
    return Change(step.text, estimate.memory.peak / GIB, bool(estimate.fits))


def _together(project: Project, settings: TrainerSettings, tried: Tried) -> Iterator[Change]:
    """One change after the other, those that save nothing left out, until it fits or there is no further one."""
    used: set[str] = set()
    least = _change(_Step("", settings), tried(settings)).gib
    while True:
        step = next((one for one in _training_steps(project, settings, tried) if one.text not in used), None)
        if step is None:
            return
        used.add(step.text)
        change = _change(step, tried(step.settings))
        if change.gib < least * 0.99:
            settings, least = step.settings, change.gib
            yield change
            if change.fits:
                return


def _training_steps(project: Project, settings: TrainerSettings, tried: Tried) -> Iterator[_Step]:
    """Changes that may save memory, those that change a result least first; of what is set already, none."""
    device = project.device
    share = settings.batch_size // settings.launch.processes
    if settings.sequences_at_once > 1 and share:
        yield _Step("micro_batch_size: 1", settings.model_copy(update={"micro_batch_size": 1}))
    if not settings.gradient_checkpointing:
        yield _Step("gradient_checkpointing: true", settings.model_copy(update={"gradient_checkpointing": True}))
    if settings.attention is TrainingAttention.EAGER:
        yield _Step("attention: sdpa", settings.model_copy(update={"attention": TrainingAttention.SDPA}))
    if isinstance(settings, GroupSettings):
        yield from _fewer_rollouts(settings, device.is_gpu, tried)
    if device.is_gpu and device.count > settings.launch.processes and settings.batch_size % device.count == 0:
        launch = LaunchSettings(processes=device.count, strategy=Strategy.FSDP2)
        text = f"launch: {{processes: {device.count}, strategy: fsdp2}}" + (", dev: null" if settings.dev else "")
        yield _Step(text, settings.model_copy(update={"launch": launch, "dev": None}))
    if device.is_gpu and "8bit" not in settings.optim and settings.lora is None:
        yield _Step("optim: adamw_8bit", settings.model_copy(update={"optim": "adamw_8bit"}))
    if settings.dtype is WeightType.FLOAT32:
        yield _Step("dtype: bfloat16", settings.model_copy(update={"dtype": WeightType.BFLOAT16}))
    yield from _adapters(settings, device.is_gpu)


def _adapters(settings: TrainerSettings, on_gpu: bool) -> Iterator[_Step]:
    """An adapter in place of all weights, and four bits beside an adapter; each makes another training."""
    if settings.lora is None:
        yield _Step(f"lora: {_written(ADAPTER.model_dump())}", settings.model_copy(update={"lora": ADAPTER}))
    elif on_gpu and settings.lora.quantise is None:
        changes: dict[str, Any] = {"lora": settings.lora.model_copy(update={"quantise": Quantisation.NF4})}
        text = "lora.quantise: nf4"
        if isinstance(settings, GroupSettings) and isinstance(
            settings.rollouts, VllmRollouts
        ):  # which cannot follow it
            changes["rollouts"] = TransformersRollouts(engine="transformers", batch_size=8)
            text += f", rollouts: {_written(changes['rollouts'].model_dump())}"
        yield _Step(text, settings.model_copy(update=changes))


def _fewer_rollouts(settings: GroupSettings, on_gpu: bool, tried: Tried) -> Iterator[_Step]:
    """Fewer replies sampled at once; whole groups stay whole."""
    if on_gpu:
        yield from _by_vllm(settings, tried)
    if isinstance(settings.rollouts, TransformersRollouts):
        yield from _in_parts(settings, settings.rollouts, tried)
    if settings.steps_per_generation > 1 and settings.batch_size % settings.replies_per_prompt == 0:
        yield _Step("steps_per_generation: 1", settings.model_copy(update={"steps_per_generation": 1}))
    group = settings.replies_per_prompt * settings.launch.processes
    half = settings.batch_size // 2 // group * group
    if half and half < settings.batch_size:
        smaller = {"batch_size": half, "steps_per_generation": 1, "micro_batch_size": None}
        micro = settings.micro_batch_size
        if micro and half % (micro * settings.launch.processes) == 0:
            smaller["micro_batch_size"] = micro
        elif micro:
            smaller["micro_batch_size"] = 1
        yield _Step(f"batch_size: {half} (another training)", settings.model_copy(update=smaller))


def _by_vllm(settings: GroupSettings, tried: Tried) -> Iterator[_Step]:
    """Rollouts by vLLM in the same processes, where this training can have it: its cache has a fixed size.

    The least devices for one copy of the model, and the least share of their memory, with which the stage fits.
    """
    steps = []
    for devices, share in product((1, 2, 4, 8), VLLM_SHARES):
        with suppress(ValidationError):  # not with every adapter, nor over any number of processes
            rollouts = ColocatedVllm(
                engine="vllm",
                mode="colocate",
                memory_share=share,
                tensor_parallel=devices,
                sleep=True,
                most_logprob_gap=1e-4 if computed_in(settings) == WeightType.FLOAT32 else 5e-2,
                importance_sampling_mode=ImportanceSampling.SEQUENCE_MASK,
                importance_sampling_clip_min=None,
                importance_sampling_clip_max=3.0,
            ).model_dump(mode="json")
            changed = type(settings).model_validate(settings.model_dump() | {"rollouts": rollouts})
            steps.append(_Step(f"rollouts: {_written(rollouts)}", changed))
    chosen = next((step for step in steps if tried(step.settings).fits), steps[0] if steps else None)
    if chosen and chosen.settings != settings:
        yield chosen


def _in_parts(settings: GroupSettings, rollouts: TransformersRollouts, tried: Tried) -> Iterator[_Step]:
    """Transformers with as many replies at a time as there is memory for, a power of two; one where there is none."""
    share = settings.batch_size * settings.steps_per_generation // settings.launch.processes
    at_once = min(share, rollouts.batch_size or share)
    sizes = [2**power for power in reversed(range((at_once - 1).bit_length()))]
    steps = []
    for size in sizes:
        parts = {"engine": "transformers", "batch_size": size}
        changed = settings.model_copy(update={"rollouts": TransformersRollouts.model_validate(parts)})
        steps.append(_Step(f"rollouts: {_written(parts)}", changed))

    def has_room(step: _Step) -> bool:
        found = tried(step.settings)
        return found.memory is not None and sum(found.memory.phases["rollouts"].values()) <= found.usable

    if steps:
        yield next((step for step in steps if has_room(step)), steps[-1])


def _written(mapping: Mapping[str, Any]) -> str:
    """A mapping as params.yaml would hold it, in one line."""
    return "{" + ", ".join(f"{key}: {_word(value)}" for key, value in mapping.items()) + "}"


def _word(value: Any) -> Any:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else value


def _judge_changes(
    project: Project, stage: StageSettings, settings: JudgeNeeds, rows: RowLengths | None
) -> list[Change]:
    """Halve the batch's tokens and prompts until it fits; then bfloat16 weights as well."""
    found: list[Change] = []
    for number_format in dict.fromkeys((settings.dtype, Dtype.BFLOAT16)):
        changed = settings.model_copy(update={"dtype": number_format, "attention": Attention.SDPA.value})
        while True:
            estimate = estimate_stage(project, replace(stage, settings=changed), rows)
            assert estimate.memory is not None
            said = f"batch_size: {changed.batch_size}, batch_tokens: {changed.batch_tokens}, attention: sdpa" + (
                "" if number_format is settings.dtype else f", dtype: {number_format}"
            )
            change = Change(said, estimate.memory.peak / GIB, estimate.memory.peak <= estimate.usable)
            if change.fits or changed.batch_size == 1:
                found = [change]
                break
            changed = changed.model_copy(
                update={"batch_size": changed.batch_size // 2, "batch_tokens": max(1, changed.batch_tokens // 2)}
            )
        if found[0].fits:
            return found
    return found
