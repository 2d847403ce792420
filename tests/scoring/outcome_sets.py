"""Small complete sets of outcome rows of every benchmark, and a scorer of rows in memory."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from reasrm.benchmarks.benchmark import BenchmarkName, Mode, UnreadableRule
from reasrm.benchmarks.registry import benchmark
from reasrm.benchmarks.reward_bench import SECTION_OF
from reasrm.benchmarks.reward_bench_2 import SUBSETS
from reasrm.benchmarks.rmb_categories import CATEGORIES
from reasrm.scoring.outcome_store import Located, by_group
from reasrm.scoring.scorecard import Settings, scored

Row = dict[str, Any]
OFFICIAL = Settings(Mode.OFFICIAL, UnreadableRule.BENCHMARK, resamples=50, seed=0)
AS_PUBLISHED = Settings(Mode.AS_PUBLISHED, UnreadableRule.BENCHMARK, resamples=50, seed=0)
GOLD = Path(__file__).parents[3] / "shared" / "data" / "gold"
"""Published figures beside the project; tests that need them skip without."""


def located(name: str, rows: Iterable[Row]) -> list[Located]:
    return [Located(line, outcome) for line, row in enumerate(rows, 1) for outcome in benchmark(name).outcomes(row)]


def card(name: str, rows: Iterable[Row], settings: Settings = OFFICIAL) -> dict[str, Any]:
    return scored(benchmark(name), by_group(located(name, rows)).values(), settings, "rows").card


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
    BenchmarkName.REWARD_BENCH.value: reward_bench,
    BenchmarkName.RM_BENCH.value: rm_bench,
    BenchmarkName.RMB.value: rmb,
    BenchmarkName.JUDGE_BENCH.value: judge_bench,
    BenchmarkName.REWARD_BENCH_2.value: reward_bench_2,
}


def judged(name: str, verdicts: Callable[[int], int | None]) -> list[Row]:
    """The rows of a benchmark with one outcome each: `verdicts` of the row's number."""
    return [row | {"correct": verdicts(number)} for number, row in enumerate(ROWS[name]())]
