"""The headline of a finished run: what `data/report/metrics.json` says, as tables for the terminal and for Prefect."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

METRICS = Path("data/report/metrics.json")
PAGE = Path("data/report/index.html")
FUNNEL = Path("data/traces/funnel.json")
ORACLE_PASSES = "data/traces/*.metrics.json"

TABLE_WIDTH = 100
"""Columns that the table needs; where nobody watches, the console believes that it has 80."""

Row = dict[str, str]


def read_metrics(root: Path) -> dict[str, Any]:
    """The metrics of the last report, or nothing before there is one."""
    path = root / METRICS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def headline_rows(metrics: Mapping[str, Any]) -> list[Row]:
    """One row per model, in the ladder's order: accuracy with its 95 % interval over `n` questions, then the rest.

    The benchmarks stand under their names for readers: those of the miniature's own sets say so.
    """
    labels = metrics.get("benchmark_labels", {})
    scored = metrics.get("models", {})
    models = {name: scored[name] for name in dict.fromkeys([*metrics.get("ladder", []), *scored]) if name in scored}
    benchmarks = list(dict.fromkeys(name for model in models.values() for name in model.get("benchmarks", {})))
    return [
        {
            "model": name,
            "accuracy": _share(model.get("accuracy")),
            "95 %": _interval(model.get("ci95")),
            "n": str(model.get("n", "")),
            "flip rate": _share(model.get("flip_rate")),
            **{
                labels.get(one, one): _share(model.get("benchmarks", {}).get(one, {}).get("score"))
                for one in benchmarks
            },
        }
        for name, model in models.items()
    ]


def funnel_rows(root: Path) -> list[Row]:
    """What became of the traces, one row per number of `data/traces/funnel.json`."""
    path = root / FUNNEL
    if not path.is_file():
        return []
    return [{"traces": name, "count": f"{count}"} for name, count in _numbers(json.loads(path.read_text("utf-8")))]


def oracle_rows(root: Path) -> list[Row]:
    """What the oracle's passes came to: outcomes, tokens, cache hits and dollars, one row per number."""
    passes = {
        path.name.partition(".")[0]: dict(_numbers(json.loads(path.read_text("utf-8"))))
        for path in sorted(root.glob(ORACLE_PASSES))
    }
    names = dict.fromkeys(name for numbers in passes.values() for name in numbers)
    return [
        {"oracle": name, **{which: f"{numbers.get(name, '-')}" for which, numbers in passes.items()}} for name in names
    ]


def show_headline(root: Path, console: Console) -> None:
    """Print the table of models and where the report is; nothing before there is a report."""
    rows = headline_rows(read_metrics(root))
    if not rows:
        return
    table = Table(title="Accuracy of each judge, with 95 % intervals", title_justify="left", show_edge=False)
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "model" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row.values())
    if not console.is_terminal:
        console.width = max(console.width, TABLE_WIDTH)
    console.print()
    console.print(table)
    console.print(f"\nReport: {root / PAGE}", soft_wrap=True)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(bounds: Iterable[float] | None) -> str:
    return "-" if bounds is None else "[" + ", ".join(f"{bound:.3f}" for bound in bounds) + "]"


def _numbers(value: Any, name: str = "") -> list[tuple[str, float]]:
    """All numbers of a JSON document with their dotted names."""
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _numbers(inner, f"{name}.{key}" if name else str(key))]
    return [(name, value)] if isinstance(value, int | float) and not isinstance(value, bool) else []
