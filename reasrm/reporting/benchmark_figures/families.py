"""The families of questions: what each asks, why an answer is the better one, and the shortest example of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reasrm.reporting.charts import ModelView
from reasrm.reporting.page_settings import PageSettings
from reasrm.reporting.replies.examples import shortest_items


class FamilyRow(NamedTuple):
    """One family of questions."""

    name: str
    n: int
    asks: str
    """What it asks and why an answer is the better one; empty where the settings do not say."""
    question: str
    """Of an example; empty where there is nothing to explain."""
    better: str
    worse: str


def family_rows(models: Sequence[ModelView], benchmarks: Path, settings: PageSettings) -> tuple[FamilyRow, ...]:
    """Every family that a model was judged on, in the settings' order, those that they do not name last.

    Args:
        models: with their scores.
        benchmarks: folder with one file of items per benchmark.
        settings: what each family asks.
    """
    sizes: dict[str, int] = {}
    for model in models:
        for name, figure in model.scores.families.items():
            sizes[name] = max(figure.n, sizes.get(name, 0))
    order = [name for name in settings.families if name in sizes]
    examples = shortest_items(benchmarks, order)
    order += sorted(sizes.keys() - settings.families.keys())
    pairs = {name: item.pair for name, item in examples.items()}
    return tuple(
        FamilyRow(
            name,
            sizes[name],
            settings.families.get(name, ""),
            *((pairs[name].question, pairs[name].chosen, pairs[name].rejected) if name in pairs else ("", "", "")),
        )
        for name in order
    )
