"""The command `reasrm compare`: paired differences of two judges on the same items.

Light to import: what computes is imported when the command runs.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from reasrm.benchmarks.scoring_rule import RESAMPLES, ScoreSettings, ScoringMode
from reasrm.commands.score import AsJson, AsPublished, Resamples, Seed, known_benchmark
from reasrm.records.harmless_text import json_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error, say_json

SHOWN_CHANGES = 20
"""Of the judgments that changed; the JSON has all."""
VERDICTS = {1: "right", 0: "wrong", None: "unreadable"}


def compare(  # noqa: PLR0913  each is an option of the command
    a: Annotated[str, typer.Argument(metavar="A", help="A judge (see above).", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The judge it is compared with.", show_default=False)],
    benchmark: Annotated[
        str | None, typer.Option(callback=known_benchmark, metavar="NAME", help="Compare on this one only.")
    ] = None,
    items: Annotated[Path, typer.Option(help="Folder of the items that were judged.")] = Path("data/benchmarks"),
    as_published: AsPublished = False,
    resamples: Resamples = RESAMPLES,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Compare two judges: A minus B on every benchmark that both were judged on.

    A and B are each a model below data/judgments, a folder of BENCHMARK.jsonl (judgments, or outcome rows as
    `reasrm score` takes them), or an outcome file. For the official score and each section:

    - the difference, with a 95 % interval by a paired bootstrap over questions;

    - p, an exact sign test (McNemar): by how many questions the figure of A or of B is higher, and how surprising that
    split is. It asks how many, the interval asks how much; where the two disagree, a warning says so.

    Exit status: 0 compared; 1 the outcomes are refused; 2 wrong usage.
    """
    from reasrm.benchmarks.scoring_rule import OutcomeError
    from reasrm.records.jsonl import BadRecordError
    from reasrm.scoring.judge_comparisons import compare_judges
    from reasrm.scoring.matching import Sides

    mode = ScoringMode.AS_PUBLISHED if as_published else ScoringMode.OFFICIAL
    try:
        reports = compare_judges(Sides(a, b), items, benchmark, ScoreSettings(mode, resamples=resamples, seed=seed))
    except (OutcomeError, BadRecordError) as error:
        say_error("reasrm compare", error)
        raise typer.Exit(ExitCode.FAILED) from error
    if as_json:
        say_json(json_text(reports, indent=1))
    else:
        say("\n\n".join(comparison_table(report) for report in reports))


def comparison_table(report: dict[str, Any]) -> str:
    """One benchmark's comparison as lines for reading."""
    from reasrm.scoring.comparing import compared_figures

    a, b = report["a"], report["b"]
    alone = f"; left out: {a['judged_alone']} of A alone, {b['judged_alone']} of B alone"
    lines = [
        f"{report['title']} ({report['mode'].replace('_', ' ')}): A = {a['name']}, B = {b['name']}",
        f"  {report['judged_by_both']} judgments in common" + (alone if a["judged_alone"] + b["judged_alone"] else ""),
        *(f"  {mark}: {side['unreadable_rule']}" for mark, side in (("A", a), ("B", b))),
        *(f"  {note}" for note in report["notes"]),
        f"  {'':<24}{'A':>8}{'B':>9}{'A - B':>9}  {'95 % of A - B':<20}{'A/B better':>12}  p",
    ]
    figures = dict(compared_figures(report))
    lines += [_line(name, entry) for name, entry in figures.items()]
    lines.append("  A/B better: questions that raise the figure of A, of B; p: would chance split them so unevenly?")
    if not all(entry["p_tests_the_difference"] for entry in figures.values()):
        lines.append("  *: questions weigh differently here; p asks how many favour A or B, the interval how much")
    lines += [f"  WARNING {warning}" for warning in report["warnings"]]
    changes = report["changed"]
    lines.append(f"  {len(changes)} judgments changed" + (", the first:" if changes else ""))
    for change in changes[:SHOWN_CHANGES]:
        item = " ".join(str(value) for value in (change["item"], change["part"], change["order"]) if value != "")
        lines.append(f"    {item}: A {VERDICTS[change['a']]}, B {VERDICTS[change['b']]}")
    return "\n".join(lines)


def _line(name: str, entry: dict[str, Any]) -> str:
    low, high = entry["ci95"]
    better = f"{entry['a_better']}/{entry['b_better']}"
    interval = f"[{low:+.4f}, {high:+.4f}]"
    star = "" if entry["p_tests_the_difference"] else "*"
    holm = f"  (Holm {entry['p_holm']:.3g})" if "p_holm" in entry else ""
    return (
        f"  {name:<24}{entry['a']:>8.4f}{entry['b']:>9.4f}{entry['a_minus_b']:>+9.4f}  {interval:<20}"
        f"{better:>12}  {entry['p']:.3g}{star}{holm}"
    )
