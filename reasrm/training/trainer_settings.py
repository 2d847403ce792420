"""The settings that all trainings share: all that change a result or decide whether a training fits the machine.

None has a default: params.yaml states each. They bear the names of TRL and transformers where these have one for the
same thing. Where ours means something else it has another name: `batch_size` is global, whatever the number of devices.
What is set nowhere here has the default of the locked version of TRL; the mapping `trl` changes it
(`reasrm.training.trl_arguments`).
"""

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.training.batch_sizes import accumulation
from reasrm.training.lora import LoraSettings
from reasrm.training.monitoring.settings import DevSettings, GenerativeDevSettings, Keep


class WeightType(StrEnum):
    """Number format in which weights are loaded and trained."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    """Half the memory; steps smaller than 1/256 of a weight are lost."""


class SavedType(StrEnum):
    """Number format in which the trained weights are written; they are rounded once, at the end."""

    BASE = "base"
    """That of the checkpoint that the training starts from; of the miniature, which starts from none, `dtype`."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    """What a training changed by less than 1/256 of a weight is lost, GRPO's small steps above all."""


class Precision(StrEnum):
    """Arithmetic of a training."""

    FLOAT32 = "float32"
    """None but that of the weights."""
    BFLOAT16 = "bfloat16"
    """Mixed (autocast): products in bfloat16, sums and losses in float32."""


class TrainingAttention(StrEnum):
    """Which of the library's attention implementations trains."""

    EAGER = "eager"
    """Quickest for short sequences on a CPU; memory grows with the square of the length."""
    SDPA = "sdpa"
    FLASH_ATTENTION_2 = "flash_attention_2"
    """Needs the package flash-attn and a CUDA device."""


class Strategy(StrEnum):
    """How several processes, one device each, share a training; each has a file in `reasrm/training/launch_configs`."""

    SINGLE = "single"
    """One process, not launched."""
    DDP = "ddp"
    """Each device holds the whole model and its optimiser; gradients are averaged."""
    FSDP2 = "fsdp2"
    """Weights, gradients and optimiser are cut over the devices (torch's fully_shard)."""
    ZERO2 = "zero2"
    """Gradients and optimiser are cut over the devices, weights are not (DeepSpeed)."""
    ZERO3 = "zero3"
    """As fsdp2, by DeepSpeed."""


class LaunchSettings(BaseModel):
    """On how many devices a training runs, over all nodes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processes: int = Field(gt=0)
    """One per device, over all nodes."""
    strategy: Strategy

    @model_validator(mode="after")
    def _check_processes(self) -> Self:
        if self.strategy is Strategy.SINGLE and self.processes > 1:
            others = ", ".join(strategy for strategy in Strategy if strategy is not Strategy.SINGLE)
            raise ValueError(f"{self.processes} processes need a strategy other than `single`: {others}")
        if self.strategy is Strategy.DDP and self.processes == 1:
            raise ValueError("`ddp` needs two processes at least; one is `single`")
        return self


class TrainerSettings(BaseModel):
    """Model format, optimiser, batch and checkpoints of one training; each stage's parameters extend it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: WeightType
    save_dtype: SavedType
    precision: Precision
    attention: TrainingAttention
    gradient_checkpointing: bool
    """Saves memory for a third more time."""
    lora: LoraSettings | None
    """Train an adapter beside frozen weights; None trains all weights."""

    optim: str = Field(min_length=1)
    """Optimiser, by transformers' name (`OptimizerNames`): adamw_torch_fused, adamw_8bit, adafactor ..."""
    learning_rate: float = Field(gt=0)
    """At its peak."""
    lr_scheduler_type: str = Field(min_length=1)
    """How the rate moves after the warm-up, by transformers' name (`SchedulerType`)."""
    lr_scheduler_kwargs: dict[str, Any]
    """What that schedule takes: `{min_lr_rate: 0.05}`, the last rate as a share of the peak."""
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    max_grad_norm: float = Field(ge=0)
    """Norm to which gradients are clipped; 0 clips none."""

    batch_size: int = Field(gt=0)
    """Sequences (GRPO: sampled replies; ScalarRM: pairs) of one optimiser step, over all processes."""
    micro_batch_size: int | None = Field(gt=0)
    """Sequences of one forward pass on one device; None takes a process's whole share of `batch_size` at once."""
    save_every: int = Field(gt=0)
    """Steps between the checkpoints that a killed run resumes from; a multiple of `log_every`."""
    log_every: int = Field(gt=0)
    """Steps between points of the curves."""
    dev: GenerativeDevSettings | DevSettings | None
    """Judging on dev pairs while it trains; None for never. Does not change the trained weights."""
    keep: Keep
    seed: int
    threads: int = Field(gt=0)
    """CPU threads of one operation; part of the result, see `training_run.make_repeatable`."""
    trl: dict[str, Any]
    """Further arguments of the TRL config class of this training, checked by that class."""

    launch: LaunchSettings
    """Part of the result: sums over devices round differently."""

    @property
    def accumulate(self) -> int:
        """Forward passes of one optimiser step on each device."""
        return accumulation(self.batch_size, self.micro_batch_size, self.launch.processes)

    @property
    def sequences_at_once(self) -> int:
        """Sequences of one forward pass on one device."""
        return self.batch_size // (self.launch.processes * self.accumulate)

    @model_validator(mode="after")
    def _check_save_every(self) -> Self:
        if self.save_every % self.log_every:
            raise ValueError(f"save_every ({self.save_every}) must be a multiple of log_every ({self.log_every})")
        return self

    @model_validator(mode="after")
    def _check_dev(self) -> Self:
        if self.dev is None:
            if self.keep is Keep.BEST_ON_DEV:
                raise ValueError("keep is best_on_dev, which needs `dev`: say how often and on how many pairs to judge")
            return self
        if self.dev.every % self.log_every:
            raise ValueError(f"dev.every ({self.dev.every}) must be a multiple of log_every ({self.log_every})")
        if self.launch.strategy in {Strategy.FSDP2, Strategy.ZERO3}:
            raise ValueError(
                f"`dev` judges with whole weights on each device, and launch.strategy {self.launch.strategy} cuts "
                f"them: set dev to null (judge the checkpoint afterwards), or take ddp or zero2"
            )
        return self

    @model_validator(mode="after")
    def _check_batch(self) -> Self:
        accumulation(self.batch_size, self.micro_batch_size, self.launch.processes)
        return self


class EpochSettings(TrainerSettings):
    """Settings of a training that goes over its examples a number of times."""

    epochs: int = Field(gt=0)
    max_tokens: int = Field(gt=0)
    """Longer examples (prompt and completion; of a pair, either conversation) are left out and counted."""


class SftSettings(EpochSettings):
    """Settings of supervised fine-tuning."""

    dev: GenerativeDevSettings | None
    packing: bool
    """Put several examples into one sequence of `max_tokens` (TRL's `bfd`: none is cut); batches then count sequences.

    Examples of one sequence do not see each other."""
