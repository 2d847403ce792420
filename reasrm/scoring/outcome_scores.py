"""Scores and comparisons of outcomes from anywhere, by a benchmark's name: `reasrm.score` and `reasrm.compare`.

    score_outcomes("rm_bench", "outcomes.jsonl")["score"]
    compare_outcomes("rm_bench", "mine.jsonl", "yours.jsonl")["score"]["a_minus_b"]

An outcome row is one judgment; `reasrm score --help` shows each benchmark's.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reasrm.benchmarks import registry
from reasrm.benchmarks.benchmark import Benchmark
from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.scoring_rule import RESAMPLES, ScoreSettings, ScoringMode, UnreadableRule
from reasrm.records.jsonl import read_rows
from reasrm.records.judge_kind import JudgeKind
from reasrm.scoring.comparing import compare
from reasrm.scoring.matching import ComparedJudge, Sides
from reasrm.scoring.outcome_files import OutcomeStore, by_group, expected_rows, read_outcomes
from reasrm.scoring.scorecard import scored

OutcomeRows = str | Path | Iterable[Mapping[str, Any]]
"""A JSONL file, or rows in memory."""


def score_outcomes(
    benchmark: str,
    outcomes: OutcomeRows,
    *,
    as_published: bool = False,
    unreadable: str = "benchmark",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Score outcomes by a benchmark's own rule.

    Args:
        benchmark: its name, such as "reward_bench".
        outcomes: a JSONL file (memory does not grow with its rows) or rows in memory.
        as_published: by the rule of RM-R1's scripts, defects included.
        unreadable: what `correct: null` counts: "benchmark" (what the benchmark says), "zero" or "half".
        resamples: bootstrap samples.
        seed: of the bootstrap.

    Returns:
        The score card: `score`, `ci95`, `sections`, `mode` (whose number it is), `notes`, and more.

    Raises:
        OutcomeError: the outcomes cannot be scored; says file, line and way out.
        BadRecordError: a line is not JSON.
        ValueError: no such benchmark, or no such rule for unreadable verdicts.
    """
    rules = registry.benchmark(benchmark)
    mode = ScoringMode.AS_PUBLISHED if as_published else ScoringMode.OFFICIAL
    settings = ScoreSettings(mode, UnreadableRule(unreadable), resamples, seed)
    if not isinstance(outcomes, str | Path):
        return scored(rules, by_group(_read(rules, outcomes)).values(), settings, _file_of(outcomes)).card
    with OutcomeStore(expected_rows(Path(outcomes))) as store:
        for outcome in _read(rules, outcomes):
            store.add(outcome)
        return scored(rules, store.groups(), settings, _file_of(outcomes)).card


def compare_outcomes(
    benchmark: str,
    a: OutcomeRows,
    b: OutcomeRows,
    *,
    names: tuple[str, str] = ("A", "B"),
    as_published: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare two judges' outcomes on the comparisons that both judged; arguments as for `score_outcomes`.

    Returns:
        For the score and each section `{a, b, a_minus_b, ci95, groups, a_better, b_better, p}`, the judgments that
        `changed`, and `warnings`.

    Raises:
        OutcomeError: they share none, contradict each other, or cannot be scored.
        BadRecordError: a line is not JSON.
        ValueError: no such benchmark.
    """
    rules = registry.benchmark(benchmark)
    mode = ScoringMode.AS_PUBLISHED if as_published else ScoringMode.OFFICIAL
    sides = (
        ComparedJudge(name, _file_of(rows, f"rows of {name}"), JudgeKind.GENERATIVE, list(_read(rules, rows)))
        for name, rows in zip(names, (a, b), strict=True)
    )
    return compare(rules, Sides(*sides), ScoreSettings(mode, resamples=resamples, seed=seed))


def _read(benchmark: Benchmark, outcomes: OutcomeRows) -> Iterator[BenchmarkOutcome]:
    rows = read_rows(Path(outcomes)) if isinstance(outcomes, str | Path) else enumerate(outcomes, start=1)
    return read_outcomes(benchmark, rows, _file_of(outcomes))


def _file_of(outcomes: OutcomeRows, rows: str = "rows") -> str:
    """What errors call the outcomes."""
    return str(outcomes) if isinstance(outcomes, str | Path) else rows
