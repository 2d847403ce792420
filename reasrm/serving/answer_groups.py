"""Answers that come one by one, gathered by prompt until the group is whole: for trainers that ask for one at a time.

A pairwise judge can reward an answer only beside the others to its prompt. So each one waits for them, and all are
answered together. One that is given up, by the time limit, leaves its group; asked again, it joins again.
"""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus

from reasrm.serving.group_judging import judge_group
from reasrm.serving.judging_queue import JudgingQueue
from reasrm.serving.service_errors import ServiceError
from reasrm.serving.wire_format import CompareRequest


@dataclass
class _Group:
    prompt: str
    waiting: list[tuple[str, "asyncio.Future[float]"]] = field(default_factory=list)


class AnswerGroups:
    """The groups that are not whole yet; belongs to one event loop."""

    def __init__(self, size: int, queue: JudgingQueue) -> None:
        """Groups of `size` answers, judged through `queue`."""
        self.size = size
        self._queue = queue
        self._open: dict[str, _Group] = {}
        self._judging: set[asyncio.Task[None]] = set()

    async def reward(self, prompt: str, answer: str, seconds: float) -> float:
        """The reward of one answer, when its group has come and is judged.

        Raises:
            ServiceError: the others did not come in time, or what `judge_group` raises.
        """
        mine: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        group = self._open.setdefault(prompt, _Group(prompt))
        member = (answer, mine)
        group.waiting.append(member)
        if len(group.waiting) == self.size:
            del self._open[prompt]
            task = asyncio.create_task(self._judge(group))
            self._judging.add(task)
            task.add_done_callback(self._judging.discard)
        await asyncio.wait([mine], timeout=seconds)
        if mine.done():
            return mine.result()
        came = len(group.waiting)
        if came < self.size:
            group.waiting.remove(member)
            if not group.waiting:
                self._open.pop(prompt, None)
            raise ServiceError(
                HTTPStatus.GATEWAY_TIMEOUT,
                "prompts",
                f"{came} of {self.size} answers to this prompt came within {seconds:g} seconds (--group-size, "
                "--timeout), and an answer is rewarded among all of them: send as many samples of each prompt",
                retry_after=1,
            )
        raise ServiceError(
            HTTPStatus.GATEWAY_TIMEOUT,
            "judge",
            f"did not answer within {seconds:g} seconds (--timeout); the judgment is made and kept nevertheless",
            retry_after=1,
        )

    async def _judge(self, group: _Group) -> None:
        try:
            answers = tuple(answer for answer, _ in group.waiting)
            rewards = (await judge_group(CompareRequest(prompt=group.prompt, answers=answers), self._queue)).rewards
        except ServiceError as error:
            for _, waiting in group.waiting:
                waiting.set_exception(error)
                waiting.exception()  # who gave up misses nothing
        else:
            for (_, waiting), reward in zip(group.waiting, rewards, strict=True):
                waiting.set_result(reward)
