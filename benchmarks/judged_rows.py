"""What the judging benchmarks share: items spread over all benchmarks, their prompts, and a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasrm.evaluation.benchmark_judgments import Orders, items_in_orders, read_items
from reasrm.inference.engine import Prompt
from reasrm.inference.prompt_rendering import render_all
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import show


def items_of(folder: Path, most: int) -> list[BenchmarkItem]:
    """About `most` items, evenly spread over all benchmarks in `folder`, in file order."""
    every = [item for part in read_items(folder).values() for item in part]
    step = max(1, len(every) // most)
    return every[::step][:most]


def prompts_of(tokenizer: Any, items: Sequence[BenchmarkItem]) -> list[Prompt]:
    """The distinct prompts of both orders, in file order."""
    shown = [show(item.pair, side) for item, side in items_in_orders(items, Orders.BOTH, 0)]
    return list(render_all(tokenizer, [judge_prompt(one, PromptVariant.FULL) for one in shown]).values())


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")
