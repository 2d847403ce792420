"""Small complete sets of outcome rows of every benchmark, and a scorer of rows in memory."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.registry import benchmark
from reasrm.benchmarks.reward_bench import SECTION_OF
from reasrm.benchmarks.reward_bench_2 import SUBSETS
from reasrm.benchmarks.rmb import CATEGORIES
from reasrm.benchmarks.scoring_rule import ScoreSettings, ScoringMode
from reasrm.scoring.outcome_files import by_group, read_outcomes
from reasrm.scoring.scorecard import scored

Row = dict[str, Any]
OFFICIAL = ScoreSettings(resamples=50)
AS_PUBLISHED = ScoreSettings(ScoringMode.AS_PUBLISHED, resamples=50)
GOLD = Path(__file__).parents[3] / "shared" / "data" / "gold"
"""Published figures beside the project; tests that need them skip without."""


def outcomes(name: str, rows: Iterable[Row]) -> list[BenchmarkOutcome]:
    return list(read_outcomes(benchmark(name), enumerate(rows, 1), "rows"))


def card(name: str, rows: Iterable[Row], settings: ScoreSettings = OFFICIAL) -> dict[str, Any]:
    return scored(benchmark(name), by_group(outcomes(name, rows)).values(), settings, "rows").card


def write_rows(path: Path, rows: Iterable[Row]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def reward_bench() -> Iterator[Row]:
    for subset in SECTION_OF:
        for number in range(3):
            yield {"subset": subset, "id": number}


def rm_bench() -> Iterator[Row]:
    for domain in ("chat", "math", "code", "safety-refuse", "safety-response"):
        for number in range(2):
            for chosen in range(3):
                for rejected in range(3):
                    yield {
                        "id": f"{domain}/{number}",
                        "domain": domain,
                        "chosen_style": chosen,
                        "rejected_style": rejected,
                    }


def rmb() -> Iterator[Row]:
    for category in CATEGORIES:
        for number in range(2):
            yield {"kind": "pair", "category": category, "uid": f"p{number}"}
        for loser in range(2):
            yield {"kind": "bon", "category": category, "uid": "b0", "loser": loser}


def judge_bench() -> Iterator[Row]:
    sources = ("mmlu-pro-law", "mmlu-pro-math", "livebench-reasoning", "livebench-math", "livecodebench")
    for source in sources:
        for number in range(3):
            yield {"pair_id": f"{source}-{number}", "source": source}


def reward_bench_2() -> Iterator[Row]:
    for subset in SUBSETS:
        for number in range(2):
            for rejected in range(3):
                yield {"subset": subset, "id": str(number), "rejected": rejected}


ROWS: dict[str, Callable[[], Iterator[Row]]] = {
    "reward_bench": reward_bench,
    "rm_bench": rm_bench,
    "rmb": rmb,
    "judge_bench": judge_bench,
    "reward_bench_2": reward_bench_2,
}


def judged(name: str, verdicts: Callable[[int], int | None]) -> list[Row]:
    """The rows of a benchmark with one outcome each: `verdicts` of the row's number."""
    return [row | {"correct": verdicts(number)} for number, row in enumerate(ROWS[name]())]
