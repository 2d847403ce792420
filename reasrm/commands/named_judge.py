"""The options that name a judge, shared by the commands that open one: what each means, and the judge itself."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reasrm.judging.chain_of_rubrics import PromptVariant

if TYPE_CHECKING:
    from reasrm.evaluation.judge import Judge
    from reasrm.inference.served_model import ServedModel

MODEL = "data/checkpoints/grpo-full"
MOST_NEW_TOKENS = 1024
JUDGE = "The judge"
"""Heads these options in a command's help."""


class JudgeEngine(StrEnum):
    """What runs a checkpoint."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"
    SCALAR = "scalar"
    """A model that scores answers."""


ModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|NAME",
        help=f"A checkpoint's folder ({MODEL}), or a model's name with --base-url or --api.",
        rich_help_panel=JUDGE,
    ),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Address of a served model, as http://127.0.0.1:8000/v1; it speaks OpenAI's API, or the one of --api.",
        rich_help_panel=JUDGE,
    ),
]
ApiOption = Annotated[
    Literal["openai", "openai_responses", "anthropic"] | None,
    typer.Option(help="A vendor's API; the key comes from its SDK's environment variable.", rich_help_panel=JUDGE),
]
ServedOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="YAML file of a served model, for settings that --base-url and --api do not have.",
        rich_help_panel=JUDGE,
    ),
]
EngineOption = Annotated[
    JudgeEngine | None,
    typer.Option(help="What runs a checkpoint (transformers); scalar: it scores answers.", rich_help_panel=JUDGE),
]
DtypeOption = Annotated[
    Literal["float32", "bfloat16", "float16"] | None,
    typer.Option(help="Number format of a checkpoint's weights (float32).", rich_help_panel=JUDGE),
]
TensorParallelOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="GPUs that share one model; with --engine vllm (1).", rich_help_panel=JUDGE),
]
DataParallelOption = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Copies of a checkpoint, each judging a part of the rows (1).", rich_help_panel=JUDGE
    ),
]
PromptFileOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A published judge's prompt.", rich_help_panel=JUDGE)
]
VariantOption = Annotated[PromptVariant | None, typer.Option(help="Of our own prompt (full).", rich_help_panel=JUDGE)]
MaxNewTokensOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=2**31 - 1, metavar="N", help=f"A reply is cut off here ({MOST_NEW_TOKENS}).", rich_help_panel=JUDGE
    ),
]


@dataclass(frozen=True)
class NamedJudge:
    """The judge that the options of one call name; None where one was not given."""

    model: str | None
    base_url: str | None
    api: str | None
    served: Path | None
    engine: JudgeEngine | None
    dtype: str | None
    tensor_parallel: int | None
    data_parallel: int | None
    prompt_file: Path | None
    variant: PromptVariant | None
    max_new_tokens: int | None

    def usage_error(self) -> str | None:
        """Why the options cannot be meant together, if they cannot; no option ever overrides another."""
        named, scalar = self.api or self.base_url, self.engine is JudgeEngine.SCALAR
        service, prompted = self.served or named, self.prompt_file or self.variant or self.max_new_tokens
        wrong = {
            "--served holds model and address: leave --model, --base-url and --api out": self.served
            and (self.model or named),
            "--base-url and --api need the model's name: --model NAME": named and not self.model,
            "a service is not run here: leave --engine, --dtype, --tensor-parallel and --data-parallel out": service
            and (self.engine or self.dtype or self.tensor_parallel or self.data_parallel),
            "--tensor-parallel goes with --engine vllm": self.tensor_parallel and self.engine is not JudgeEngine.VLLM,
            "a published judge has its own prompt: leave --variant out": self.prompt_file and self.variant,
            "a scalar judge has no prompt and writes no reply: leave --prompt-file, --variant and --max-new-tokens "
            "out": scalar and prompted,
        }
        return next((message for message, holds in wrong.items() if holds), None)

    def open_judge(self) -> "Judge":
        """The judge that the options name."""
        from reasrm.evaluation.judge_opening import open_judge, open_scalar_judge
        from reasrm.evaluation.judge_template import JudgeTemplate, PublishedTemplate, RubricsTemplate
        from reasrm.evaluation.published_judges.prompt_file import load_prompt_file
        from reasrm.inference.local_model import Dtype

        dtype, tokens = Dtype(self.dtype or Dtype.FLOAT32), self.max_new_tokens or MOST_NEW_TOKENS
        if self.engine is JudgeEngine.SCALAR:
            return open_scalar_judge(self.model or MODEL, dtype, self.data_parallel or 1)
        template: JudgeTemplate = RubricsTemplate(self.variant or PromptVariant.FULL)
        if self.prompt_file is not None:
            template = PublishedTemplate(load_prompt_file(self.prompt_file))
        if self.served or self.api or self.base_url:
            return open_judge(self._served_model(), template=template, max_new_tokens=tokens)
        parallel = {"tensor_parallel": self.tensor_parallel or 1, "data_parallel": self.data_parallel or 1}
        engine = self.engine or JudgeEngine.TRANSFORMERS
        return open_judge(self.model or MODEL, engine, template, tokens, dtype, **parallel)

    def _served_model(self) -> "ServedModel":
        from reasrm.inference.served_model import load_served_model, served_model

        if self.served is not None:
            return load_served_model(self.served)
        return served_model(str(self.model), self.base_url, self.api or "openai")
