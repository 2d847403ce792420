"""The benchmarks by name. To add one: write its file, import it here and name it in `BENCHMARKS`."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from reasrm.benchmarks.benchmark import Benchmark
from reasrm.benchmarks.judge_bench import JudgeBench
from reasrm.benchmarks.reward_bench import RewardBench
from reasrm.benchmarks.reward_bench_2 import RewardBench2
from reasrm.benchmarks.rm_bench import RmBench
from reasrm.benchmarks.rmb import Rmb
from reasrm.datasets.row_files import DataSource
from reasrm.records.benchmark_folder import ACCOUNT

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        RewardBench(),
        RmBench(),
        Rmb(),
        JudgeBench(),
        RewardBench2(),
    )
}
"""In the order in which readers see them: the paper's three come first."""


def benchmark(name: str) -> Benchmark:
    """The rules of the benchmark called `name`.

    Raises:
        ValueError: there is none of this name.
    """
    return BENCHMARKS[known_benchmark(name)]


def known_benchmark(name: str) -> str:
    """`name` itself if there is such a benchmark.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in BENCHMARKS:
        raise ValueError(f"no benchmark is called {name!r}; there are {', '.join(BENCHMARKS)}")
    return name


BenchmarkName = Annotated[str, AfterValidator(known_benchmark)]
"""The name of a benchmark in parameters; pydantic refuses others."""


def display_name(name: str, *, miniature: bool) -> str:
    """What readers call a benchmark's data: "RewardBench", or "mini-RewardBench" for the miniature's own rows.

    Raises:
        ValueError: there is no benchmark of this name.
    """
    title = benchmark(name).title
    return f"mini-{title}" if miniature else title


def display_names(folder: Path) -> dict[str, str]:
    """What readers call each benchmark in `folder`, "mini-" before the miniature's, by the account's `source`.

    A benchmark of which no account says where it came from is not in it: nothing is guessed.
    """
    file = folder / ACCOUNT
    accounts = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {
        name: display_name(name, miniature=account["source"] == DataSource.MINIATURE)
        for name, account in accounts.items()
        if name in BENCHMARKS and "source" in account
    }
