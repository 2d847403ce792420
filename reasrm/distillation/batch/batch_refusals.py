"""Which of the rows that a batch's results call invalid are themselves to blame; `suspense.py` is the same online.

A refusal settles a question for good, so it is believed only if it cannot be due to everything that is sent: something
has to have been answered, and not so many rows may be refused in the same words. What is not believed is left open; if
the next run is told the same about it, it is believed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from reasrm.apis.api_reply import AttemptResult
from reasrm.distillation.quarantine import BELIEVED_AT_THE_END, Earlier

STRANGE_SHARE = 0.1
"""Of a batch's rows: if so many are refused in the same words (a limit whose words nobody foresaw), it is strange."""


def not_believed(
    refused: Mapping[str, AttemptResult], rows: int, entries: Iterable[dict[str, Any]]
) -> dict[str, AttemptResult]:
    """Those of `refused` (by key, out of a batch of `rows`) that may not be settled; `entries` are the ledger's."""
    if not refused:
        return {}
    earlier = Earlier.read(entries, ())
    if not earlier.answered:
        return dict(refused)
    new = {key: attempt for key, attempt in refused.items() if key not in earlier.refused}
    alike = max(Counter(attempt.detail for attempt in new.values()).values(), default=0)
    return new if alike > max(BELIEVED_AT_THE_END, STRANGE_SHARE * rows) else {}


def told(held: Mapping[str, AttemptResult], rows: int) -> str:
    """What to say when a run stops for rows that are not believed."""
    detail, count = Counter(attempt.detail for attempt in held.values()).most_common(1)[0]
    return (
        f"{len(held)} of a batch's {rows} requests were called invalid, {count} of them with the words {detail!r}; "
        f"they are not settled but asked again, since the address, the settings or the account may be what is wrong"
    )
