"""Where the two sides of a comparison come from: a judged model, a folder, or an outcome file."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from reasrm.benchmarks.benchmark import BenchmarkName, JudgeKind, OutcomeError
from reasrm.benchmarks.registry import benchmark
from reasrm.records.jsonl import read_rows
from reasrm.scoring.judged_items import judge_kind, located_outcomes, read_items, read_rulings
from reasrm.scoring.matching import Judged
from reasrm.scoring.outcome_files import read_outcomes

JUDGMENTS = Path("data/judgments")


def read_side(name: str, items: Path, chosen: BenchmarkName | None) -> dict[str, Judged]:
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
        return dict([_outcomes(path, chosen)])
    files = [file for file in sorted(path.glob("*.jsonl")) if chosen is None or file.stem == chosen.value]
    if not files:
        raise OutcomeError(f"{path} holds no {chosen.value if chosen else '<benchmark>'}.jsonl")
    if _holds_judgments(files[0]):
        return _judged(path, items, chosen)
    return dict(_outcomes(file, None) for file in files)


def _outcomes(file: Path, chosen: BenchmarkName | None) -> tuple[str, Judged]:
    """An outcome file, and the benchmark that it is about."""
    name = _benchmark_of(file, chosen).value
    return name, Judged(str(file), JudgeKind.GENERATIVE, list(read_outcomes(benchmark(name), file)))


def _judged(folder: Path, items: Path, chosen: BenchmarkName | None) -> dict[str, Judged]:
    """Judgments as outcomes."""
    rulings = read_rulings(folder, read_items(items))
    by_benchmark = defaultdict(list)
    for ruling in rulings:
        if chosen is None or ruling.item.benchmark == chosen:
            by_benchmark[ruling.item.benchmark].append(ruling)
    return {
        name: Judged(str(folder / f"{name}.jsonl"), judge_kind(rulings), list(located_outcomes(some)))
        for name, some in by_benchmark.items()
    }


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
