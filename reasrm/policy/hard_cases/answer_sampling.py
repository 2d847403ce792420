"""A policy's answers to prompts: several per prompt, drawn with the engines that judges run on; a ledger keeps them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.inference.prompt_run import ask_all
from reasrm.records.ledger import Ledger
from reasrm.records.policy import PolicyPrompt, answer_of
from reasrm.records.reply import Finish
from reasrm.runtime.progress import ProgressLine

ROUNDS_APART = 1_000_003
"""Between the seeds of two rounds, so that no round draws an earlier one's answers again."""


class AnswerSampling(BaseModel):
    """How answers are drawn, and how the policy is run for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineName
    samples: int = Field(ge=2)
    """Answers per prompt."""
    temperature: float = Field(gt=0)
    top_p: float = Field(gt=0, le=1)
    max_new_tokens: int = Field(gt=0)
    """An answer that is longer is not used. Tokens."""
    max_context_tokens: int = Field(gt=0)
    """Of prompt and answer together; longer prompts are left out."""
    batch_size: int = Field(gt=0)
    batch_tokens: int = Field(gt=0)
    cache_tokens: int = Field(gt=0)
    dtype: Dtype
    attention: Attention
    threads: int = Field(gt=0)
    tensor_parallel: int = Field(gt=0)
    """GPUs that share one model (vLLM)."""

    def local_model(self, checkpoint: Path, data_parallel: int, memory_share: float) -> LocalModelSettings:
        """How the policy's checkpoint is run."""
        shared = set(LocalModelSettings.model_fields)
        given = {key: value for key, value in self if key in shared}
        return LocalModelSettings(
            checkpoint=checkpoint, data_parallel=data_parallel, memory_share=memory_share, **given
        )

    def sampling(self, seed: int) -> Sampling:
        """How one answer to each prompt is drawn."""
        return Sampling(
            max_new_tokens=self.max_new_tokens, temperature=self.temperature, top_p=self.top_p, seed=seed, stop=""
        )


@dataclass(frozen=True)
class SampledAnswers:
    """What a policy answered to one prompt."""

    prompt: PolicyPrompt
    answers: tuple[str, ...]
    """Different ones, in the order in which they were drawn first."""


@dataclass
class AnswerCounts:
    """What became of all answers and prompts."""

    prompts: int = 0
    unasked_prompts: Counter[str] = field(default_factory=Counter)
    """Prompts that were not asked, by reason."""
    answers: int = 0
    repeated: int = 0
    """Answers that the policy had given to the same prompt before."""
    unusable: Counter[str] = field(default_factory=Counter)
    """Answers cut off by the limit of tokens, or empty."""


def sample_answers(
    prompts: Sequence[PolicyPrompt],
    model: LocalModelSettings,
    settings: AnswerSampling,
    marker: str,
    seed: int,
    ledger: Ledger,
) -> tuple[list[SampledAnswers], AnswerCounts]:
    """The different usable answers to each prompt, and the account of all that were drawn.

    Raises:
        StageError: the checkpoint cannot be used; says why.
        StoppedResumable: a service stopped answering.
    """
    counts = AnswerCounts(prompts=len(prompts))
    opened = open_model(settings.engine, model)
    try:
        rendered = opened.render([one.prompt for one in prompts])
        asked = {one.id: rendered[one.prompt] for one in prompts if _is_asked(rendered[one.prompt], settings, counts)}
        texts: dict[str, list[str]] = {one.id: [] for one in prompts}
        for sample in range(settings.samples):
            line = ProgressLine(f"answers, draw {sample + 1} of {settings.samples}")
            drawn = ask_all(
                opened.engine, asked.values(), settings.sampling(seed * ROUNDS_APART + sample), ledger, line
            )
            for prompt_id, prompt in asked.items():
                counts.answers += 1
                reply = drawn[prompt.key]
                answer = answer_of(reply.text, marker)
                if reply.finish is not Finish.STOP:
                    counts.unusable[reply.finish.value] += 1
                elif not answer:
                    counts.unusable["empty"] += 1
                else:
                    texts[prompt_id].append(answer)
    finally:
        opened.engine.close()
    found = [SampledAnswers(one, tuple(dict.fromkeys(texts[one.id]))) for one in prompts]
    counts.repeated = sum(map(len, texts.values())) - sum(len(one.answers) for one in found)
    return found, counts


def _is_asked(prompt: Prompt, settings: AnswerSampling, counts: AnswerCounts) -> bool:
    """Whether a prompt can be asked; if not, why is counted."""
    if prompt.unrenderable:
        counts.unasked_prompts[Finish.UNRENDERABLE.value] += 1
    elif len(prompt.token_ids) + settings.max_new_tokens > settings.max_context_tokens:
        counts.unasked_prompts[Finish.TOO_LONG.value] += 1
    else:
        return True
    return False
