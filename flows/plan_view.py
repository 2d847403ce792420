"""The plan as a table and as JSON."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.plan import Estimate, Forecast, Runs
from flows.reasons import Cause, Reason

SHOWN = 3
STYLE = {Runs.YES: "bold yellow", Runs.MAYBE: "yellow", Runs.NO: "green"}
WORD = {Runs.YES: "runs", Runs.MAYBE: "may run", Runs.NO: "cached"}


def plan_document(forecasts: list[Forecast], estimates: list[Estimate]) -> dict[str, Any]:
    """The plan as JSON: `stages` in plan order and `oracle`, what the oracle stages would ask and spend."""
    return {
        "stages": [
            {"stage": one.stage, "runs": one.runs, "reasons": [reason._asdict() for reason in one.reasons]}
            for one in forecasts
        ],
        "oracle": [{"stage": one.stage, "expected": one.expected, "trouble": one.trouble or None} for one in estimates],
    }


def show_plan(forecasts: list[Forecast], estimates: list[Estimate], console: Console) -> None:
    """Print one line per stage, then what the oracle would cost."""
    table = Table(show_edge=False)
    for column in ("stage", "", "why"):
        table.add_column(column, no_wrap=column != "why")
    for one in forecasts:
        table.add_row(one.stage, Text(WORD[one.runs], style=STYLE[one.runs]), told(one.reasons))
    console.print(table)
    if all(one.runs is Runs.NO for one in forecasts):
        console.print("Nothing to run: every stage is up to date.")
    for estimate in estimates:
        console.print(f"{estimate.stage}: {_cost(estimate)}", soft_wrap=True)


def told(reasons: tuple[Reason, ...]) -> str:
    """The reasons in one line; what lies in the stage itself first, and if it lies there, little of what lies above."""
    own = [reason.text for reason in reasons if reason.cause is not Cause.ABOVE]
    above = [reason.what for reason in reasons if reason.cause is Cause.ABOVE]
    words = own[:SHOWN] + ([f"and {len(own) - SHOWN} more"] if len(own) > SHOWN else [])
    if above and not own:
        words.append("below " + ", ".join(above[:SHOWN]) + (", ..." if len(above) > SHOWN else ""))
    return "; ".join(words)


def _cost(estimate: Estimate) -> str:
    if estimate.expected is None:
        return f"no estimate yet ({estimate.trouble})"
    expected = estimate.expected
    tokens = f"{expected.get('prompt_tokens', '?')} prompt + {expected.get('completion_tokens', '?')} completion tokens"
    return (
        f"{expected.get('to_ask', '?')} of {expected.get('questions', '?')} questions still to ask, about {tokens}, "
        f"${expected.get('usd', float('nan')):.2f} at the prices of {expected.get('prices_as_of', '?')}"
    )
