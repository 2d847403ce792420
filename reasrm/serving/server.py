"""The process of a served judge: the socket, the model, the signals, and an end that loses nothing."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from reasrm.evaluation.judge import Judge
from reasrm.records.ledger import Ledger
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.terminal import message, say
from reasrm.serving.access import Access
from reasrm.serving.answer_groups import AnswerGroups
from reasrm.serving.application import JudgeService, build_application
from reasrm.serving.judging_queue import JudgingQueue, QueueLimits
from reasrm.serving.kept_judgments import KeptJudgments
from reasrm.serving.request_reading import BodyLimits
from reasrm.serving.service_metrics import ServiceMetrics

GRACE_SECONDS = 30.0
"""How long what is being judged may take after a signal."""
BACKLOG = 1024
WHO = "reasrm serve-judge"


@dataclass(frozen=True)
class ServerSettings:
    """How one service is run."""

    host: str
    port: int
    """0 for any that is free."""
    access: Access
    queue: QueueLimits
    body: BodyLimits
    timeout_seconds: float
    special_tokens: tuple[str, ...]
    group_size: int | None
    """Answers to a prompt, where they come one by one."""


def serve_judge(judge: Judge, ledger: Ledger, settings: ServerSettings) -> int:
    """Serve `judge` until a signal; returns the exit status.

    Raises:
        StageError: the address is taken or none of this machine's, or the judge cannot be used.
    """
    with _listening(settings) as listener:
        return asyncio.run(_serve(judge, ledger, settings, listener))


async def _serve(judge: Judge, ledger: Ledger, settings: ServerSettings, listener: socket.socket) -> int:
    metrics = ServiceMetrics()
    queue = JudgingQueue(judge, KeptJudgments(ledger, judge), settings.queue, metrics)
    service = JudgeService(
        queue,
        metrics,
        settings.access,
        settings.body,
        settings.timeout_seconds,
        settings.special_tokens,
        None if settings.group_size is None else AnswerGroups(settings.group_size, queue),
    )
    config = uvicorn.Config(
        build_application(service),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        http="h11",
        timeout_graceful_shutdown=round(GRACE_SECONDS),
    )
    server = _JudgeServer(config, queue)
    say(message(WHO, f"listening on {_address(listener)}; loading the model"))
    judging = asyncio.create_task(_load_and_judge(queue, server))
    await server.serve([listener])
    queue.stop()
    if queue.ready or judging.done():
        await asyncio.wait([judging], timeout=0 if server.force_exit else GRACE_SECONDS)
    if judging.done():
        judging.result()
    return server.status


async def _load_and_judge(queue: JudgingQueue, server: "_JudgeServer") -> None:
    """Load the model, then judge until the queue stops."""
    try:
        await queue.load()
    except BaseException:
        server.should_exit = True
        raise
    say(message(WHO, "ready"))
    await queue.run()


class _JudgeServer(uvicorn.Server):
    """A server whose signals also stop the queue, so that no request waits for a judgment that will not come."""

    def __init__(self, config: uvicorn.Config, queue: JudgingQueue) -> None:
        super().__init__(config)
        self._queue = queue
        self.status = int(ExitCode.DONE)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT for as long as it serves; the second one ends the process at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _stop(self, number: int) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self.status = int(ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.DONE)
        self._queue.stop()


@contextlib.contextmanager
def _listening(settings: ServerSettings) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StageError(f"--host {settings.host}: no address of this machine ({error.strerror or error})") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            raise StageError(
                f"--host {settings.host} --port {settings.port}: cannot be listened on ({error.strerror}); name another"
            ) from error
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
