"""The batches in a ledger: announced before they are created, so that no lost reply or kill creates one twice."""

from dataclasses import dataclass, replace

from stages.oracle.ledger_state import LedgerState
from stages.records.content_hash import content_hash
from stages.records.ledger import Ledger


@dataclass(frozen=True)
class BatchRecord:
    """One batch as the ledger knows it."""

    key: str
    """Hash of its requests; also the label that is written on it where the vendor allows one."""
    custom_ids: frozenset[str]
    known: frozenset[str]
    """Ids of the batches that the account had before."""
    batch: str | None = None
    """The vendor's id; None while no reply to the creation has come."""


class BatchLedger:
    """The batch entries of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Read what earlier runs left open."""
        self._ledger = ledger
        self._open: dict[str, BatchRecord] = {}
        for entry in ledger.entries():
            key = entry["key"]
            if entry["state"] == LedgerState.BATCH_INTENT:
                ids, known = frozenset(entry["custom_ids"]), frozenset(entry["known"])
                self._open[key] = BatchRecord(key, ids, known)
            elif entry["state"] == LedgerState.BATCH_CREATED:
                self._open[key] = replace(self._open[key], batch=entry["batch"])
            elif entry["state"] == LedgerState.BATCH_DONE:
                self._open.pop(key, None)

    def open_batches(self) -> list[BatchRecord]:
        """Announced or created and not yet reconciled, oldest first."""
        return list(self._open.values())

    def pending(self) -> frozenset[str]:
        """Custom ids of all requests in open batches."""
        return frozenset().union(*(record.custom_ids for record in self._open.values()))

    def intend(self, custom_ids: list[str], known: list[str]) -> BatchRecord:
        """Announce a batch; it is on the disk when this returns."""
        ids = sorted(custom_ids)
        record = BatchRecord(content_hash(["batch", ids, sorted(known)]), frozenset(ids), frozenset(known))
        entry = {"custom_ids": ids, "known": sorted(known)}
        self._ledger.append(record.key, LedgerState.BATCH_INTENT, entry, durable=True)
        self._open[record.key] = record
        return record

    def created(self, record: BatchRecord, batch: str) -> BatchRecord:
        """The vendor has the batch, under the id `batch`."""
        self._ledger.append(record.key, LedgerState.BATCH_CREATED, {"batch": batch}, durable=True)
        self._open[record.key] = replace(record, batch=batch)
        return self._open[record.key]

    def done(self, record: BatchRecord) -> None:
        """The batch is reconciled, or never was created."""
        self._ledger.append(record.key, LedgerState.BATCH_DONE, {}, durable=True)
        self._open.pop(record.key, None)
