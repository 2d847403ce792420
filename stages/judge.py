"""Judge all benchmarks with one model: one engine start, each distinct prompt once.

Reads:   data/benchmarks/*.jsonl, the model's checkpoint
Writes:  data/judgments/<model>/<benchmark>.jsonl in item order, data/judgments/<model>/identity.json, and with
         `token_budgets` the same below data/judgments/<model>/budgets/<tokens>/
Resumes: ledgers/judge-<model>.jsonl; nothing that is in it is asked again
Run:     python -m stages.judge <model>      (or: dvc repro judge@<model>)
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field, model_validator

from reasrm.evaluation.judge_template import JudgeForm, OwnForm, PublishedForm
from reasrm.evaluation.judgments import judgment_of_replies, judgment_of_scores
from reasrm.evaluation.published_judges.prompt_file import load_prompt_file
from reasrm.evaluation.token_budgets import Budget, replies_within
from reasrm.inference.engine import Engine, Prompt, Sampling
from reasrm.inference.opening import EngineName, open_model
from reasrm.inference.prompt_rendering import load_tokenizer, render_answered
from reasrm.inference.prompt_run import ask_all, note_too_long, score_all
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.transformers_engine import Attention, Dtype, LocalModelSettings
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.benchmark_folder import item_files
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side, hashed_side, show
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.judgment import BUDGETS, Judgment
from reasrm.records.ledger import Ledger
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.runtime.work_folder import LEDGERS

BENCHMARKS = Path("data/benchmarks")
JUDGMENTS = Path("data/judgments")
BUDGET_MARGIN = 24
"""Tokens that making a judge decide takes: closed tags, the opening of the verdict, the verdict."""


class Kind(StrEnum):
    """What a judge gives back."""

    GENERATIVE = "generative"
    """A text with a verdict in it."""
    SCALAR = "scalar"
    """One number per answer."""


class Orders(StrEnum):
    """In which orders the answers of an item are shown."""

    BOTH = "both"
    HASHED = "hashed"
    """One order per item, by a hash of its texts and the seed."""


class JudgeParams(StageParams):
    """Section `judge` of params.yaml, with the keys of one model (`judge_variants.<model>`) laid over it."""

    section: ClassVar[str] = "judge"

    checkpoint: Path
    kind: Kind
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
    dtype: Dtype
    attention: Attention
    threads: int = Field(gt=0)

    @model_validator(mode="after")
    def _reads_its_prompt_file(self) -> Self:
        if self.reads != (self.published_prompt or BENCHMARKS):
            raise ValueError(
                f"reads is {self.reads}, published_prompt is {self.published_prompt or 'null'}: for a published judge "
                f"both name its prompt file, so that an edit of it reruns the judge; for our own reads is {BENCHMARKS}"
            )
        return self

    @model_validator(mode="after")
    def _budgets_are_smaller(self) -> Self:
        wrong = [budget for budget in self.token_budgets if not 0 < budget <= self.max_new_tokens - BUDGET_MARGIN]
        if wrong:
            most = self.max_new_tokens - BUDGET_MARGIN
            raise ValueError(
                f"token_budgets {wrong}: from 1 to {most}, which is max_new_tokens less the decision's own"
            )
        return self

    def fits(self, prompt: Prompt) -> bool:
        """Whether prompt and longest reply fit into the context; a service says so itself."""
        return len(prompt.token_ids) + self.max_new_tokens <= self.max_context_tokens

    def local_model(self) -> LocalModelSettings:
        """How the checkpoint is run."""
        shared = set(LocalModelSettings.model_fields)
        return LocalModelSettings(**{key: value for key, value in self if key in shared})

    def account(self, unsent: frozenset[str]) -> dict[str, Any]:
        """For identity.json: all settings, null for what a service was not sent; the checkpoint's hash is elsewhere."""
        drawn = {name: None for name in ("temperature", "top_p") if name in unsent}
        return self.model_dump(mode="json", exclude={"checkpoint"}) | drawn

    def form(self) -> JudgeForm:
        """How a generative judge is asked and read."""
        if self.published_prompt is None:
            return OwnForm(self.prompt)
        return PublishedForm(load_prompt_file(self.published_prompt))

    def samplings(self, stop: str) -> list[Sampling]:
        """One way of drawing per sample; they differ in their seed."""
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


Account = dict[str, Any]
"""What identity.json says about the judging."""


class Judged(NamedTuple):
    """What judging gave."""

    judgments: list[Judgment]
    """In the order in which the items were shown."""
    account: Account
    budgets: dict[int, list[Judgment]]
    """The same within each of `token_budgets`."""


Shown = tuple[BenchmarkItem, Side]
"""An item and the side on which its better answer is shown."""


def shown_orders(items: Sequence[BenchmarkItem], orders: Orders, seed: int) -> Iterator[Shown]:
    """Each item in the order or orders that it is judged in; items in their own order, A first."""
    for item in items:
        sides = tuple(Side) if orders is Orders.BOTH else (hashed_side(item.pair, seed),)
        yield from ((item, side) for side in sides)


def judge_generative(shown: Sequence[Shown], params: JudgeParams, ledger: Ledger) -> Judged:
    """Ask the model for a verdict on each shown item."""
    model, form = open_model(params.engine, params.local_model()), params.form()
    shows = [form.prompts(show(item.pair, side)) for item, side in shown]
    rendered = model.render((one for several in shows for one in several), form.begins)
    ways = params.samplings(form.stop)
    samples = [_asked(model.engine, rendered.values(), way, params, ledger) for way in ways]
    written = [[one for one in rendered.values() if one.key in replies] for replies in samples]
    within = {
        budget: [
            replies_within(Budget(budget, form.decision), model, prompts, replies, way, ledger)
            for prompts, replies, way in zip(written, samples, ways, strict=True)
        ]
        for budget in params.token_budgets
    }
    model.engine.close()

    def judgments(drawn: Sequence[Mapping[str, Reply]]) -> list[Judgment]:
        keys = [[rendered[messages].key for messages in several] for several in shows]
        said = [[[one[key] for key in asked] for one in drawn if one.keys() >= set(asked)] for asked in keys]
        return [
            judgment_of_replies(item, side, form, replies) for (item, side), replies in zip(shown, said, strict=True)
        ]

    account = _account(len(shown), rendered.values(), (one for part in written for one in part), model.engine)
    account |= {"form": form.identity(), "params": params.account(model.unsent)}
    budgets = {budget: judgments(drawn) for budget, drawn in within.items()}
    return Judged(judgments(samples), account, budgets)


def _asked(
    engine: Engine, prompts: Iterable[Prompt], way: Sampling, params: JudgeParams, ledger: Ledger
) -> dict[str, Reply]:
    """The replies to the prompts that fit, by `Prompt.key`; what a service says does not fit has none either."""
    fitting = [prompt for prompt in prompts if params.fits(prompt)]
    note_too_long(engine, set(prompts) - set(fitting), way, ledger)
    replies = ask_all(engine, fitting, way, ledger, ProgressLine("judge"))
    return {key: reply for key, reply in replies.items() if reply.finish is not Finish.TOO_LONG}


def judge_scalar(shown: Sequence[Shown], params: JudgeParams, ledger: Ledger) -> Judged:
    """Score both answers of each shown item."""
    tokenizer = load_tokenizer(params.checkpoint)
    engine = ScalarEngine(params.local_model(), tokenizer)
    answers = dict.fromkeys(
        (item.pair.prompt, text) for item, _ in shown for text in (item.pair.chosen, item.pair.rejected)
    )
    prompts = {answer: Prompt(answer[0], render_answered(tokenizer, *answer)) for answer in answers}
    fitting = [p for p in prompts.values() if len(p.token_ids) <= params.max_context_tokens]
    scores = score_all(engine, fitting, ledger)
    engine.close()
    judgments = []
    for item, side in shown:
        both = show(item.pair, side)
        texts = {Side.A: both.response_a, Side.B: both.response_b}
        found = {name: scores.get(prompts[(item.pair.prompt, text)].key) for name, text in texts.items()}
        judgments.append(judgment_of_scores(item, side, found))
    account = _account(len(judgments), prompts.values(), fitting, engine)
    return Judged(judgments, account | {"params": params.account(frozenset())}, {})


def _account(
    judgments: int, prompts: Iterable[Prompt], asked: Iterable[Prompt], engine: Engine | ScalarEngine
) -> Account:
    """What was asked, for identity.json: no times and no attempts, so that equal inputs give equal bytes.

    `engine_starts` is counted in this process; where the ledger held every reply, the start that gave them counts.
    """
    answered = len({prompt.key for prompt in asked})
    return {
        "judgments": judgments,
        "asked": answered,
        "too_long": len({prompt.key for prompt in prompts}) - answered,
        "engine_starts": engine.starts or int(bool(answered)),
        "engine": engine.identity(),
    }


def read_items(folder: Path) -> dict[str, list[BenchmarkItem]]:
    """The items of each benchmark in `folder`, benchmarks by name, items in file order.

    Raises:
        StageError: there are none.
    """
    items = {name: list(read_records(file, BenchmarkItem)) for name, file in item_files(folder).items()}
    if not any(items.values()):
        raise StageError(f"{folder}: no benchmark items there; run `dvc repro collect_benchmarks`")
    return items


def write_judgments(folder: Path, items: dict[str, list[BenchmarkItem]], judgments: Sequence[Judgment]) -> None:
    """One file per benchmark, in the order of its items; a benchmark without items gets an empty file."""
    for benchmark in items:
        write_records(folder / f"{benchmark}.jsonl", [one for one in judgments if one.benchmark == benchmark])


def main() -> str:
    """Judge with the model named on the command line."""
    if len(sys.argv) != 2:
        raise StageError("which model? `python -m stages.judge MODEL`, one of `judge_variants` in params.yaml")
    model = sys.argv[1]
    params = JudgeParams.load(model)
    items = read_items(BENCHMARKS)
    shown = list(shown_orders([item for part in items.values() for item in part], params.orders, params.seed))
    judge = judge_scalar if params.kind is Kind.SCALAR else judge_generative
    with Ledger(LEDGERS / f"judge-{model}.jsonl") as ledger:
        judgments, account, budgets = judge(shown, params, ledger)
    with new_folder(JUDGMENTS / model) as folder:
        write_judgments(folder, items, judgments)
        for budget, judged in budgets.items():
            write_judgments(folder / BUDGETS / str(budget), items, judged)
        write_json(folder / "identity.json", account)
    unreadable = sum(1 for one in judgments if one.verdict is None)
    return f"{model}: {len(judgments):,} judgments from {account['asked']:,} prompts, {unreadable:,} unreadable"


if __name__ == "__main__":
    run_stage(f"judge-{sys.argv[1]}" if len(sys.argv) > 1 else "judge", main)
