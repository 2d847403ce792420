"""The batches in a ledger: announced before they are created, so that no lost reply or kill creates one twice."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from reasrm.apis.batches.api import custom_id
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.ledger_entries import LedgerState
from reasrm.distillation.prices import Prices
from reasrm.distillation.settings import ABANDON
from reasrm.records.ledger import Ledger
from reasrm.runtime.stage_main import ExitCode, StageError


@dataclass(frozen=True)
class BatchRecord:
    """One batch as the ledger knows it."""

    name: str
    """Of this batch alone; also the label that is written on it where the vendor allows one."""
    vendor: ApiProtocol
    keys: frozenset[str]
    """Of its requests."""
    prices: Prices | None
    """Of the model that it asks, if known: its results are recorded also by a run that asks another one."""
    known: frozenset[str]
    """Ids of the newest batches that the account had before."""
    usd: float = 0.0
    """What all of it may cost; 0 if the price is not known."""
    batch: str | None = None
    """The vendor's id; None while no reply to the creation has come."""

    @cached_property
    def key_of(self) -> dict[str, str]:
        """The request of each custom id."""
        return {custom_id(key): key for key in self.keys}

    def __str__(self) -> str:
        """How it is called in messages."""
        which = self.batch or "whose creation gave no reply"
        return f"batch {which} of {len(self.keys)} requests ({self.vendor})"


class BatchLedger:
    """The batch entries of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Read what earlier runs left."""
        self._ledger = ledger
        self._open: dict[str, BatchRecord] = {}
        self._created: set[str] = set()
        for entry in ledger.entries():
            name = entry["key"]
            if entry["state"] == LedgerState.BATCH_INTENT:
                self._open[name] = BatchRecord(
                    name,
                    ApiProtocol(entry["vendor"]),
                    frozenset(entry["keys"]),
                    None if entry["prices"] is None else Prices.model_validate(entry["prices"]),
                    frozenset(entry["known"]),
                    entry.get("usd", 0.0),
                )
            elif entry["state"] == LedgerState.BATCH_CREATED:
                self._open[name] = replace(self._open[name], batch=entry["batch"])
                self._created.add(entry["batch"])
            elif entry["state"] == LedgerState.BATCH_DONE:
                self._open.pop(name, None)

    def open_batches(self, vendor: ApiProtocol | None = None) -> list[BatchRecord]:
        """Announced or created (at `vendor`, if one is given) and not yet reconciled, oldest first."""
        return [record for record in self._open.values() if vendor in (None, record.vendor)]

    def pending(self) -> frozenset[str]:
        """Keys of all requests in open batches."""
        return frozenset().union(*(record.keys for record in self._open.values()))

    def holding(self, keys: Iterable[str]) -> Counter[BatchRecord]:
        """The open batches that hold some of `keys`, and how many of them."""
        owner = {key: record for record in self._open.values() for key in record.keys}
        return Counter(owner[key] for key in set(keys) if key in owner) if owner else Counter()

    def is_of_this_ledger(self, batch: str) -> bool:
        """Whether the vendor's id `batch` belongs to a batch of this ledger, open or done."""
        return batch in self._created

    def intend(
        self, vendor: ApiProtocol, keys: Iterable[str], prices: Prices | None, known: Iterable[str], usd: float = 0.0
    ) -> BatchRecord:
        """Announce a batch that may cost `usd`; it is on the disk when this returns."""
        record = BatchRecord(secrets.token_hex(32), vendor, frozenset(keys), prices, frozenset(known), usd)
        entry = {
            "vendor": vendor.value,
            "keys": sorted(record.keys),
            "prices": None if prices is None else prices.model_dump(mode="json"),
            "known": sorted(record.known),
            "usd": usd,
        }
        self._ledger.append(record.name, LedgerState.BATCH_INTENT, entry, durable=True)
        self._open[record.name] = record
        return record

    def created(self, record: BatchRecord, batch: str) -> BatchRecord:
        """The vendor has the batch, under the id `batch`."""
        self._ledger.append(record.name, LedgerState.BATCH_CREATED, {"batch": batch}, durable=True)
        self._open[record.name] = replace(record, batch=batch)
        self._created.add(batch)
        return self._open[record.name]

    def done(self, record: BatchRecord, unread: int = 0) -> None:
        """The batch is reconciled or never was created; `unread` requests may have been billed without a result."""
        self._ledger.append(record.name, LedgerState.BATCH_DONE, {"unread": unread}, durable=True)
        self._open.pop(record.name, None)


class OpenBatchError(StageError):
    """What is to be asked online has been asked in a batch already."""

    exit_code = ExitCode.USAGE


def refuse_or_abandon_open_batches(
    ledger: Ledger, wanted: Iterable[str], say: Callable[[str], None], *, may_abandon: bool
) -> int:
    """Make sure, before an online run, that no open batch of `ledger` holds a key in `wanted`: it would be paid twice.

    Args:
        ledger: of the run.
        wanted: keys of the requests to be asked online; taken only if a batch is open.
        say: tells what must not be missed.
        may_abandon: whether such a batch may be given up.

    Returns:
        How many requests may be billed without an answer, since their batch was given up.

    Raises:
        OpenBatchError: a batch does, and may not be given up.
    """
    batches = BatchLedger(ledger)
    if not batches.open_batches():
        return 0
    if may_abandon:
        return _abandon(batches, wanted, say)
    for record, count in batches.holding(wanted).items():
        raise OpenBatchError(
            f"{record} holds {count} of the requests that would now be asked online, and is paid for: "
            f"run with --batch (in params.yaml: mode: batch) to take its replies, after cancelling it at the vendor if "
            f"it takes too long; {ABANDON}"
        )
    return 0


def _abandon(batches: BatchLedger, wanted: Iterable[str], say: Callable[[str], None]) -> int:
    """Give up the open batches that hold keys in `wanted`; returns how many requests they hold."""
    given_up = batches.holding(wanted)
    for record, count in given_up.items():
        batches.done(record, unread=len(record.keys))
        say(f"gave up {record}: {count} of its requests are asked again, all may have been billed for nothing")
    return sum(len(record.keys) for record in given_up)
