"""The ledger: paid or slow replies, append-only, keyed by the hash of the exact request.

DVC deletes a stage's outputs before it runs, so what must survive a kill lives here, outside of them (`ledgers/`,
git-ignored). A stage's output is rebuilt from its ledger at the end: same ledger, same bytes.

One line is one entry: `{"key": ..., "state": ..., ...}`. A `final` entry settles its key, the last one if there are
several; other states (an intent to ask, a failed attempt that was billed) are history for the run statistics. Only byte
offsets are held in memory. While it is open, `<ledger>.writer` beside it says who writes, on which machine: several may
share it.
"""

import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson
from filelock import lock_descriptor

from reasrm.records.content_hash import canonical_json
from reasrm.records.harmless_text import harmless, one_line

FINAL = "final"
FSYNC_SECONDS = 0.5
LONGEST_NOTE = 300
UNKNOWN = "which has not said who it is"


class LedgerBusyError(RuntimeError):
    """Another process writes to this ledger."""


class BrokenLedgerError(ValueError):
    """A complete line of a ledger is no entry; says file, place and what to do."""


class Ledger:
    """An open ledger; one writer at a time, several threads may append."""

    def __init__(self, path: Path) -> None:
        """Open or create `path`, cut a torn last line off, and index the final entries.

        Raises:
            LedgerBusyError: another process holds it.
            BrokenLedgerError: a complete line is no entry.
        """
        self.path = path
        self._final: dict[bytes, int] = {}
        self._end = 0
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._open_for_writing()

    def _open_for_writing(self) -> None:
        path = self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
        # The open file itself is locked, not its path: a lock that may create, empty or remove its file has no business
        # with paid replies, and this one ends with the descriptor.
        if not lock_descriptor(descriptor, blocking=False):
            self._file.close()
            raise LedgerBusyError(
                f"{path} is being written by another run ({_writer_of(path)}); wait for it or cancel it, then the same "
                f"command goes on: what is answered by then is not asked again"
            )
        self._index()
        self._file.truncate(self._end)
        with suppress(OSError):  # of a full disk, say: replies that are there can be read all the same
            _note_of_writer(path).write_text(f"process {os.getpid()} of {socket.gethostname()}, in {Path.cwd()}\n")
        self._syncer = threading.Thread(target=self._sync_often, name=f"fsync {path.name}", daemon=True)
        self._syncer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        """Whether `key` is settled."""
        return bytes.fromhex(key) in self._final

    def __len__(self) -> int:
        """How many keys are settled."""
        return len(self._final)

    def get(self, key: str) -> dict[str, Any] | None:
        """The entry that settled `key`, or None."""
        offset = self._final.get(bytes.fromhex(key))
        if offset is None:
            return None
        with self._lock:
            self._file.seek(offset)
            line = self._read_line()
        return dict(orjson.loads(line))

    def append(self, key: str, state: str, entry: dict[str, Any], *, durable: bool = False) -> None:
        """Write one entry at once (safe against kill -9); fsync follows within half a second, or now if `durable`.

        Raises:
            OSError: it could not be written whole (the disk is full); the ledger is as it was before.
        """
        line = canonical_json({"key": key, "state": state, **entry}) + b"\n"
        with self._lock:
            self._file.seek(self._end)
            written = self._file.write(line)
            if written != len(line):
                self._file.truncate(self._end)
                raise OSError(errno.ENOSPC, f"only {written} of {len(line)} bytes could be written", str(self.path))
            if state == FINAL:
                self._final[bytes.fromhex(key)] = self._end
            self._end += len(line)
        if durable:
            os.fsync(self._file.fileno())
        else:
            self._dirty.set()

    def entries(self) -> Iterator[dict[str, Any]]:
        """All whole entries in the order in which they were written."""
        offset = 0
        with self.path.open("rb") as file:
            for line in file:
                offset += len(line)
                if offset > self._end:
                    break
                yield orjson.loads(line)

    def close(self) -> None:
        """Force everything to the disk and let go of the file."""
        self._closing.set()
        self._dirty.set()
        self._syncer.join()
        os.fsync(self._file.fileno())
        with suppress(OSError):
            _note_of_writer(self.path).unlink(missing_ok=True)
        self._file.close()

    def _read_line(self) -> bytes:
        parts: list[bytes] = []
        while chunk := self._file.read(65536):
            head, newline, _ = chunk.partition(b"\n")
            parts.append(head)
            if newline:
                break
        return b"".join(parts)

    def _index(self) -> None:
        offset = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    entry = orjson.loads(line)
                    key, state = bytes.fromhex(entry["key"]), entry["state"]
                except (ValueError, TypeError, KeyError) as error:
                    raise BrokenLedgerError(
                        f"{self.path} byte {offset}: a complete line is not JSON of an entry ({error!r}); the file is "
                        f"no ledger, was edited, or the disk failed: move it away to ask again, or cut this line"
                    ) from error
                if state == FINAL:
                    self._final[key] = offset
                offset += len(line)
        self._end = offset

    def _sync_often(self) -> None:
        while not self._closing.is_set():
            self._dirty.wait()
            self._dirty.clear()
            os.fsync(self._file.fileno())
            self._closing.wait(FSYNC_SECONDS)


def _note_of_writer(path: Path) -> Path:
    return path.with_name(f"{path.name}.writer")


def _writer_of(path: Path) -> str:
    """Who writes to the ledger at `path`, as it noted itself; a killed writer's note says nothing once none writes."""
    with suppress(OSError):
        note = _note_of_writer(path).read_text(encoding="utf-8", errors="replace")
        return one_line(harmless(note), LONGEST_NOTE) or UNKNOWN
    return UNKNOWN


class ReadOnlyLedger(Ledger):
    """A ledger opened beside its writer, as it stands now: for estimates that change nothing."""

    def _open_for_writing(self) -> None:
        if self.path.exists():
            self._file = self.path.open("rb", buffering=0)
            self._index()
        else:
            self._file = Path(os.devnull).open("rb", buffering=0)  # noqa: SIM115  closed with the ledger

    def append(self, key: str, state: str, entry: dict[str, Any], *, durable: bool = False) -> None:
        """Refused."""
        raise TypeError(f"{self.path} was opened read-only")

    def entries(self) -> Iterator[dict[str, Any]]:
        """All entries up to the moment of opening."""
        return super().entries() if self.path.exists() else iter(())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
