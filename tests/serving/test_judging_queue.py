"""The queue in front of a judge, without HTTP: a rule as the judge, its calls counted."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.engine import Answered, Prompt, Sampling
from reasrm.inference.model_opening import OpenModel, plain_prompts
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.comparison import Comparison, Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.runtime.stage_main import StageError, StoppedResumable
from reasrm.serving.judging_queue import JudgingQueue, QueueLimits
from reasrm.serving.kept_judgments import KeptJudgments
from reasrm.serving.service_errors import ServiceError
from reasrm.serving.service_metrics import ServiceMetrics
from tests.fixtures.tiny_prompts import user

LIMITS = QueueLimits(most_waiting=8, batch=4, wait_seconds=0.01)


class CountingEngine(ScriptedEngine):
    """Always names A; keeps the size of each call, and fails with what is set."""

    def __init__(self) -> None:
        super().__init__(lambda _: "<answer>[[A]]</answer>", "first")
        self.sizes: list[int] = []
        self.failure: Exception | None = None

    def generate(self, prompts: Any, sampling: Sampling) -> Iterator[Answered]:
        """One call."""
        prompts = list[Prompt](prompts)
        self.sizes.append(len(prompts))
        if self.failure is not None:
            raise self.failure
        yield from super().generate(prompts, sampling)


class Bench:
    """A queue in a running loop."""

    def __init__(self, ledger: Ledger, limits: QueueLimits = LIMITS) -> None:
        self.engine = CountingEngine()
        sampling = Sampling(max_new_tokens=9, temperature=0, top_p=1, seed=0, stop="</answer>")
        template = RubricsTemplate(PromptVariant.FULL)
        self.judge = TextJudge(OpenModel(self.engine, plain_prompts), template, [sampling])
        self.metrics = ServiceMetrics()
        self.queue = JudgingQueue(self.judge, KeptJudgments(ledger, self.judge), limits, self.metrics)

    async def all_of(self, comparisons: list[Comparison]) -> list[ComparisonJudgment]:
        """Judge some, as one request."""
        return list(await asyncio.gather(*self.queue.submit(comparisons)[0]))


def comparison(number: int) -> Comparison:
    return Comparison(pair_id="", prompt=user(f"Which {number}?"), response_a="a", response_b="b", better=Side.A)


def with_bench(folder: Path, work: Callable[[Bench], Coroutine[Any, Any, None]], limits: QueueLimits = LIMITS) -> None:
    async def go() -> None:
        with Ledger(folder / "ledger.jsonl") as ledger:
            bench = Bench(ledger, limits)
            with pytest.raises(ServiceError, match="being loaded"):
                bench.queue.submit([comparison(0)])
            await bench.queue.load()
            running = asyncio.create_task(bench.queue.run())
            await asyncio.wait_for(work(bench), 20)
            bench.queue.stop()
            await asyncio.wait_for(running, 20)

    asyncio.run(go())


def test_what_waits_is_judged_in_batches_and_never_again(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        asked = [comparison(number % 6) for number in range(8)]
        judged = await bench.all_of(asked)
        assert [one.verdict for one in judged] == [Side.A] * 8
        assert bench.engine.sizes == [4, 2]
        waiting, new = bench.queue.submit(asked)
        assert new == 0
        assert all(one.done() for one in waiting)

    async def again(bench: Bench) -> None:
        await bench.all_of([comparison(number) for number in range(6)])
        assert bench.engine.sizes == []

    with_bench(tmp_path, work)
    with_bench(tmp_path, again)


def test_who_gives_up_takes_nothing_from_those_who_wait(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        patient = asyncio.create_task(bench.all_of([comparison(1)]))
        with pytest.raises(TimeoutError):
            waiting, _ = bench.queue.submit([comparison(1), comparison(2)])
            await asyncio.wait_for(asyncio.wait(waiting), 0)
        assert [one.verdict for one in await patient] == [Side.A]
        await asyncio.sleep(0.1)
        assert bench.queue.submit([comparison(2)])[1] == 0

    with_bench(tmp_path, work, QueueLimits(8, 4, 0.05))


def test_a_request_that_does_not_fit_waits_with_none_of_its_comparisons(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        first = bench.queue.submit([comparison(number) for number in range(7)])[0]
        with pytest.raises(ServiceError, match="7 of 8 comparisons wait; 2 more do not fit") as refused:
            bench.queue.submit([comparison(8), comparison(9)])
        assert (refused.value.reply.status, refused.value.retry_after) == (503, 1)
        with pytest.raises(ServiceError, match="send fewer answers"):
            bench.queue.submit([comparison(number) for number in range(10, 20)])
        assert bench.queue.submit([comparison(3)])[1] == 0
        await asyncio.wait(first)
        assert sum(bench.engine.sizes) == 7

    with_bench(tmp_path, work)


@pytest.mark.parametrize(
    ("failure", "status"),
    [(StoppedResumable("out of reach"), 503), (StageError("no such key"), 502), (RuntimeError("out of memory"), 500)],
)
def test_a_judge_that_fails_tells_everybody_and_is_asked_again(
    tmp_path: Path, failure: Exception, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(bench: Bench) -> None:
        bench.engine.failure = failure
        waiting, _ = bench.queue.submit([comparison(1), comparison(2)])
        await asyncio.wait(waiting)
        errors = [one.exception() for one in waiting]
        assert [one.reply.status for one in errors if isinstance(one, ServiceError)] == [status] * 2
        bench.engine.failure = None
        assert [one.verdict for one in await bench.all_of([comparison(1)])] == [Side.A]

    with_bench(tmp_path, work)
    assert f"2 comparisons were not judged: {failure}" in capsys.readouterr().err


def test_a_stop_refuses_what_waits(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        waiting, _ = bench.queue.submit([comparison(1)])
        bench.queue.stop()
        await asyncio.wait(waiting)
        with pytest.raises(ServiceError, match="stopping"):
            waiting[0].result()
        with pytest.raises(ServiceError, match="stopping"):
            bench.queue.submit([comparison(2)])

    with_bench(tmp_path, work, QueueLimits(8, 4, 5))


def test_another_judge_finds_nothing_of_this_one(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        bench = Bench(ledger)
        kept = KeptJudgments(ledger, bench.judge)
        kept.identify()
        other = bench.judge.asked_otherwise(samplings=[bench.judge.samplings[0].model_copy(update={"stop": ""})])
        assert other.identity() == bench.judge.identity()
        kept.keep(kept.key(comparison(1)), ComparisonJudgment(verdict=Side.B))
        assert kept.get(kept.key(comparison(1))) == ComparisonJudgment(verdict=Side.B)
        assert kept.get(kept.key(comparison(1).swapped())) is None
