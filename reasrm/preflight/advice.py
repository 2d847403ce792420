"""What to change so that a stage fits: each change is put into the formulas again, none is a fixed phrase."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from pydantic import ValidationError

from reasrm.inference.local_model import Attention, Dtype
from reasrm.preflight.devices import GIB
from reasrm.preflight.row_lengths import RowLengths
from reasrm.preflight.stage_estimate import Project, StageEstimate, estimate_stage, estimate_training
from reasrm.preflight.stage_settings import JudgeNeeds, StageSettings
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.lora import LoraSettings, Quantisation
from reasrm.training.trainer_settings import LaunchSettings, Strategy, TrainerSettings, TrainingAttention, WeightType

ADAPTER = LoraSettings(rank=32, alpha=64, dropout=0.0, target_modules="all-linear", use_rslora=False, quantise=None)
VLLM = {
    "engine": "vllm", "mode": "colocate", "memory_share": 0.3, "tensor_parallel": 1, "sleep": True,
    "most_logprob_gap": 5e-2, "importance_sampling_mode": "sequence_mask", "importance_sampling_clip_min": None,
    "importance_sampling_clip_max": None,
}  # fmt: skip
WORDS = {None: "null", False: "false"}


class Change(NamedTuple):
    """One change of settings, and what it comes to."""

    text: str
    gib: float
    """Memory of the stage on one device with this change and those before it."""
    fits: bool


class _Step(NamedTuple):
    text: str
    settings: TrainerSettings


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

    def tried(text: str, changed: TrainerSettings) -> Change:
        found = estimate_training(project, stage, changed, rows)
        assert found.memory is not None
        return Change(text, found.memory.peak / GIB, found.memory.peak <= found.usable)

    steps = [step for step in _training_steps(project, settings) if not step.text.startswith("lora")]
    alone = [tried(step.text, step.settings) for step in steps]
    if sufficient := next((change for change in alone if change.fits), None):
        return [sufficient]
    return list(_together(project, settings, tried))


def _together(
    project: Project, settings: TrainerSettings, tried: Callable[[str, TrainerSettings], Change]
) -> Iterator[Change]:
    """One change after the other, those that save nothing left out, until it fits or there is no further one."""
    used: set[str] = set()
    least = tried("", settings).gib
    while True:
        step = next((one for one in _training_steps(project, settings) if one.text not in used), None)
        if step is None:
            return
        used.add(step.text)
        change = tried(step.text, step.settings)
        if change.gib < least * 0.99:
            settings, least = step.settings, change.gib
            yield change
            if change.fits:
                return


def _training_steps(project: Project, settings: TrainerSettings) -> Iterator[_Step]:
    """Changes that may save memory, those that change a result least first; of what is set already, none."""
    device = project.device
    share = settings.batch_size // settings.launch.processes
    if settings.sequences_at_once > 1 and share:
        yield _Step("micro_batch_size: 1", settings.model_copy(update={"micro_batch_size": 1}))
    if not settings.gradient_checkpointing:
        yield _Step("gradient_checkpointing: true", settings.model_copy(update={"gradient_checkpointing": True}))
    if settings.attention is TrainingAttention.EAGER:
        yield _Step("attention: sdpa", settings.model_copy(update={"attention": TrainingAttention.SDPA}))
    yield from _fewer_rollouts(settings)
    if device.is_gpu and device.count > settings.launch.processes and settings.batch_size % device.count == 0:
        launch = LaunchSettings(processes=device.count, strategy=Strategy.FSDP2)
        yield _Step(
            f"launch: {{processes: {device.count}, strategy: fsdp2}}", settings.model_copy(update={"launch": launch})
        )
    if device.is_gpu and "8bit" not in settings.optim and settings.lora is None:
        yield _Step("optim: adamw_8bit", settings.model_copy(update={"optim": "adamw_8bit"}))
    if settings.dtype is WeightType.FLOAT32:
        yield _Step("dtype: bfloat16", settings.model_copy(update={"dtype": WeightType.BFLOAT16}))
    if settings.lora is None:
        written = ", ".join(f"{key}: {WORDS.get(value, value)}" for key, value in ADAPTER.model_dump().items())
        yield _Step(f"lora: {{{written}}}", settings.model_copy(update={"lora": ADAPTER}))
    elif device.is_gpu and settings.lora.quantise is None:
        quantised = settings.lora.model_copy(update={"quantise": Quantisation.NF4})
        yield _Step("lora.quantise: nf4", settings.model_copy(update={"lora": quantised}))


def _fewer_rollouts(settings: TrainerSettings) -> Iterator[_Step]:
    """Fewer replies sampled at once; whole groups stay whole."""
    if not isinstance(settings, GrpoSettings):
        return
    yield from _by_vllm(settings)
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


def _by_vllm(settings: GrpoSettings) -> Iterator[_Step]:
    """Rollouts by vLLM in the same processes, where this training can have them: its cache has a fixed size."""
    rollouts = getattr(settings, "rollouts", None)
    if rollouts is None or rollouts.engine == "vllm":
        return
    with suppress(ValidationError):  # not with every adapter
        changed = type(settings).model_validate(settings.model_dump() | {"rollouts": VLLM})
        yield _Step(f"rollouts: {{engine: vllm, mode: colocate, memory_share: {VLLM['memory_share']}, ...}}", changed)


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
