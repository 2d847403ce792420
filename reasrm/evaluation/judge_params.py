"""How the stage `judge` runs and prompts a model: its sections of params.yaml, and the judge that they open.

The stage `probe` asks the same judge again, with the settings that stand in the judgments' identity.json.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_template import JudgeTemplate, PublishedTemplate, RubricsTemplate
from reasrm.evaluation.published_judges.prompt_file import load_prompt_file
from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.comparison import Orders
from reasrm.records.judge_kind import JudgeKind
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError

BENCHMARKS = Path("data/benchmarks")
BUDGET_MARGIN = 24
"""Tokens that forcing a verdict takes: closed tags, the opening of the verdict, the verdict."""
UNSENT = {"temperature": 0.0, "top_p": 1.0}
"""What stands for settings that a service is not sent: it takes its own, whatever these say."""


class RunningParams(StageParams):
    """Section `judge_running`: how a checkpoint is run. Nothing here changes a reply, so no stage depends on it."""

    section: ClassVar[str] = "judge_running"

    data_parallel: int = Field(gt=0)
    """Processes that each hold the whole model, on `judge.tensor_parallel` GPUs each, or on the CPU."""
    memory_share: float = Field(gt=0, le=1)
    """Of a GPU's memory, which vLLM takes."""


class JudgeParams(StageParams):
    """Section `judge` of params.yaml, with the keys of one model (`judge_variants.<model>`) in place of its own."""

    section: ClassVar[str] = "judge"

    checkpoint: Path
    kind: JudgeKind
    prompt: PromptVariant
    """What a generative judge is asked to write; a scalar judge sees conversation and answer alone."""
    published_prompt: Path | None
    """Prompt file of a published judge (`published_judges/prompt_file.py`), in place of `prompt`; null for ours."""
    reads: Path
    """What dvc.yaml lets the stage depend on beside the checkpoint: the prompt file, so that an edit of it reruns the
    judge. DVC knows no dependency that may be left out, so for our own prompt it is the benchmarks once more."""
    engine: EngineName
    orders: Orders
    seed: int
    """Of hashed orders and of draws."""
    max_new_tokens: int = Field(gt=0)
    """A reply is cut off here. Tokens."""
    max_context_tokens: int = Field(gt=0)
    """Prompts that leave less than `max_new_tokens` of it are refused as too long. Tokens."""
    temperature: float = Field(ge=0)
    top_p: float = Field(gt=0, le=1)
    samples: int = Field(gt=0)
    """Replies per prompt; the verdict is the majority's. More than one needs a temperature above 0."""
    token_budgets: tuple[int, ...]
    """Also judge as if a reply could have no more tokens than each of these (`token_budgets.py`)."""
    batch_size: int = Field(gt=0)
    batch_tokens: int = Field(gt=0)
    """Most prompt tokens in one batch, padding included."""
    cache_tokens: int = Field(gt=0)
    """Most tokens in the cache of one batch of the engine transformers: prompts, padding, and the longest replies."""
    dtype: Dtype
    attention: Attention
    threads: int = Field(gt=0)
    tensor_parallel: int = Field(gt=0)
    """GPUs that share one model (vLLM)."""

    @model_validator(mode="after")
    def _reads_its_prompt_file(self) -> Self:
        if self.reads != (self.published_prompt or BENCHMARKS):
            raise ValueError(
                f"reads is {self.reads}, published_prompt is {self.published_prompt or 'null'}: for a published judge "
                f"both name its prompt file, so that an edit of it reruns the judge; for our own reads is {BENCHMARKS}"
            )
        return self

    @model_validator(mode="after")
    def _only_vllm_splits(self) -> Self:
        whole = self.kind is JudgeKind.SCALAR or self.engine is EngineName.TRANSFORMERS
        if whole and self.tensor_parallel > 1:
            what = "a scalar judge" if self.kind is JudgeKind.SCALAR else "the engine transformers"
            raise ValueError(
                f"tensor_parallel is {self.tensor_parallel}, and {what} does not split a model: 1 (for this model "
                "alone in `judge_variants`); `judge_running.data_parallel` runs several copies"
            )
        return self

    @model_validator(mode="after")
    def _budgets_are_smaller(self) -> Self:
        wrong = [budget for budget in self.token_budgets if not 0 < budget <= self.max_new_tokens - BUDGET_MARGIN]
        if wrong:
            most = self.max_new_tokens - BUDGET_MARGIN
            raise ValueError(
                f"token_budgets {wrong}: from 1 to {most}, which is max_new_tokens less what a forced verdict takes"
            )
        return self

    @property
    def is_paid(self) -> bool:
        """Whether its replies cost money, as a service's may."""
        return self.engine is EngineName.API

    def local_model(self, running: RunningParams) -> LocalModelSettings:
        """How the checkpoint is run."""
        shared = set(LocalModelSettings.model_fields)
        return LocalModelSettings(**{key: value for key, value in self if key in shared}, **dict(running))

    def recorded(self, unsent: frozenset[str]) -> dict[str, Any]:
        """For identity.json: all settings, null for what a service was not sent; the checkpoint's hash is elsewhere."""
        drawn = {name: None for name in ("temperature", "top_p") if name in unsent}
        return self.model_dump(mode="json", exclude={"checkpoint"}) | drawn

    def template(self) -> JudgeTemplate:
        """How a generative judge is prompted and read."""
        if self.published_prompt is None:
            return RubricsTemplate(self.prompt)
        return PublishedTemplate(load_prompt_file(self.published_prompt))

    def samplings(self, stop: str) -> list[Sampling]:
        """How each sample is drawn; they differ in their seed."""
        if self.samples > 1 and self.temperature == 0:
            raise StageError("judge.samples is above 1 at temperature 0: every sample would be the same")
        return [
            Sampling(
                max_new_tokens=self.max_new_tokens,
                temperature=self.temperature,
                top_p=self.top_p,
                seed=self.seed + sample,
                stop=stop,
            )
            for sample in range(self.samples)
        ]

    def open_judge(self, running: RunningParams) -> Judge:
        """The judge; its model is loaded, or its service asked, with the first comparison."""
        local = self.local_model(running)
        if self.kind is JudgeKind.SCALAR:
            return ScalarJudge(local)
        template = self.template()
        samplings = self.samplings(template.stop)
        return TextJudge(open_model(self.engine, local), template, samplings, self.max_context_tokens)

    @classmethod
    def recorded_in(cls, identity: Mapping[str, Any], checkpoint: Path) -> Self:
        """The settings with which judgments were made, from their identity.json; `checkpoint` is where the model is."""
        unsent = {name: value for name, value in UNSENT.items() if identity["params"].get(name) is None}
        return cls.model_validate({**identity["params"], **unsent, "checkpoint": checkpoint})
