"""Judgments joined with the items they are about: what statistics need of them, without the texts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.registry import benchmark
from reasrm.benchmarks.scoring_rule import OutcomeError
from reasrm.judging.verdict import NEVER_ASKED
from reasrm.records.benchmark_folder import all_items
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.jsonl import read_records
from reasrm.records.judge_kind import JudgeKind
from reasrm.records.judgment import Judgment
from reasrm.records.reply import Finish

ORDER_OF = {Side.A: "first", Side.B: "second"}


class ItemFacts(NamedTuple):
    """What is known of an item besides its texts."""

    benchmark: str
    item_id: str
    group: str
    pair_id: str
    family: str
    """Empty where the rows name none."""
    slice: str
    """A part of the family; empty where the rows name none."""
    longer_by: int
    """Characters by which the better answer is longer; negative if it is shorter."""
    row: dict[str, Any]
    """Its outcome row, `correct` not yet in it."""


class JudgedItem(NamedTuple):
    """One judgment of an item."""

    item: ItemFacts
    better: Side
    sample: int
    """Counts judgments of the same item in the same order."""
    verdict: Side | None
    unreadable: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cut_off: bool
    """The token limit ended the reply."""
    sample_mean: float | None = None
    """Share of right ones among several replies whose majority is the verdict; None for a single reply."""

    @property
    def correct(self) -> int | None:
        """1, 0, or None without a verdict."""
        return None if self.verdict is None else int(self.verdict is self.better)


def read_items(folder: Path) -> dict[tuple[str, str], ItemFacts]:
    """The items of `data/benchmarks` by benchmark and id.

    Raises:
        OutcomeError: there are none.
    """
    items = {(item.benchmark, item.item_id): _facts(item) for item in all_items(folder)}
    if not items:
        raise OutcomeError(f"{folder} holds no benchmark; run `dvc repro collect_benchmarks`")
    return items


def read_judged_items(folder: Path, items: dict[tuple[str, str], ItemFacts]) -> list[JudgedItem]:
    """All judgments in a folder of `<benchmark>.jsonl`; every item of a benchmark must have been judged.

    Raises:
        OutcomeError: no judgments, judgments of unknown items, or items without one; says which and the way out.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise OutcomeError(f"{folder} holds no judgments (<benchmark>.jsonl); run `dvc repro judge@{folder.name}`")
    judged = [one for file in files for one in _of_file(file, items)]
    seen = {one.item[:2] for one in judged}
    missing = [key for key in items if key not in seen]
    if missing:
        raise OutcomeError(
            f"{folder}: {len(missing)} of {len(items)} items have no judgment, the first is {missing[0]}; the items "
            f"changed since: run `dvc repro judge@{folder.name}`"
        )
    return judged


def outcomes_of_judged(judged: Iterable[JudgedItem]) -> Iterator[BenchmarkOutcome]:
    """The judged items (of one benchmark) as outcomes, each with its rank as line."""
    for line, one in enumerate(judged, start=1):
        extra = {"order": ORDER_OF[one.better], "sample": one.sample, "group": one.item.group}
        row = {**one.item.row, **extra, "correct": one.correct}
        asked = one.unreadable not in NEVER_ASKED
        for outcome in benchmark(one.item.benchmark).outcomes(row):
            yield outcome._replace(asked=asked, line=line)


def judge_kind(judged: Iterable[JudgedItem]) -> JudgeKind:
    """Whether the judge wrote anything; one that never did gave scores."""
    wrote = any(one.completion_tokens is not None for one in judged)
    return JudgeKind.GENERATIVE if wrote else JudgeKind.SCALAR


def _facts(item: BenchmarkItem) -> ItemFacts:
    return ItemFacts(
        benchmark=item.benchmark,
        item_id=item.item_id,
        group=item.group,
        pair_id=item.pair.id,
        family=str(item.keys.get("family", "")),
        slice=str(item.keys.get("slice", "")),
        longer_by=len(item.pair.chosen) - len(item.pair.rejected),
        row=benchmark(item.benchmark).outcome_row(item),
    )


def _of_file(file: Path, items: dict[tuple[str, str], ItemFacts]) -> Iterator[JudgedItem]:
    ranks: Counter[tuple[str, Side]] = Counter()
    for judgment in read_records(file, Judgment):
        item = items.get((judgment.benchmark, judgment.item_id))
        if item is None:
            raise OutcomeError(
                f"{file}: judges {judgment.benchmark} {judgment.item_id!r}, which is not among the benchmarks' items; "
                f"the items changed since: run `dvc repro judge@{file.parent.name}`"
            )
        place = (judgment.item_id, judgment.better)
        cost = judgment.samples or judgment.reply
        yield JudgedItem(
            item=item,
            better=judgment.better,
            sample=ranks[place],
            verdict=judgment.verdict,
            unreadable=judgment.unreadable or (None if judgment.verdict else "unknown"),
            prompt_tokens=cost.prompt_tokens if cost else None,
            completion_tokens=cost.completion_tokens if cost else None,
            cut_off=bool(judgment.reply and judgment.reply.finish is Finish.LENGTH),
            sample_mean=_sample_mean(judgment),
        )
        ranks[place] += 1


def _sample_mean(judgment: Judgment) -> float | None:
    """The share of a judgment's replies that name the better answer."""
    if judgment.samples is None:
        return None
    right = judgment.samples.a if judgment.better is Side.A else judgment.samples.b
    return right / judgment.samples.count
