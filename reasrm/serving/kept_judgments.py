"""The judgments that a served judge has made, kept by comparison: what was judged once is never judged again.

The stages keep replies by the engine's batch, because the replies of one batch may depend on each other in the last
bits. A service cannot promise the same batches again after a restart, so here the first judgment of a comparison
stands. The key hashes the judge's identity and exactly the texts that are compared, in their order.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from reasrm.evaluation.judge import Judge
from reasrm.records.comparison import Comparison
from reasrm.records.content_hash import content_hash
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import FINAL, Ledger
from reasrm.serving.wire_format import MOST_ANSWERS


class KeptJudgments:
    """The judgments of one judge in a ledger, which may hold those of others too."""

    def __init__(self, ledger: Ledger, judge: Judge) -> None:
        """Keep the judgments of `judge` in `ledger`."""
        self.ledger = ledger
        self._judge = judge
        self._identity = ""

    def identify(self) -> None:
        """Hash the judge's identity, weights included; before that nothing is kept or found."""
        self._identity = content_hash(self._judge.identity())

    def key(self, comparison: Comparison) -> str:
        """What a comparison is kept under."""
        turns = [(turn.role, _text_hash(turn.content)) for turn in comparison.prompt]
        answers = [_text_hash(comparison.response_a), _text_hash(comparison.response_b)]
        return content_hash([self._identity, turns, answers])

    def get(self, key: str) -> ComparisonJudgment | None:
        """The judgment of a key, or None."""
        entry = self.ledger.get(key)
        return None if entry is None else ComparisonJudgment.model_validate(entry["judgment"])

    def keep(self, key: str, judgment: ComparisonJudgment) -> None:
        """Write a judgment at once.

        Raises:
            OSError: the disk is full.
        """
        self.ledger.append(key, FINAL, {"judgment": judgment.model_dump(mode="json")})


@lru_cache(maxsize=4 * MOST_ANSWERS)
def _text_hash(text: str) -> str:
    """Of one text; an answer stands in many comparisons of its request."""
    return content_hash(text)


@contextmanager
def open_ledger(file: Path | None) -> Iterator[Ledger]:
    """The ledger `file`, or one that lasts as long as the service.

    Raises:
        LedgerBusyError: another service, or a run, writes to it.
        BrokenLedgerError: it is no ledger.
    """
    if file is not None:
        with Ledger(file) as ledger:
            yield ledger
        return
    with tempfile.TemporaryDirectory(prefix="reasrm-judgments-") as folder, Ledger(Path(folder) / "ledger") as ledger:
        yield ledger
