"""The benchmarks by name."""

from reasrm.benchmarks.benchmark import Benchmark, BenchmarkName
from reasrm.benchmarks.judge_bench import JudgeBench
from reasrm.benchmarks.reward_bench import RewardBench
from reasrm.benchmarks.reward_bench_2 import RewardBench2
from reasrm.benchmarks.rm_bench import RmBench
from reasrm.benchmarks.rmb import Rmb

BENCHMARKS: dict[BenchmarkName, Benchmark] = {
    benchmark.name: benchmark for benchmark in (RewardBench(), RmBench(), Rmb(), JudgeBench(), RewardBench2())
}


def benchmark(name: str) -> Benchmark:
    """The rules of the benchmark called `name`.

    Raises:
        ValueError: there is none of this name.
    """
    return BENCHMARKS[BenchmarkName(name)]
