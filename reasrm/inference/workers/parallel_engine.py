"""An engine that answers from several processes: the same prompts in the same batches, so the same replies.

A batch is computed whole by one process, with the arithmetic that a single one would use. So the number of processes is
no part of what a reply depends on: the ledger's keys and what is written are those of one process. Order alone differs:
a batch is in the ledger as soon as it is there.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reasrm.inference.engine import Answered, Engine, Prompt, Sampling, batches_by_tokens
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.verdict_margin import ONE_TOKEN
from reasrm.inference.workers.worker_pool import WorkerPool
from reasrm.records.reply import Reply


class ParallelEngine:
    """Runs `engine` in several processes."""

    def __init__(self, engine: Engine, kind: str, settings: LocalModelSettings, most_prompts: int = 1) -> None:
        """Prepare to run what `engine` would run; it is itself asked for its identity and batches alone.

        Args:
            engine: of one process, whose model is not loaded.
            kind: its name (`worker.opened`).
            settings: of the engine.
            most_prompts: prompts that a process is given at a time, where the engine's batches are smaller.
        """
        self._engine = engine
        self._pool = WorkerPool(kind, settings)
        self._processes = settings.data_parallel
        self._most_prompts = most_prompts

    @property
    def starts(self) -> int:
        """As the pool counts them: once for all processes."""
        return self._pool.starts

    def identity(self) -> dict[str, Any]:
        """The engine's own: how many processes ran it changes no reply."""
        return self._engine.identity()

    def batches(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[range]:
        """The engine's own."""
        return self._engine.batches(prompts, sampling)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, batch by batch, the first finished first."""
        jobs = self._jobs(prompts, sampling)
        for number, values in self._pool.run(jobs, sampling):
            for prompt, value in zip(jobs[number], values, strict=True):
                yield prompt, Reply.model_validate(value)

    def log_odds(self, prompts: Sequence[tuple[int, ...]], tokens: tuple[int, int]) -> Iterator[float]:
        """Yield the log-odds of the first of `tokens` over the second behind each prompt, in order."""
        jobs = self._jobs([Prompt((), ids) for ids in prompts], ONE_TOKEN)
        yield from _in_order(self._pool.run(jobs, None, tokens))

    def close(self) -> None:
        """End the processes."""
        self._pool.close()
        self._engine.close()

    def _jobs(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Sequence[Prompt]]:
        """Whole batches, joined up to `most_prompts` or to a process's equal share of all prompts."""
        size = min(self._most_prompts, -(-len(prompts) // self._processes))
        jobs: list[Sequence[Prompt]] = []
        start = 0
        for batch in self.batches(prompts, sampling):
            if batch.stop - start >= size or batch.stop == len(prompts):
                jobs.append(prompts[start : batch.stop])
                start = batch.stop
        return jobs


class ParallelScorer:
    """Runs a scalar judge's `engine` in several processes."""

    def __init__(self, engine: ScalarEngine, settings: LocalModelSettings) -> None:
        """Prepare to run what `engine` would run; it is itself asked for its identity and batches alone."""
        self._engine = engine
        self._settings = settings
        self._pool = WorkerPool("scalar", settings)

    @property
    def starts(self) -> int:
        """As the pool counts them: once for all processes."""
        return self._pool.starts

    def identity(self) -> dict[str, Any]:
        """The engine's own."""
        return self._engine.identity()

    def batches(self, conversations: Sequence[Prompt]) -> list[range]:
        """The engine's own."""
        return self._engine.batches(conversations)

    def score(self, conversations: Sequence[tuple[int, ...]]) -> Iterator[float]:
        """Yield the score of each conversation (token ids), in the given order."""
        lengths = [len(ids) for ids in conversations]
        cuts = batches_by_tokens(lengths, self._settings.batch_size, self._settings.batch_tokens)
        jobs = [[Prompt((), ids) for ids in conversations[cut.start : cut.stop]] for cut in cuts]
        yield from _in_order(self._pool.run(jobs, None))

    def close(self) -> None:
        """End the processes."""
        self._pool.close()
        self._engine.close()


def _in_order(answered: Iterable[tuple[int, list[float | None]]]) -> Iterator[float]:
    """The numbers of all jobs in the jobs' order, each as soon as those before it are there."""
    early: dict[int, list[float | None]] = {}
    following = 0
    for number, values in answered:
        early[number] = values
        while following in early:
            yield from (math.nan if one is None else one for one in early.pop(following))  # JSON has no NaN
            following += 1
