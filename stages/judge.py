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
from typing import Any, NamedTuple

from reasrm.evaluation.benchmark_judgments import (
    comparisons,
    item_judgments,
    items_in_orders,
    read_items,
    write_judgments,
)
from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_params import BENCHMARKS, JudgeParams, RunningParams
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.judge_kind import JudgeKind
from reasrm.records.judgment import BUDGETS, Judgment
from reasrm.records.ledger import Ledger
from reasrm.records.unasked_prompts import IDENTITY, unasked_warning
from reasrm.runtime.kept_folders import ledger_file
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.runtime.terminal import say_error

JUDGMENTS = Path("data/judgments")


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
    with Ledger(ledger_file(f"judge-{model}", paid=params.is_paid)) as ledger:
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
