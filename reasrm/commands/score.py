"""The command `reasrm score`: outcomes from anywhere, scored by a benchmark's own rule.

Light to import: what computes is imported when the command runs.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from reasrm.benchmarks.scoring_rule import RESAMPLES, UnreadableRule
from reasrm.records.harmless_text import json_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error, say_json

SHOWN = ("sections", "difficulties", "splits")
"""The parts of a score that the table lists; the JSON has all."""
CODE_LINE = "\n    "
"""Begins a further line of code in Markdown, which is what help texts are written in."""


class ScoreCommand(TyperCommand):
    """Ends its help with the outcome rows of every benchmark, which are read from their definitions only then."""

    @property
    def epilog(self) -> str:
        """One paragraph per benchmark."""
        from reasrm.benchmarks.registry import BENCHMARKS

        rows = (f"`{name}`:\n\n    {CODE_LINE.join(one.outcome_examples)}" for name, one in BENCHMARKS.items())
        return "\n\n".join(("Rows, by benchmark:", *rows))

    @epilog.setter
    def epilog(self, given: str | None) -> None:
        """Typer sets none."""


def known_benchmark(name: str | None) -> str | None:
    """The name of a benchmark, checked; None stays None.

    Raises:
        typer.BadParameter: there is none of this name.
    """
    from reasrm.benchmarks import registry

    try:
        return name if name is None else registry.known_benchmark(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Benchmark = Annotated[str, typer.Option(callback=known_benchmark, metavar="NAME", help="Whose rows these are.")]
AsPublished = Annotated[bool, typer.Option("--as-published", help="By the rule of RM-R1's scripts, defects included.")]
Resamples = Annotated[int, typer.Option(min=1, help="Bootstrap samples.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the bootstrap.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]


def score(
    benchmark: Benchmark,
    outcomes: Annotated[Path, typer.Option(exists=True, dir_okay=False, metavar="FILE.jsonl", help="One row a line.")],
    as_published: AsPublished = False,
    unreadable: Annotated[
        UnreadableRule, typer.Option(help="What a null counts: what the benchmark says, 0, or 0.5.")
    ] = UnreadableRule.BENCHMARK,
    resamples: Resamples = RESAMPLES,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Score outcomes from anywhere by a benchmark's own rule.

    A row is one judgment; `correct` is 1, 0 or null (no readable verdict; a tie of a judge that gives scores is 0).
    Several rows of one item are its orders. Every row may also carry `order` (first or second: where the better answer
    was shown), `sample` (a number) and `group` (a name for what items share that depend on each other). `loser` and
    `rejected` count the worse answers of a prompt from 0, and all of them are needed.

    What is not the whole benchmark, or not scored by its official rule, is said. Memory does not grow with the rows.

    Exit status: 0 scored; 1 the outcomes are refused (the message says file, line and way out); 2 wrong usage.
    """
    from reasrm.benchmarks.scoring_rule import OutcomeError
    from reasrm.records.jsonl import BadRecordError
    from reasrm.scoring.outcome_scores import score_outcomes

    try:
        card = score_outcomes(
            benchmark, outcomes, as_published=as_published, unreadable=unreadable, resamples=resamples, seed=seed
        )
    except (OutcomeError, BadRecordError) as error:
        say_error("reasrm score", error)
        raise typer.Exit(ExitCode.FAILED) from error
    if as_json:
        say_json(json_text(card, indent=1))
    else:
        say(score_table(card))


def score_table(card: dict[str, Any]) -> str:
    """The score as lines for reading."""
    lines = [f"{card['benchmark']} ({card['mode'].replace('_', ' ')}; {card['unreadable_rule']})", _line("score", card)]
    for part in SHOWN:
        lines += [_line(f"  {name}", entry) for name, entry in card.get(part, {}).items()]
    lines.append(f"rows {card['rows']}, unreadable {card['unreadable']} ({card['unreadable_rate']:.2%})")
    if card["flip_rate"] is not None:
        lines.append(f"flip rate {card['flip_rate']:.4f} (n {card['flip_n']})")
    if card["coverage"]["complete"]:
        lines.append(f"all {card['coverage']['official']:,} published rows")
    if card["sections_missing"]:
        lines.append(f"no rows of the sections: {', '.join(card['sections_missing'])}")
    lines += card["notes"]
    return "\n".join(lines)


def _line(name: str, entry: dict[str, Any]) -> str:
    low, high = entry["ci95"]
    return f"{name:<26} {entry['score']:.5f}  [{low:.4f}, {high:.4f}]  n {entry['n']}  {entry['interval']}"
