"""Judgments that this project made before: a model's folder of the stage `judge`, or a file of `reasrm judge --out`.

The folder holds no texts of answers; they are in the benchmarks' items, `data/benchmarks` beside `data/judgments`. The
file holds none either; they are in the rows that were judged (`reasrm judge --jsonl`), which must then also say which
answer is better: `{"prompt": ..., "a": ..., "b": ..., "better": "A"}`.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.datasets.row_fields import user_turn
from reasrm.evaluation.pairwise_judgment import OrderJudgment, PairwiseJudgment
from reasrm.judging.verdict import Unreadable
from reasrm.probes.items import items_of_folder, read_judgments
from reasrm.probes.query import PlainJudgment, ProbeItem
from reasrm.probes.recorded.recorded_judge import (
    RecordedJudge,
    RecordedJudgment,
    bad_row,
    item_of,
    recorded_judge,
    written,
)
from reasrm.records.comparison import Side
from reasrm.records.jsonl import BadRecordError, read_rows
from reasrm.records.pair import Message, PreferencePair
from reasrm.runtime.stage_main import StageError

BENCHMARKS = "benchmarks"
"""Folder beside that of all judgments."""


class _JudgedRow(BaseModel):
    """A row that was judged, with the truth."""

    model_config = ConfigDict(frozen=True)

    prompt: str | tuple[Message, ...]
    a: str
    b: str
    better: Side

    def item(self, benchmark: str, number: int) -> ProbeItem:
        """Its item; named by its line."""
        prompt = user_turn(self.prompt) if isinstance(self.prompt, str) else self.prompt
        chosen, rejected = (self.a, self.b) if self.better is Side.A else (self.b, self.a)
        pair = PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected, source=benchmark)
        return item_of(benchmark, str(number), pair)


def read_own(path: Path, items: Path | None = None) -> list[RecordedJudge]:
    """The judge of a folder, or of a file.

    Args:
        path: `data/judgments/<model>`, or what `reasrm judge --out` wrote.
        items: the folder of the benchmarks' items, where it is not beside `data/judgments`; of a file, the rows that
            were judged (`reasrm judge --jsonl`).

    Raises:
        BadRecordError: a line is not what it should be; says file, line and field.
        StageError: judgments or items are missing, or do not belong together.
    """
    if path.is_dir():
        return [_of_folder(path, items or path.resolve().parent.parent / BENCHMARKS)]
    if items is None:
        raise StageError(
            f"{path}: a file of `reasrm judge --out` holds no answers; name the rows that were judged too, each with "
            '"better": "A" or "B" (--items FILE)'
        )
    return [recorded_judge(path.stem, _of_file(path, items), path)]


def _of_folder(folder: Path, benchmarks: Path) -> RecordedJudge:
    if not any(folder.glob("*.jsonl")):
        raise StageError(f"{folder}: no judgments (*.jsonl) there; name a model's folder in data/judgments")
    items = items_of_folder(benchmarks)
    plain = read_judgments(folder, items)
    if not plain:
        raise StageError(f"{folder}: its files hold no judgment, so there is nothing to probe; judge again")
    judged = [item for item in items if (item.benchmark, item.item_id) in plain]
    return RecordedJudge(folder.name, judged, plain, {})


def _of_file(path: Path, items: Path) -> Iterator[RecordedJudgment]:
    rows, judged = list(read_rows(items)), list(read_rows(path))
    if len(rows) != len(judged):
        raise StageError(f"{path} holds {len(judged):,} judgments and {items} {len(rows):,} rows: not of these rows")
    for (number, row), (line, judgment) in zip(rows, judged, strict=True):
        try:
            given = _JudgedRow.model_validate(row)
            item = given.item(items.stem, number)
        except ValidationError as error:
            raise bad_row(items, f"line {number}", error) from error
        try:
            orders = PairwiseJudgment.model_validate(judgment).orders
        except ValidationError as error:
            raise bad_row(path, f"line {line}", error) from error
        if {order.shown_first for order in orders} != set(Side):
            raise BadRecordError(f"{path} line {line}: orders.shown_first: must be A and B, once each")
        yield from (_of_order(item, given.better, order) for order in orders)


def _of_order(item: ProbeItem, better: Side, order: OrderJudgment) -> RecordedJudgment:
    """Sides of the file are the caller's; those of a plain judgment are as shown."""
    swapped = order.shown_first is Side.B
    named = order.verdict or order.unreadable or Unreadable.NO_ANSWER
    verdict = named.other if swapped and isinstance(named, Side) else named
    return RecordedJudgment(PlainJudgment(item, better.other if swapped else better, written(order.reply, verdict)))
