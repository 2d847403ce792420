"""Judge all benchmarks with one model: one engine start, each distinct prompt once.

Reads:   data/benchmarks/*.jsonl, the model's checkpoint
Writes:  data/judgments/<model>/<benchmark>.jsonl in item order, data/judgments/<model>/identity.json, and with
         `token_budgets` the same below data/judgments/<model>/budgets/<tokens>/
Resumes: ledgers/judge-<model>.jsonl; nothing that is in it is asked again
Run:     python -m stages.judge <model>      (or: dvc repro judge@<model>)
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field, model_validator

from reasrm.evaluation.benchmark_judgments import (
    comparisons,
    item_judgments,
    items_in_orders,
    read_items,
    write_judgments,
)
from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_template import JudgeTemplate, PublishedTemplate, RubricsTemplate
from reasrm.evaluation.published_judges.prompt_file import load_prompt_file
from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Orders, Side
from reasrm.records.judge_kind import JudgeKind
from reasrm.records.judgment import BUDGETS, Judgment
from reasrm.records.ledger import Ledger
from reasrm.records.unasked_prompts import IDENTITY, unasked_warning
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.runtime.terminal import say_error
from reasrm.runtime.work_folder import LEDGERS

BENCHMARKS = Path("data/benchmarks")
JUDGMENTS = Path("data/judgments")
BUDGET_MARGIN = 24
"""Tokens that forcing a verdict takes: closed tags, the opening of the verdict, the verdict."""


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


class JudgedBenchmarks(NamedTuple):
    """What the stage writes."""

    judgments: list[Judgment]
    """In the order in which the items were shown."""
    budgets: dict[int, list[Judgment]]
    """The same within each of `token_budgets`; a scalar judge has none."""
    identity: dict[str, Any]
    """Content of identity.json: no times and no attempts, so that equal inputs give equal bytes. `engine_starts` is
    counted in this process; where the ledger held every reply, the start that gave them counts."""


def judge_items(
    shown: Sequence[tuple[BenchmarkItem, Side]], params: JudgeParams, running: RunningParams, ledger: Ledger
) -> JudgedBenchmarks:
    """Judge items, each with its better answer on the given side."""
    asked_about = comparisons(shown)
    budgets = params.token_budgets if params.kind is JudgeKind.GENERATIVE else ()
    with params.open_judge(running) as judge:
        judgments = item_judgments(shown, judge.judge(asked_about, ledger))
        _require_asked(judge, params)
        counts = judge.counts
        within = {budget: item_judgments(shown, judge.judge(asked_about, ledger, budget)) for budget in budgets}
        identity = {
            "judgments": len(judgments),
            "asked": counts.asked,
            "too_long": counts.too_long,
            "engine_starts": judge.starts or int(bool(counts.asked)),
            "params": params.recorded(judge.unsent),
        }
        unrenderable = {"unrenderable": counts.unrenderable} if counts.unrenderable else {}
        return JudgedBenchmarks(judgments, within, identity | unrenderable | judge.identity())


def _require_asked(judge: Judge, params: JudgeParams) -> None:
    """Do nothing if the judge was asked at all: judgments without a reply would be scored like wrong ones.

    Raises:
        StageError: no prompt was asked; says why and what would help.
    """
    counts = judge.counts
    if counts.asked:
        return
    why = f"{counts.too_long:,} too long, {counts.unrenderable:,} not rendered by the chat template"
    if not counts.too_long:
        raise StageError(f"nothing was judged: no prompt was asked ({why}); the reason stands above")
    needed = f"; the longest needs {judge.tokens_needed:,} tokens" if judge.tokens_needed else ""
    written = "" if params.kind is JudgeKind.SCALAR else f", of which a reply may take {params.max_new_tokens:,}"
    raise StageError(
        f"nothing was judged: no prompt was asked ({why}), and `max_context_tokens` of section `judge` in params.yaml "
        f"is {params.max_context_tokens:,}{written}{needed}: raise it, as far as the model's own context allows"
    )


def main() -> str:
    """Judge with the model named on the command line."""
    if len(sys.argv) != 2:
        raise StageError("which model? `python -m stages.judge MODEL`, one of `judge_variants` in params.yaml")
    model = sys.argv[1]
    params, running = JudgeParams.load(model), RunningParams.load()
    items = read_items(BENCHMARKS)
    shown = items_in_orders([item for part in items.values() for item in part], params.orders, params.seed)
    with Ledger(LEDGERS / f"judge-{model}.jsonl") as ledger:
        judgments, budgets, identity = judge_items(shown, params, running, ledger)
    with new_folder(JUDGMENTS / model) as folder:
        write_judgments(folder, items, judgments)
        for budget, judged in budgets.items():
            write_judgments(folder / BUDGETS / str(budget), items, judged)
        write_json(folder / IDENTITY, identity)
    if warning := unasked_warning(model, identity):
        say_error(f"judge-{model}", warning)
    unreadable = sum(1 for one in judgments if one.verdict is None)
    return f"{model}: {len(judgments):,} judgments from {identity['asked']:,} prompts, {unreadable:,} unreadable"


if __name__ == "__main__":
    run_stage(f"judge-{sys.argv[1]}" if len(sys.argv) > 1 else "judge", main)
