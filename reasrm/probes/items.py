"""Which items a probe asks about, and the plain judgments that it starts from."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from reasrm.evaluation.benchmark_judgments import read_items
from reasrm.evaluation.judge import Judge
from reasrm.probes.query import PlainJudgment, ProbeItem
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side, show
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import ComparisonJudgment, Judgment
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message
from reasrm.runtime.stage_main import StageError

PlainJudgments = dict[tuple[str, str], dict[Side, PlainJudgment]]
"""By benchmark and item id, then by the side on which the better answer was shown."""


def probe_item(item: BenchmarkItem) -> ProbeItem:
    """An item of a benchmark as probes see it."""
    family, part = (str(item.keys.get(key, "")) for key in ("family", "slice"))
    return ProbeItem(item.benchmark, item.item_id, item.group, item.pair, family, part)


def items_of_folder(benchmarks: Path) -> list[ProbeItem]:
    """The items of all benchmarks in a folder, `data/benchmarks`.

    Raises:
        StageError: there are none.
    """
    return [probe_item(item) for part in read_items(benchmarks).values() for item in part]


def sample_of(items: Iterable[ProbeItem], questions: int, seed: int) -> list[ProbeItem]:
    """One item of each of at most `questions` different conversations, all by hash; a larger sample goes on from it."""

    def rank(item: ProbeItem) -> tuple[float, str]:
        return unit_interval("probe", seed, item.benchmark, item.item_id), item.item_id

    of_conversation: dict[tuple[Message, ...], ProbeItem] = {}
    for item in sorted(items, key=rank):
        of_conversation.setdefault(item.pair.prompt, item)
    return list(of_conversation.values())[:questions]


def recorded_judgments(items: Iterable[ProbeItem], judgments: Iterable[Judgment]) -> PlainJudgments:
    """The plain judgments that a judge has given before, of all items; of several in one order the first.

    Raises:
        StageError: one is about an item that is not among `items`.
    """
    known = {(item.benchmark, item.item_id): item for item in items}
    found: PlainJudgments = defaultdict(dict)
    for judgment in judgments:
        key = (judgment.benchmark, judgment.item_id)
        if key not in known:
            raise StageError(f"a judgment is about {key[0]} {key[1]!r}, which is not among the items; judge again")
        plain = ComparisonJudgment(**judgment.model_dump(include=set(ComparisonJudgment.model_fields)))
        found[key].setdefault(judgment.better, PlainJudgment(known[key], judgment.better, plain))
    return dict(found)


def read_judgments(folder: Path, items: Iterable[ProbeItem]) -> PlainJudgments:
    """The `recorded_judgments` of a model's folder, `data/judgments/<model>`; none where it holds no file."""
    files = sorted(folder.glob("*.jsonl"))
    return recorded_judgments(items, (one for file in files for one in read_records(file, Judgment)))


def judged_plainly(
    judge: Judge, items: Sequence[ProbeItem], ledger: Ledger | None, known: PlainJudgments | None = None
) -> PlainJudgments:
    """Each of `items` judged in both orders: as in `known`, which is kept whole, or else by `judge`."""
    found: PlainJudgments = defaultdict(dict, {key: dict(orders) for key, orders in (known or {}).items()})
    lacking = [(item, side) for item in items for side in Side if side not in found[item.benchmark, item.item_id]]
    judged = judge.judge([show(item.pair, side) for item, side in lacking], ledger)
    for (item, side), judgment in zip(lacking, judged, strict=True):
        found[item.benchmark, item.item_id][side] = PlainJudgment(item, side, judgment)
    return dict(found)
