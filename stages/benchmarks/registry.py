"""The benchmarks by name."""

from stages.benchmarks.benchmark import Benchmark, BenchmarkName
from stages.benchmarks.judge_bench import JudgeBench
from stages.benchmarks.reward_bench import RewardBench
from stages.benchmarks.reward_bench_2 import RewardBench2
from stages.benchmarks.rm_bench import RmBench
from stages.benchmarks.rmb import Rmb

BENCHMARKS: dict[BenchmarkName, Benchmark] = {
    benchmark.name: benchmark for benchmark in (RewardBench(), RmBench(), Rmb(), JudgeBench(), RewardBench2())
}


def benchmark(name: str) -> Benchmark:
    """The rules of the benchmark called `name`.

    Raises:
        ValueError: there is none of this name.
    """
    return BENCHMARKS[BenchmarkName(name)]
