"""Score outcomes from anywhere: `reasrm score --benchmark B --outcomes FILE.jsonl [--as-published] [--json]`.

A row of the file is one judgment; `correct` is 1, 0 or null (no readable verdict; a tie of a judge that gives scores is
0); several rows of one item are its orders. Every row may also carry `order` (first or second: where the better answer
was shown), `sample` (a number) and `group` (a name for what items share that depend on each other).

    reward_bench     {"subset": "hep-go", "id": 4231, "correct": 1}
    rm_bench         {"id": "chat/100", "domain": "chat", "chosen_style": 0, "rejected_style": 2, "correct": 0}
    rmb              {"kind": "pair", "category": "Harmlessness/S2", "uid": "16363", "correct": 1}
                     {"kind": "bon", "category": "Harmlessness/S2", "uid": "3595", "loser": 0, "correct": null}
    judge_bench      {"pair_id": "2d98...", "source": "mmlu-pro-law", "correct_first": 1, "correct_second": 0}
    reward_bench_2   {"subset": "Focus", "id": "12", "rejected": 0, "correct": 1}   without "rejected": four at once

`loser` and `rejected` count the worse answers of a prompt from 0, and all of them are needed. What is not the whole
benchmark, or not scored by its official rule, is said.

Exit status: 0 scored; 1 the outcomes are refused (the message says file, line and way out); 2 wrong usage.
Memory does not grow with the number of rows.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from reasrm.benchmarks.benchmark import BenchmarkName, Mode, UnreadableRule
from reasrm.benchmarks.registry import benchmark
from reasrm.commands.bootstrap_arguments import add_bootstrap_options
from reasrm.runtime.stage_main import ExitCode
from reasrm.scoring.outcome_files import expected_rows, read_outcomes
from reasrm.scoring.outcome_store import OutcomeStore
from reasrm.scoring.scorecard import Settings, scored

SHOWN = ("sections", "difficulties", "splits")
"""The parts of a score that the table lists; the JSON has all."""


def score_file(name: str, path: Path, settings: Settings) -> dict[str, Any]:
    """The score of the outcomes in `path`.

    Raises:
        OutcomeError: the outcomes cannot be scored.
        BadRecordError: a line is not JSON.
    """
    rules = benchmark(name)
    with OutcomeStore(expected_rows(path)) as store:
        for line, outcome in read_outcomes(rules, path):
            store.add(line, outcome)
        return scored(rules, store.groups(), settings, str(path)).card


def table(card: dict[str, Any]) -> str:
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


def parser() -> argparse.ArgumentParser:
    """The command line of `reasrm score`."""
    arguments = argparse.ArgumentParser(
        prog="reasrm score", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--benchmark", required=True, choices=[name.value for name in BenchmarkName])
    arguments.add_argument("--outcomes", required=True, type=Path, metavar="FILE.jsonl")
    arguments.add_argument(
        "--as-published", action="store_true", help="by the rule of RM-R1's scripts, defects included"
    )
    arguments.add_argument(
        "--unreadable",
        choices=[rule.value for rule in UnreadableRule],
        default=UnreadableRule.BENCHMARK.value,
        help="what a null counts: what the benchmark says (default), 0, or 0.5",
    )
    add_bootstrap_options(arguments)
    arguments.add_argument("--json", action="store_true", help="print everything as JSON")
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    given = parser().parse_args(argv)
    if not given.outcomes.is_file():
        print(f"reasrm score: no file {given.outcomes}", file=sys.stderr)
        return ExitCode.USAGE
    settings = Settings(
        mode=Mode.AS_PUBLISHED if given.as_published else Mode.OFFICIAL,
        unreadable=UnreadableRule(given.unreadable),
        resamples=given.resamples,
        seed=given.seed,
    )
    try:
        card = score_file(given.benchmark, given.outcomes, settings)
    except ValueError as error:
        if type(error) is ValueError:
            raise
        print(f"reasrm score: {error}", file=sys.stderr)
        return ExitCode.FAILED
    print(json.dumps(card, indent=1, ensure_ascii=False) if given.json else table(card))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
