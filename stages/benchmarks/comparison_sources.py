"""Where the two sides of a comparison come from: a judged model, a folder, or an outcome file."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.benchmarks.benchmark import BenchmarkName, OutcomeError
from stages.benchmarks.outcome_files import read_outcomes
from stages.benchmarks.outcome_store import Located
from stages.benchmarks.registry import benchmark
from stages.benchmarks.rulings import located_outcomes, read_items, read_rulings
from stages.records.jsonl import read_rows

JUDGMENTS = Path("data/judgments")


def read_side(name: str, items: Path, chosen: BenchmarkName | None) -> dict[str, list[Located]]:
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
        return {_benchmark_of(path, chosen).value: list(read_outcomes(benchmark(_benchmark_of(path, chosen)), path))}
    files = [file for file in sorted(path.glob("*.jsonl")) if chosen is None or file.stem == chosen.value]
    if not files:
        raise OutcomeError(f"{path} holds no {chosen.value if chosen else '<benchmark>'}.jsonl")
    if _holds_judgments(files[0]):
        return _judged(path, items, chosen)
    return {file.stem: list(read_outcomes(benchmark(_benchmark_of(file, None)), file)) for file in files}


def _judged(folder: Path, items: Path, chosen: BenchmarkName | None) -> dict[str, list[Located]]:
    """Judgments as outcomes."""
    by_benchmark = defaultdict(list)
    for ruling in read_rulings(folder, read_items(items)):
        if chosen is None or ruling.item.benchmark == chosen:
            by_benchmark[ruling.item.benchmark].append(ruling)
    return {name: list(located_outcomes(rulings)) for name, rulings in by_benchmark.items()}


def _holds_judgments(file: Path) -> bool:
    """Whether the first line is a judgment of ours; an outcome row has no verdict."""
    first: Any = next(iter(read_rows(file)), (0, None))[1]
    return isinstance(first, dict) and "verdict" in first


def _benchmark_of(file: Path, chosen: BenchmarkName | None) -> BenchmarkName:
    if chosen is not None:
        return chosen
    if file.stem in tuple(BenchmarkName):
        return BenchmarkName(file.stem)
    raise OutcomeError(f"{file}: say whose outcomes these are with --benchmark ({', '.join(BenchmarkName)})")


def comparisons(outcomes: Iterable[Located]) -> dict[tuple[str, str, str, int], int | None]:
    """Each judged comparison `(unit, part, order, rank)` to its outcome.

    The rank counts rows of the same comparison and order, so that rows without an order are matched in turn.
    """
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    found = {}
    for located in outcomes:
        place = (located.outcome.unit, located.outcome.part, located.outcome.order)
        found[*place, seen[place]] = located.outcome.correct
        seen[place] += 1
    return found
