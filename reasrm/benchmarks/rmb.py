"""RMB (arXiv 2410.09893): 17,131 pairs and 3,786 best-of-N groups in 49 categories of two goals.

A pair: `{"pair_uid", "conversation_input": [{"role", "content"}], "chosen": {"llm_name", "answer"}, "reject": {...},
"category_path": "Pairwise_set/Harmlessness/S2"}`. A group: `{"bon_uid", "conversation_input", "bon_best": {...},
"loser_list": [{...}], "category_path": "BoN_set/Harmlessness/S2"}`. Every comparison of a group is also a pair of the
pairwise set, so best-of-N costs no judgments of its own: it is a function of the pairs' verdicts.

Official rule (`eval/scripts/process_final_result.py` as RM-R1 has it): share of right pairs per goal, share of groups
whose best answer beats every loser per goal (a tie loses, so an unreadable verdict is worth 0), and the mean of these
four. Groups are known by category and uid: uids alone, or row numbers, mix groups.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from reasrm.benchmarks.benchmark import (
    Benchmark,
    BenchmarkName,
    CellTable,
    Coverage,
    JudgeKind,
    Lack,
    Metric,
    Mode,
    Outcome,
    Path,
    Rule,
    mean_of,
)
from reasrm.benchmarks.counts import Counts
from reasrm.benchmarks.outcome_rows import outcome_of
from reasrm.benchmarks.rmb_categories import CATEGORIES
from reasrm.datasets.hub import GitData, HubData
from reasrm.datasets.refused_rows import Refusal, Row, RowRefusedError
from reasrm.datasets.row_fields import (
    conversation,
    key,
    pair_of,
    place,
    present,
    prompt_group,
    shown,
    text,
    with_family,
)
from reasrm.records.benchmark_item import BenchmarkItem


class Kind(StrEnum):
    """The two kinds of rows."""

    PAIR = "pair"
    BON = "bon"


SET_OF = {Kind.PAIR: "Pairwise_set", Kind.BON: "BoN_set"}
UID_OF = {Kind.PAIR: "pair_uid", Kind.BON: "bon_uid"}
SECTIONS = {
    "Pairwise Helpfulness": "pair/Helpfulness",
    "Pairwise Harmlessness": "pair/Harmlessness",
    "BoN Helpfulness": "bon/Helpfulness",
    "BoN Harmlessness": "bon/Harmlessness",
}
"""Official section to the cells it is made of."""

BON_GROUPS, BON_COMPARISONS = sum(groups for _, groups in CATEGORIES.values()), 8714
"""Published best-of-N groups, and their losers together: how many losers each group has is nowhere listed."""


class Rmb(Benchmark):
    """The rules of RMB; a cell is a category of one kind, a unit is a pair or a group, a part is a loser."""

    name = BenchmarkName.RMB
    source: ClassVar[HubData | GitData] = GitData(
        "https://github.com/Zhou-Zoey/RMB-Reward-Model-Benchmark",
        "2be3180857f2190b7ffa929d43190835627f1f4d",
        ("RMB_dataset/Pairwise_set/**/*.json", "RMB_dataset/BoN_set/**/*.json"),
    )
    layout: ClassVar[tuple[str, ...]] = ("rmb/RMB_dataset/Pairwise_set/**/*.json", "rmb/RMB_dataset/BoN_set/**/*.json")
    sections: ClassVar[tuple[str, ...]] = tuple(SECTIONS)
    official_counts: ClassVar[Mapping[str, int]] = {
        f"{SET_OF[kind]}/{category}": counts[index]
        for index, kind in enumerate(Kind)
        for category, counts in CATEGORIES.items()
    }

    def items(self, row: Row) -> list[BenchmarkItem]:
        """The pair of a pairwise row, or one pair for each loser of a group."""
        kind, category = _kind(row)
        uid = str(key(row, UID_OF[kind]))
        prompt = conversation(present(row, "conversation_input"), "conversation_input")
        best = _answer(present(row, "chosen" if kind is Kind.PAIR else "bon_best"))
        losers = [present(row, "reject")] if kind is Kind.PAIR else _losers(row)
        return [
            BenchmarkItem(
                benchmark=self.name,
                item_id=f"{SET_OF[kind]}/{category}/{uid}" + (f"#{loser}" if kind is Kind.BON else ""),
                group=prompt_group(prompt),
                pair=pair_of(prompt, best, _answer(worse), self.name, {"category": category}),
                keys=with_family({"kind": kind.value, "category": category, "uid": uid, "loser": loser}, row),
            )
            for loser, worse in enumerate(losers)
        ]

    def subset(self, item: BenchmarkItem) -> str:
        """The row's `category_path`."""
        return f"{SET_OF[Kind(str(item.keys['kind']))]}/{item.keys['category']}"

    def row_id(self, item: BenchmarkItem) -> str:
        """Set, category and uid."""
        return f"{self.subset(item)}/{item.keys['uid']}"

    def outcome_row(self, item: BenchmarkItem) -> dict[str, Any]:
        """`{kind, category, uid, loser}`."""
        return {field: item.keys[field] for field in ("kind", "category", "uid", "loser")}

    def outcomes(self, row: Row) -> list[Outcome]:
        """Read `{kind, category, uid, loser, correct}`; `loser` (place in `loser_list`) in best-of-N rows only."""
        if row.get("kind") not in tuple(Kind):
            raise RowRefusedError(Refusal.UNKNOWN_SUBSET, f"`kind` must be pair or bon, it is {shown(row.get('kind'))}")
        kind = Kind(row["kind"])
        category = _known(text(row, "category"), kind)
        part = str(place(row, "loser")) if kind is Kind.BON else ""
        unit = f"{kind.value}/{category}/{key(row, 'uid')}"
        return [outcome_of(row, unit, f"{kind.value}/{category}", stratum=category, part=part)]

    def rule(self, mode: Mode, judge: JudgeKind, counts: Counts) -> Rule:
        """A tie loses; says if groups have other losers than the published ones, as far as that can be seen."""
        rule = super().rule(mode, judge, counts)
        groups = sum(number for (_, cell), number in counts.units.items() if cell.startswith(Kind.BON.value))
        if groups != BON_GROUPS or counts.parts == BON_COMPARISONS:
            return rule
        return rule._replace(notes=(f"best-of-N groups have {counts.parts:,} of {BON_COMPARISONS:,} published losers",))

    def lack(self, units: Mapping[str, Collection[str]]) -> Lack | None:
        """A group's losers are numbered from 0 without a gap: with one left out it is won more easily."""
        for unit, parts in units.items():
            lacking = [str(loser) for loser in range(len(parts)) if str(loser) not in parts]
            if lacking and "" not in parts:
                has = f"group {unit!r} has {len(parts)} losers but no `loser` {', '.join(lacking)}"
                return Lack(unit, f"{has}; losers count from 0: add what is missing or leave the group out")
        return None

    def coverage(self, units: Counter[tuple[str, str]]) -> dict[str, Coverage]:
        """Pairs and groups of each category."""
        names = {f"{kind.value}/{category}": f"{SET_OF[kind]}/{category}" for kind in Kind for category in CATEGORIES}
        return super().coverage(Counter({(stratum, names[cell]): n for (stratum, cell), n in units.items()}))

    def score(self, table: CellTable, mode: Mode) -> dict[Path, Metric]:
        """The four sections and their mean; every category of both kinds."""
        sections = {name: table.micro(cells) for name, prefix in SECTIONS.items() if (cells := table.where(prefix))}
        return {
            ("score",): mean_of(list(sections.values())),
            **{("sections", name): metric for name, metric in sections.items()},
            **{("categories", cell): table.micro([index]) for index, cell in enumerate(table.cells)},
        }


def _kind(row: Row) -> tuple[Kind, str]:
    """The kind and category that `category_path` names."""
    path = text(row, "category_path")
    for kind, prefix in SET_OF.items():
        if path.startswith(f"{prefix}/"):
            return kind, _known(path, kind)
    raise RowRefusedError(
        Refusal.UNKNOWN_SUBSET, f"`category_path` must begin with Pairwise_set/ or BoN_set/, it is {path!r}"
    )


def _known(category: str, kind: Kind) -> str:
    """The category without the name of its set."""
    name = category.removeprefix(f"{SET_OF[kind]}/")
    if name not in CATEGORIES:
        raise RowRefusedError(
            Refusal.UNKNOWN_SUBSET, f"RMB has no {kind.value} category {category!r}; it has {', '.join(CATEGORIES)}"
        )
    return name


def _losers(row: Row) -> list[Any]:
    losers = present(row, "loser_list")
    if not isinstance(losers, list) or not losers:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`loser_list` must hold at least one answer, it is {shown(losers)}")
    return losers


def _answer(value: Any) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("answer"), str):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"an answer must be {{llm_name, answer}}, it is {shown(value)}")
    return str(value["answer"])
