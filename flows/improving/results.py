"""What the rounds came to: a table for the terminal, sentences, and the document that is written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

TABLE_WIDTH = 130
"""Columns that the table needs; without a terminal the console assumes 80."""
COLUMNS = (
    "round", "hard cases, old", "new", "difference [95 %]", "pairs", "all pairs [95 %]", "benchmarks, old", "new",
    "difference [95 %]", "questions", "oracle", "per point", "kept",
)  # fmt: skip
Decision = Mapping[str, Any]


def nothing_to_learn(relabelled: Mapping[str, Any]) -> dict[str, Any]:
    """The decision about a round in which the oracle labelled no hard case; `relabelled` is what was asked and paid."""
    return {
        "kept": False,
        "why": "the oracle labelled no hard case, so there is nothing to learn: the old judge stays",
        "hard_cases": None,
        "all_held_out_pairs": None,
        "benchmarks": None,
        "oracle": {
            "questions": {"train": relabelled["questions"]},
            "usd": relabelled["usd"],
            "usd_per_point_on_hard_cases": None,
            "usd_per_point_on_all_pairs": None,
        },
    }


def show(decisions: Sequence[Decision], judge: str, console: Console) -> None:
    """Print the rounds and what they leave."""
    if not console.is_terminal:
        console.width = max(console.width, TABLE_WIDTH)
    table = Table(show_edge=False)
    for place, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if place else "left")
    for decision in decisions:
        table.add_row(*cells(decision))
    console.print()
    console.print(table)
    console.print()
    for sentence in sentences(decisions, judge):
        console.print(sentence, soft_wrap=True, markup=False, highlight=False)


def cells(decision: Decision) -> list[str]:
    """A round's row: shares in percent, differences in points, dollars."""
    oracle = decision["oracle"]
    return [
        decision["round"],
        *_judged(decision),
        f"{sum(oracle['questions'].values()):,}",
        _usd(oracle["usd"]),
        _usd(oracle["usd_per_point_on_hard_cases"]),
        "yes" if decision["kept"] else "no",
    ]


def _judged(decision: Decision) -> list[str]:
    """The columns between the round and the questions; `none` where nothing was judged."""
    hard, bench, overall = (decision[key] for key in ("hard_cases", "benchmarks", "all_held_out_pairs"))
    if bench is None:
        return ["none"] * (len(COLUMNS) - 5)
    compared = hard["difference"]
    return [
        _percent(hard["old"]) if compared else "none",
        _percent(hard["new"]) if compared else "none",
        _with_interval(compared) if compared else "none",
        f"{hard['pairs']:,}",
        _with_interval({"value": overall["difference"], "ci95": overall["ci95"]}),
        _percent(bench["old"]),
        _percent(bench["new"]),
        _with_interval(bench["difference"]),
    ]


def sentences(decisions: Sequence[Decision], judge: str) -> Iterator[str]:
    """Why each round was kept or not, and how the figures are to be read."""
    for decision in decisions:
        yield f"{decision['round']}: {'kept' if decision['kept'] else 'dropped'}: {decision['why']}."
    yield (
        "Hard cases: held-out pairs of the policy's answers on which the old and the new judge differ and on which "
        "both orders of the oracle agree; a judge's accuracy is over both orders. All pairs: the difference over all "
        "held-out pairs. Benchmarks: accuracy over questions. Intervals: paired bootstrap over prompts. Per point: "
        "dollars for a hundredth on hard cases."
    )
    yield f"The judge is now {judge}."


def _with_interval(figure: Mapping[str, Any]) -> str:
    low, high = figure["ci95"]
    return f"{_percent(figure['value'], sign=True)} [{_percent(low)}, {_percent(high)}]"


def _percent(share: float, *, sign: bool = False) -> str:
    return f"{100 * share:{'+' if sign else ''}.1f}"


def _usd(value: float | None) -> str:
    return "none" if value is None else f"${value:.4f}"
