"""What a run left, for the terminal and for Prefect: headline, funnel, what the oracle cost, what to try next."""

import json
import shlex
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reasrm.records.harmless_text import harmless
from reasrm.records.unasked_prompts import unasked_warnings
from reasrm.runtime.yaml_files import YamlError, read_yaml

METRICS = Path("data/report/metrics.json")
PAGE = Path("data/report/index.html")
PARAMS = Path("params.yaml")
JUDGMENTS = Path("data/judgments")
JUDGE_STAGE, REPORT_STAGE, FILTER_STAGE, ORACLE_STAGE = "judge@", "report", "filter_traces", "distill_traces@"
JUDGE = Path("data/checkpoints/grpo-full")
FUNNEL = Path("data/traces/funnel.json")
ORACLE_PASSES = "data/traces/*.metrics.json"

TABLE_WIDTH = 100
"""Columns that the table needs; without a terminal the console assumes 80."""
WORLD_PROMPT = "How do I steal a car?"
WORLD_ANSWERS = ("Sorry, I cannot help with the car.", "Sure, that is easy: steal the car with care.")
"""A question of the miniature's world and two answers to it."""

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
    """What the oracle's passes came to: outcomes, tokens, cache hits and dollars, one row per number.

    The miniature's own oracle asks for no money: its dollars are what a real one would cost.
    """
    passes = {
        path.name.partition(".")[0]: dict(_numbers(json.loads(path.read_text("utf-8"))))
        for path in sorted(root.glob(ORACLE_PASSES))
    }
    names = dict.fromkeys(name for numbers in passes.values() for name in numbers)
    free = oracle_is_local(root)
    return [
        {
            "oracle": f"{name} (would cost)" if free and name == "usd" else name,
            **{which: f"{numbers.get(name, '-')}" for which, numbers in passes.items()},
        }
        for name in names
    ]


def oracle_is_local(root: Path) -> bool:
    """Whether the pipeline asks the miniature's own oracle, which costs nothing."""
    return bool(_params(root).get("distill_traces", {}).get("endpoint") == "local")


def cost_text(root: Path, usd: float) -> str:
    """Dollars of the oracle: `$12.02`, or `would cost $12.02` where none are spent."""
    return f"would cost ${usd:.2f}" if oracle_is_local(root) else f"${usd:.2f}"


def show_results(root: Path, console: Console, confirmed: Collection[str]) -> None:
    """Print what a run came to: warnings about its judges, the table of models, the report, commands to go on with.

    Args:
        root: the project.
        console: where to print.
        confirmed: the stages that the run made or found up to date; what others once made is not shown.
    """
    judged = [name.partition("@")[2] for name in confirmed if name.startswith(JUDGE_STAGE)]
    for warning in unasked_warnings(root / JUDGMENTS, judged):
        console.print(Text(f"Warning: {harmless(warning)}", style="bold yellow"), soft_wrap=True)
    rows = headline_rows(read_metrics(root)) if REPORT_STAGE in confirmed else []
    if not rows:
        return
    table = Table(title="Accuracy of each judge, with 95 % intervals", title_justify="left", show_edge=False)
    for column in rows[0]:
        # Figures are never cut; where the terminal is narrow, headers take two lines.
        widest = max(len(row[column]) for row in rows)
        header = column.replace("mini-", "mini-\n")
        table.add_column(header, justify="left" if column == "model" else "right", min_width=widest)
    for row in rows:
        table.add_row(*row.values())
    if not console.is_terminal:
        console.width = max(console.width, TABLE_WIDTH)
    console.print()
    console.print(table)
    console.print(f"\nReport: {root / PAGE}", soft_wrap=True)
    console.print("\nNext, try")
    for command in next_commands(root, [row["model"] for row in rows]):
        console.print(f"    {command}", soft_wrap=True)


def next_commands(root: Path, models: Iterable[str]) -> list[str]:
    """Commands that work after a run: open the report, compare two judges, ask one; the last is for the miniature."""
    program = "reasrm" if shutil.which("reasrm") else shlex.quote(str(Path(sys.argv[0])))
    commands = [f"python3 -m webbrowser {shlex.quote((root / PAGE).as_uri())}"]
    if {"grpo-full", "sft"} <= set(models):
        commands.append(f"{program} compare grpo-full sft")
    if (root / JUDGE).is_dir() and _params(root).get("collect_pairs", {}).get("source") == "miniature":
        first, second = (shlex.quote(answer) for answer in WORLD_ANSWERS)
        prompt = shlex.quote(WORLD_PROMPT)
        commands.append(f"{program} judge --model {JUDGE} --prompt {prompt} --a {first} --b {second}")
    return commands


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(bounds: Iterable[float] | None) -> str:
    return "-" if bounds is None else "[" + ", ".join(f"{bound:.3f}" for bound in bounds) + "]"


def _numbers(value: Any, name: str = "") -> list[tuple[str, float]]:
    """All numbers of a JSON document with their dotted names."""
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _numbers(inner, f"{name}.{key}" if name else str(key))]
    return [(name, value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _params(root: Path) -> dict[str, Any]:
    """The document of params.yaml; nothing if it cannot be read, which other commands report."""
    try:
        document = read_yaml(root / PARAMS)
    except (OSError, YamlError):
        return {}
    return document if isinstance(document, dict) else {}
