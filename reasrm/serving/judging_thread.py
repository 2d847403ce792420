"""The one thread in which a served judge is asked: model libraries want always the same one.

It ends with the process: a service that never replies holds up nobody who stops the server.
"""

import asyncio
import queue
import threading
from collections.abc import Callable


class JudgingThread:
    """Does one piece of work after the other."""

    def __init__(self) -> None:
        """Start the thread."""
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._go, name="judge", daemon=True).start()

    async def call(self, work: Callable[[], None]) -> None:
        """Wait until `work` is done; what it raises is raised here."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def settle(error: BaseException | None) -> None:
            if done.cancelled():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def run() -> None:
            error: BaseException | None = None
            try:
                work()
            except BaseException as raised:  # noqa: BLE001  handed to who waits
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, error)

        self._work.put(run)
        await done

    def _go(self) -> None:
        while True:
            self._work.get()()
