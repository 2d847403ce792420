"""What an importer reads out of a log: items, plain judgments, and what the log itself says about the winner."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from reasrm.datasets.row_fields import prompt_group
from reasrm.judging.verdict import Unreadable
from reasrm.probes.items import PlainJudgments
from reasrm.probes.query import RECORDED, PlainJudgment, ProbeContext, ProbeItem
from reasrm.records.comparison import Side
from reasrm.records.jsonl import BadRecordError, explain
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.pair import PreferencePair
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.stage_main import StageError


class RecordedJudgment(NamedTuple):
    """One judgment of a log."""

    plain: PlainJudgment
    published: bool | None = None
    """Whether the log says that the better answer won; None where it does not say."""


@dataclass(frozen=True, slots=True)
class RecordedJudge:
    """All that a log holds of one judge."""

    name: str
    items: list[ProbeItem]
    plain: PlainJudgments
    published: dict[tuple[str, str, Side], bool]
    """By benchmark, item id and the side of the better answer: whether the log says that it won."""

    def context(self, resamples: int, seed: int) -> ProbeContext:
        """What probes are given; no probe can ask anything."""
        return ProbeContext(self.items, self.plain, RECORDED, resamples, seed)


def recorded_judge(name: str, judgments: Iterable[RecordedJudgment], source: Path) -> RecordedJudge:
    """The judge of some judgments.

    Raises:
        BadRecordError: two of them are about the same item in the same order.
        StageError: there are none.
    """
    items: dict[tuple[str, str], ProbeItem] = {}
    plain: PlainJudgments = defaultdict(dict)
    published: dict[tuple[str, str, Side], bool] = {}
    for one in judgments:
        item, better, _ = one.plain
        key = item.benchmark, item.item_id
        if better in plain[key]:
            raise BadRecordError(f"{source}: {key[0]} {key[1]!r} is judged twice with the better answer as {better}")
        items.setdefault(key, item)
        plain[key][better] = one.plain
        if one.published is not None:
            published[*key, better] = one.published
    if not items:
        raise StageError(f"{source}: holds no judgment of {name}, so there is nothing to probe")
    return RecordedJudge(name, list(items.values()), dict(plain), published)


def item_of(benchmark: str, item_id: str, pair: PreferencePair, family: str = "", part: str = "") -> ProbeItem:
    """An item of a log; items with the same conversation share a question."""
    return ProbeItem(benchmark, item_id, prompt_group(pair.prompt), pair, family, part)


def written(text: str, verdict: Side | Unreadable, finish: Finish = Finish.STOP) -> ComparisonJudgment:
    """A judgment of which only the reply's text, its end and the verdict are known; tokens are not counted."""
    reply = Reply(text=text, finish=finish, prompt_tokens=0, completion_tokens=0)
    if isinstance(verdict, Unreadable):
        return ComparisonJudgment(verdict=None, unreadable=verdict.value, reply=reply)
    return ComparisonJudgment(verdict=verdict, reply=reply)


def bad_row(path: Path, place: str, error: ValidationError | str) -> BadRecordError:
    """An error that names file and row, and the field where pydantic knows it."""
    return BadRecordError(f"{path} {place}: {explain(error) if isinstance(error, ValidationError) else error}")
