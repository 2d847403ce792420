"""The one pair that the page opens with: judged wrongly before training, rightly after it, by a rule.

Of the items that the later model gets right in every order, the pair is one where the earlier model's reply names the
worse answer by criteria that the question does not name, and the later model's works the question out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval
from reasrm.reporting.replies.examples import ComparedItem, Contrast, compared_items, contrast, correct_items
from reasrm.reporting.replies.verdict_basis import BasisKind, verdict_basis

RULE = (
    "Chosen by rule: of the {improved:,} items that {after} gets right in every order that was asked and {before} does "
    "not, the shortest of the {fitting:,} where {before} weighs criteria that the question does not name, takes the "
    "longer answer for the better one, and {after} works the question out."
)
RULE_WITHOUT_BASIS = (
    "Chosen by rule: of the {improved:,} items that {after} gets right in every order that was asked and {before} does "
    "not, the shortest."
)
"""Where no reply is as `RULE` wants it."""


@dataclass(frozen=True)
class BeforeAfter:
    """One item in one order, judged wrongly by the earlier model and rightly by the later one."""

    compared: ComparedItem
    better: Side
    """The order: where the better answer is shown."""
    fits: bool
    """Whether both replies are as the rule wants them."""


@dataclass(frozen=True)
class ChosenPair:
    """What the page opens with, and out of how many."""

    pair: BeforeAfter
    improved: int
    """Items that the later model gets right in every order, and the earlier one does not."""
    fitting: int
    """Those among them that fit the rule in one order or both."""


def before_after_pair(judgments: Path, benchmarks: Path, models: tuple[str, str]) -> ChosenPair | None:
    """The pair for two `models`, the earlier first; None where the later one improved nothing that both wrote about.

    Args:
        judgments: folder with one subfolder per model.
        benchmarks: folder with one file of items per benchmark.
        models: names of the two models.
    """
    before, after = (correct_items(judgments / model) for model in models)
    kinds = {key: contrast(before[key], after[key]) for key in sorted(before.keys() & after.keys())}
    wanted = {key: kind for key, kind in kinds.items() if kind is Contrast.ONLY_SECOND}
    return choose_pair(compared_items(judgments, benchmarks, models, wanted).values())


def choose_pair(improved: Iterable[ComparedItem]) -> ChosenPair | None:
    """The shortest item, with its two replies, that fits the rule; where none does, the shortest of all.

    Items of equal length are ordered by hash; of the two orders the one with the shorter replies counts.

    Args:
        improved: items that the later model judges rightly in every order, and the earlier one does not.
    """
    items = list(improved)
    found = [one for compared in items for one in _wrong_orders(compared)]
    if not found:
        return None
    fitting = {(one.compared.item.benchmark, one.compared.item.item_id) for one in found if one.fits}
    return ChosenPair(min(found, key=_rank), len(items), len(fitting))


def _wrong_orders(compared: ComparedItem) -> Iterator[BeforeAfter]:
    """The orders in which the earlier model, in writing, names the worse answer."""
    pair = compared.item.pair
    for side in Side:
        first, second = compared.first.get(side), compared.second.get(side)
        if first is None or second is None or first.correct is not False or not first.reply or not second.reply:
            continue
        before, after = (verdict_basis(reply.text, pair.question).kind for reply in (first.reply, second.reply))
        took_longer = len(pair.rejected) > len(pair.chosen)
        yield BeforeAfter(compared, side, fits=before is BasisKind.OWN and took_longer and after.is_worked_out)


def _rank(one: BeforeAfter) -> tuple[bool, int, float, Side]:
    texts = (orders[one.better].reply for orders in (one.compared.first, one.compared.second))
    length = one.compared.characters + sum(len(reply.text) for reply in texts if reply is not None)
    item = one.compared.item
    return not one.fits, length, unit_interval("before and after", item.benchmark, item.item_id), one.better
