"""Comparisons of two judges by name: a judged model, a folder of judgments or outcomes, or an outcome file."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from reasrm.benchmarks.registry import BENCHMARKS, benchmark, display_names
from reasrm.benchmarks.scoring_rule import OutcomeError, ScoreSettings
from reasrm.records.jsonl import read_rows
from reasrm.records.judge_kind import JudgeKind
from reasrm.scoring.comparing import compare
from reasrm.scoring.judged_items import judge_kind, outcomes_of_judged, read_items, read_judged_items
from reasrm.scoring.matching import ComparedJudge, Sides
from reasrm.scoring.outcome_files import read_outcomes

JUDGMENTS = Path("data/judgments")


def compare_judges(names: Sides[str], items: Path, chosen: str | None, settings: ScoreSettings) -> list[dict[str, Any]]:
    """The comparison on every benchmark that both sides have (on `chosen` alone if given).

    Raises:
        OutcomeError: there is none, or outcomes cannot be read or scored.
    """
    a, b = read_side(names.a, items, chosen), read_side(names.b, items, chosen)
    shared = [name for name in a if name in b]
    if not shared:
        raise OutcomeError(f"no benchmark in common: {sorted(a)} and {sorted(b)}")
    return [compare(benchmark(name), Sides(a[name], b[name]), settings) for name in shared]


def read_side(name: str, items: Path, chosen: str | None) -> dict[str, ComparedJudge]:
    """The outcomes of one side by benchmark.

    Args:
        name: a model below data/judgments, a folder of `<benchmark>.jsonl`, or an outcome file.
        items: the folder of the items that judgments are about.
        chosen: the benchmark to look at; needed for an outcome file whose name is no benchmark's.

    Raises:
        OutcomeError: nothing to be found under the name, or it cannot be read.
    """
    path = next((path for path in (Path(name), JUDGMENTS / name) if path.exists()), None)
    if path is None:
        known = sorted(folder.name for folder in JUDGMENTS.glob("*") if folder.is_dir())
        raise OutcomeError(f"{name!r} is no file, no folder, and no model of {JUDGMENTS}; there are {known}")
    if path.is_file():
        if _holds_judgments(path):
            raise OutcomeError(
                f"{path} holds judgments, which belong to the items of all benchmarks: name the folder, "
                f"{path.parent}, and with --benchmark the one to compare on"
            )
        found = _benchmark_of(path, chosen)
        return {found: _from_outcomes(name, path, found)}
    files = [file for file in sorted(path.glob("*.jsonl")) if chosen is None or file.stem == chosen]
    if not files:
        raise OutcomeError(f"{path} holds no {chosen or '<benchmark>'}.jsonl")
    if _holds_judgments(files[0]):
        return _from_judgments(name, path, items, chosen)
    return {found: _from_outcomes(name, file, found) for file in files for found in (_benchmark_of(file, None),)}


def _from_outcomes(name: str, file: Path, found: str) -> ComparedJudge:
    outcomes = read_outcomes(benchmark(found), read_rows(file), str(file))
    return ComparedJudge(name, str(file), JudgeKind.GENERATIVE, list(outcomes))


def _from_judgments(name: str, folder: Path, items: Path, chosen: str | None) -> dict[str, ComparedJudge]:
    judged, titles = read_judged_items(folder, read_items(items)), display_names(items)
    by_benchmark = defaultdict(list)
    for one in judged:
        if chosen is None or one.item.benchmark == chosen:
            by_benchmark[one.item.benchmark].append(one)
    return {
        found: ComparedJudge(
            name,
            str(folder / f"{found}.jsonl"),
            judge_kind(judged),
            list(outcomes_of_judged(some)),
            titles.get(found),
        )
        for found, some in by_benchmark.items()
    }


def _holds_judgments(file: Path) -> bool:
    """Whether the first line is a judgment of ours: it names a side, where an outcome row says what is `correct`."""
    first: Any = next(iter(read_rows(file)), (0, None))[1]
    return isinstance(first, dict) and "verdict" in first and "correct" not in first


def _benchmark_of(file: Path, chosen: str | None) -> str:
    if chosen is not None:
        return chosen
    if file.stem in BENCHMARKS:
        return file.stem
    raise OutcomeError(f"{file}: say whose outcomes these are with --benchmark ({', '.join(BENCHMARKS)})")
