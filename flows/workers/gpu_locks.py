"""GPUs of one machine among the stages that workers start there: a lock for each, which ends with its holder."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reasrm.runtime.process_lock import LockHeldError, hold

LOCKS = Path("work/locks")
POLL_SECONDS = 1.0


@contextmanager
def hold_gpus(
    root: Path, gpus: tuple[str, ...], wanted: int, is_ending: Callable[[], bool]
) -> Iterator[tuple[str, ...]]:
    """Wait until so many of `gpus` are free and hold them within the block; none once it is being ended.

    Args:
        root: the clone; all workers of a machine that share GPUs run in one clone.
        gpus: the devices that this process may use.
        wanted: how many; all of them where there are fewer.
        is_ending: whether to wait no longer.
    """
    wanted = min(wanted, len(gpus))
    while not is_ending():
        with ExitStack() as held:
            taken: list[str] = []
            for gpu in gpus:
                if len(taken) < wanted and _take(held, root / LOCKS / f"gpu-{gpu}.lock"):
                    taken.append(gpu)
            if len(taken) == wanted:
                yield tuple(taken)
                return
        time.sleep(POLL_SECONDS)
    yield ()


def _take(held: ExitStack, lock: Path) -> bool:
    try:
        held.enter_context(hold(lock))
    except LockHeldError:
        return False
    return True
