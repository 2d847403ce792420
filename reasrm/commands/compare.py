"""Compare two judges on the same items: `reasrm compare A B [--benchmark NAME] [--json]`.

A and B are each a model below data/judgments, a folder of `<benchmark>.jsonl` (judgments, or outcome rows as `reasrm
score` takes them), or an outcome file. For every benchmark that both were judged on:

- the difference (A minus B) of the official score and of each section, with a 95 % interval by a paired bootstrap over
  questions;
- exact McNemar: the questions by which the figure of A or of B is higher, and how surprising that split is; `p_holm`
  is adjusted for looking at all sections at once;
- the judgments that changed.

Exit status: 0 compared; 1 the outcomes are refused; 2 wrong usage.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from reasrm.benchmarks.benchmark import BenchmarkName, Mode, OutcomeError, UnreadableRule
from reasrm.benchmarks.registry import benchmark
from reasrm.commands.bootstrap_arguments import add_bootstrap_options
from reasrm.runtime.stage_main import ExitCode
from reasrm.scoring.comparing import TESTED, compare
from reasrm.scoring.comparison_sources import read_side
from reasrm.scoring.matching import Sides
from reasrm.scoring.scorecard import Settings

SHOWN_CHANGES = 20


def compare_all(
    names: Sides[str], items: Path, chosen: BenchmarkName | None, settings: Settings
) -> list[dict[str, Any]]:
    """The comparison on every benchmark that both sides have.

    Raises:
        OutcomeError: there is none, or outcomes cannot be scored.
    """
    first, second = read_side(names.first, items, chosen), read_side(names.second, items, chosen)
    shared = [name for name in first if name in second]
    if not shared:
        raise OutcomeError(f"no benchmark in common: {sorted(first)} and {sorted(second)}")
    return [compare(benchmark(name), Sides(first[name], second[name]), settings) for name in shared]


def text(report: dict[str, Any]) -> str:
    """One benchmark's comparison as lines for reading."""
    alone = f"; left out: {report['judged_by_first_alone']} of A alone, {report['judged_by_second_alone']} of B alone"
    lines = [
        f"{report['benchmark']} ({report['mode'].replace('_', ' ')}), {report['judged_by_both']} judgments in common"
        + (alone if report["judged_by_one"] else "")
    ]
    lines += [f"  {side}: {rule}" for side, rule in zip("AB", report["unreadable_rules"], strict=True)]
    lines += [f"  {note}" for note in report["notes"]]
    lines.append(f"  {'':<24}{'A':>8}{'B':>9}{'A - B':>9}  {'95 %':<20}{'A/B better':>12}  p")
    lines.append(_line("score", report["score"]))
    for part in TESTED:
        lines += [_line(name, entry) for name, entry in report.get(part, {}).items()]
    changes = report["changed"]
    lines.append(f"  {len(changes)} judgments changed" + (", the first:" if changes else ""))
    for change in changes[:SHOWN_CHANGES]:
        place = " ".join(str(value) for value in (change["item"], change["part"], change["order"]) if value != "")
        lines.append(f"    {place}: {_word(change['first'])} -> {_word(change['second'])}")
    return "\n".join(lines)


def _line(name: str, entry: dict[str, Any]) -> str:
    low, high = entry["ci95"]
    better = f"{entry['first_better']}/{entry['second_better']}"
    interval = f"[{low:+.4f}, {high:+.4f}]"
    holm = f"  (Holm {entry['p_holm']:.3g})" if "p_holm" in entry else ""
    return (
        f"  {name:<24}{entry['first']:>8.4f}{entry['second']:>9.4f}{entry['difference']:>+9.4f}  {interval:<20}"
        f"{better:>12}  {entry['p']:.3g}{holm}"
    )


def _word(correct: int | None) -> str:
    return {1: "right", 0: "wrong", None: "unreadable"}[correct]


def parser() -> argparse.ArgumentParser:
    """The command line of `reasrm compare`."""
    arguments = argparse.ArgumentParser(
        prog="reasrm compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("first", metavar="A")
    arguments.add_argument("second", metavar="B")
    arguments.add_argument(
        "--benchmark", choices=[name.value for name in BenchmarkName], help="compare on this one only"
    )
    arguments.add_argument("--items", type=Path, default=Path("data/benchmarks"), help="the items that were judged")
    arguments.add_argument("--as-published", action="store_true", help="by the rule of RM-R1's scripts")
    add_bootstrap_options(arguments)
    arguments.add_argument(
        "--json", action="store_true", help="print everything as JSON, all changed judgments included"
    )
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    given = parser().parse_args(argv)
    mode = Mode.AS_PUBLISHED if given.as_published else Mode.OFFICIAL
    settings = Settings(mode, UnreadableRule.BENCHMARK, given.resamples, given.seed)
    chosen = BenchmarkName(given.benchmark) if given.benchmark else None
    try:
        reports = compare_all(Sides(given.first, given.second), given.items, chosen, settings)
    except ValueError as error:
        if type(error) is ValueError:
            raise
        print(f"reasrm compare: {error}", file=sys.stderr)
        return ExitCode.FAILED
    print(json.dumps(reports, indent=1) if given.json else "\n\n".join(text(report) for report in reports))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
