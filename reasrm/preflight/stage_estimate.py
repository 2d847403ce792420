"""One stage on one device: memory, whether it fits, disk, tokens and hours, and the share of its rows that fit."""

from dataclasses import dataclass
from pathlib import Path

from reasrm.inference.local_model import Attention
from reasrm.inference.model_opening import EngineName
from reasrm.policy.training.settings import PolicySettings, RewardSource
from reasrm.preflight.base_model import BaseModel
from reasrm.preflight.devices import Device
from reasrm.preflight.disk import DiskNeed, copied_disk, training_disk
from reasrm.preflight.formulas.activations import FLOAT32
from reasrm.preflight.formulas.judge_memory import Judging, batch_parts, judge_memory, vllm_memory, width_of
from reasrm.preflight.formulas.memory import MemoryNeed
from reasrm.preflight.formulas.trained_weights import optimiser_bytes
from reasrm.preflight.formulas.training_memory import HeldJudge, Training, small_vllm_share, training_memory
from reasrm.preflight.formulas.work import Work, hours
from reasrm.preflight.model_shape import ModelShape, shape_of_folder
from reasrm.preflight.row_lengths import RowLengths
from reasrm.preflight.stage_settings import JudgeNeeds, StageSettings
from reasrm.preflight.stage_work import judge_work, training_work
from reasrm.records.judge_kind import JudgeKind
from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.group_settings import GroupSettings
from reasrm.training.trainer_settings import EpochSettings, SftSettings, Strategy, TrainerSettings

CHECKPOINTS = Path("data/checkpoints")
LOCAL_ENGINES = frozenset({EngineName.TRANSFORMERS, EngineName.VLLM})
NOTHING = DiskNeed()


@dataclass(frozen=True, slots=True)
class Project:
    """What the estimates of all stages share."""

    root: Path
    base: BaseModel
    device: Device
    copies: int
    """Of each output on the disk."""
    kept: int
    """Checkpoints to resume from that a training keeps."""


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """What one stage needs; a field is None where it is unknown or does not apply."""

    stage: str
    memory: MemoryNeed | None = None
    usable: int = 0
    """Bytes that tensors may take on one device."""
    disk: DiskNeed = NOTHING
    work: Work | None = None
    hours: tuple[float, float] | None = None
    rows: RowLengths | None = None
    limit: int = 0
    """Tokens that a row may have."""
    problems: tuple[str, ...] = ()
    """Why it cannot run, whatever its memory."""
    notes: tuple[str, ...] = ()
    unknown: str = ""
    """Why nothing is estimated."""

    @property
    def fits(self) -> bool | None:
        """Whether it runs on the device; None where that is unknown."""
        if self.problems:
            return False
        return None if self.memory is None else self.memory.peak <= self.usable


def estimate_stage(project: Project, stage: StageSettings, rows: RowLengths | None) -> StageEstimate:
    """What `stage` needs on the project's device."""
    if stage.error:
        return StageEstimate(stage.stage, unknown=stage.error)
    settings = stage.settings
    if settings is None:
        return _copied_base(project, stage)
    if isinstance(settings, JudgeNeeds):
        return _estimate_judge(project, stage.stage, settings, rows)
    return estimate_training(project, stage, settings, rows)


def estimate_training(
    project: Project, stage: StageSettings, settings: TrainerSettings, rows: RowLengths | None
) -> StageEstimate:
    """What a training with `settings` needs."""
    try:
        training, limit = training_of(project, stage, settings, rows)
    except StageError as error:
        return StageEstimate(stage.stage, unknown=str(error))
    work = training_work(training, settings, rows, limit)
    return StageEstimate(
        stage.stage,
        training_memory(training),
        project.device.usable,
        training_disk(training, project.copies, project.kept, project.base.stored_width),
        work,
        hours(work, project.device, settings.launch.processes) if work else None,
        rows,
        limit,
        _problems(project.device, training, settings),
        _notes(stage, settings),
    )


def training_of(
    project: Project, stage: StageSettings, settings: TrainerSettings, rows: RowLengths | None
) -> tuple[Training, int]:
    """The training that a stage is, and the tokens that a row of it may have.

    Sequences are as long as their limit, or as the longest measured row that fits.

    Raises:
        StageError: the shape of the judge in the training's process is unknown.
    """
    limit = settings.max_tokens if isinstance(settings, EpochSettings) else 0
    reply = 0
    if isinstance(settings, GroupSettings):
        limit, reply = settings.max_prompt_tokens, settings.max_reply_tokens
    fitting = [length for length in rows.longest if length <= limit] if rows and rows.measured else []
    packed = isinstance(settings, SftSettings) and settings.packing
    longest = max(fitting) if fitting and not packed else limit
    prompt = longest if reply else 0
    scalar = stage.section == "scalar_rm"
    device, judge = project.device, None if stage.judge is None else _held_judge(project, stage.judge, longest + reply)
    shape = project.base.shape
    return Training(shape, settings, longest + reply, device.is_gpu, scalar, prompt, device.memory, judge), limit


def _held_judge(project: Project, settings: JudgeNeeds, length: int) -> HeldJudge | None:
    """What the judge that rewards takes in the process of a policy's training; nothing of a model behind an API.

    A judge that scores reads a prompt and one answer, `length` tokens at most; what another reads is known by its limit
    alone.
    """
    scalar, device = settings.kind is JudgeKind.SCALAR, project.device
    if settings.engine not in LOCAL_ENGINES and not scalar:
        return None
    shape = _judged_shape(project, settings)
    if settings.engine is EngineName.VLLM and not scalar:
        return HeldJudge(settings.memory_share * device.memory, {})
    judging, limit = judging_of(project, settings, shape, None)
    if scalar:
        judging = judging._replace(longest_prompt=min(limit, length))
    return HeldJudge(
        float((shape.scalar_parameters if scalar else shape.parameters) * judging.width), batch_parts(judging)
    )


def _copied_base(project: Project, stage: StageSettings) -> StageEstimate:
    """A published base is copied as it is; where its files are not here, in bfloat16."""
    size = float(2 * project.base.shape.parameters)
    if project.base.folder is not None:
        size = float(sum(file.stat().st_size for file in project.base.folder.glob("*.safetensors"))) or size
    return StageEstimate(stage.stage, disk=copied_disk(size, project.copies), notes=("copied, not trained",))


def _estimate_judge(project: Project, stage: str, settings: JudgeNeeds, rows: RowLengths | None) -> StageEstimate:
    if settings.engine not in LOCAL_ENGINES and settings.kind is JudgeKind.GENERATIVE:
        return StageEstimate(stage, notes=(f"engine {settings.engine}: no model on this machine",))
    try:
        shape = _judged_shape(project, settings)
    except StageError as error:
        return StageEstimate(stage, unknown=str(error))
    judging, limit = judging_of(project, settings, shape, rows)
    problems = [] if limit > 0 else ["max_new_tokens leaves no room for a prompt in max_context_tokens"]
    if shape.positions and settings.max_context_tokens > shape.positions:
        problems.append(
            f"max_context_tokens {settings.max_context_tokens} exceeds the model's {shape.positions} positions"
        )
    by_vllm = settings.engine is EngineName.VLLM and settings.kind is JudgeKind.GENERATIVE
    memory = judge_memory(judging)
    if by_vllm:
        tokens = judging.longest_prompt + judging.reply
        memory = vllm_memory(shape, judging.width, tokens, settings.tensor_parallel)
    device, usable = project.device, project.device.usable
    if by_vllm and device.is_gpu:
        usable = min(usable, int(device.memory * settings.memory_share))
    if not device.is_gpu:  # all processes share the memory
        usable //= settings.data_parallel
    wanted = settings.tensor_parallel * settings.data_parallel
    if device.is_gpu and wanted > device.count:
        problems.append(f"tensor_parallel x data_parallel {wanted}: there are {device.count} GPUs")
    work = judge_work(judging, rows, limit, settings.samples)
    time = hours(work, device, wanted if device.is_gpu else 1) if work else None
    return StageEstimate(stage, memory, usable, work=work, hours=time, rows=rows, limit=limit, problems=tuple(problems))


def judging_of(
    project: Project, settings: JudgeNeeds, shape: ModelShape, rows: RowLengths | None
) -> tuple[Judging, int]:
    """How a judge is run, and the tokens that a prompt of it may have."""
    scalar = settings.kind is JudgeKind.SCALAR
    reply = 0 if scalar else settings.max_new_tokens
    limit = settings.max_context_tokens - reply
    fitting = [length for length in rows.longest if length <= limit] if rows and rows.measured else []
    return Judging(
        shape,
        width_of(settings.dtype.value),
        settings.attention == Attention.EAGER,
        scalar,
        settings.batch_size,
        settings.batch_tokens,
        max(1, max(fitting, default=limit)),
        reply,
        project.device.is_gpu,
        settings.cache_tokens,
    ), limit


def _judged_shape(project: Project, settings: JudgeNeeds) -> ModelShape:
    """The shape of what a judge runs: what the stages train is of the base's."""
    if settings.checkpoint.is_relative_to(CHECKPOINTS):
        return project.base.shape
    return shape_of_folder(project.root / settings.checkpoint)


def _problems(device: Device, training: Training, settings: TrainerSettings) -> tuple[str, ...]:
    """What stops a training however much memory there is."""
    found = []
    strategy, processes = settings.launch.strategy, settings.launch.processes
    if not device.is_gpu and strategy not in {Strategy.SINGLE, Strategy.DDP}:
        found.append(f"launch.strategy {strategy} needs GPUs")
    if device.is_gpu and processes > device.count:
        found.append(f"launch.processes {processes}: there are {device.count} GPUs")
    if not device.is_gpu and settings.attention.value == "flash_attention_2":
        found.append("attention flash_attention_2 needs a GPU")
    if not device.is_gpu and settings.lora is not None and settings.lora.quantise is not None:
        found.append(f"lora.quantise {settings.lora.quantise} needs a GPU")
    if problem := small_vllm_share(training):
        found.append(problem)
    if training.shape.positions and training.length > training.shape.positions:
        found.append(f"sequences of {training.length} tokens exceed the model's {training.shape.positions} positions")
    return tuple(found)


def _notes(stage: StageSettings, settings: TrainerSettings) -> tuple[str, ...]:
    notes = []
    if not optimiser_bytes(settings.optim, FLOAT32).known:
        notes.append(f"optim {settings.optim} is unknown here: counted as AdamW")
    if isinstance(settings, PolicySettings) and settings.reward is RewardSource.JUDGE:
        where = "counted here; policy_running.judge_url serves it elsewhere"
        where = where if stage.judge is not None else "served (policy_running.judge_url): not counted here"
        notes.append(f"the judge {settings.judge} is {where}")
    return tuple(notes)
