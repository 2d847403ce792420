"""How a judge behaves besides being right: orders, sides, lengths, unreadable replies, cost.

Definitions stand in `DEFINITIONS` and go into every score file.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from reasrm.records.comparison import Side
from reasrm.scoring.intervals import Estimate, Share, difference_interval
from reasrm.scoring.judged_items import Ruling
from reasrm.scoring.question_means import bootstrap_gaps, question_mean

DEFINITIONS = {
    "accuracy": "share of right verdicts; an unreadable one counts 0. Each question counts once: the mean over its "
    "different pairs of the mean over orders and samples. n is the number of questions.",
    "ci95": "95 % interval: Wilson where every question is simply right or wrong, else percentiles of a bootstrap over "
    "questions, else (all questions alike) Wilson with n = questions.",
    "average": "mean of the benchmarks' official scores named in `headline`; its interval treats them as independent.",
    "flip_rate": "share of different pairs whose outcome changes when the order of the answers is changed; pairs with "
    "a readable verdict in both orders (flip_n); null if only one order was judged.",
    "both_orders_right": "share of different pairs judged in both orders that are right in both (unreadable is not).",
    "picked_a": "share of readable verdicts that name A. The better answer is A in `better_is_a` of them.",
    "longer": "accuracy where the better answer has more characters; `shorter` where it has fewer.",
    "length_gap": "`longer` minus `shorter`; 0 for a judge that does not mind length. Interval by a bootstrap over "
    "questions; one with pairs of both kinds is drawn for both.",
    "samples": "where several replies per prompt were drawn: the mean share of right ones, each question "
    "counting once; `accuracy` is that of their majority, where a tie counts 0.",
    "per_1000": "tokens that 1,000 judgments read and write, all samples included, and dollars at the prices in "
    "`score.prices`; null without a price.",
    "token_budgets": "the same replies ended at so many tokens and made to decide there.",
    "unreadable": "judgments without a verdict, by cause; what they are worth is said with each score.",
    "tokens": "completion tokens per judgment.",
    "differences": "this model's accuracy minus the other's on the same questions, interval by a paired bootstrap over "
    "questions; `p` is the exact McNemar (sign) test over questions.",
}


def behaviour(rulings: list[Ruling], resamples: int, seed: int) -> dict[str, Any]:
    """The statistics of a set of rulings, as they stand in a score file."""
    by_pair: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        by_pair[ruling.item.pair_id].append(ruling)

    def accuracy(wanted: Callable[[Ruling], bool]) -> dict[str, Any] | None:
        mean = accuracy_of((ruling for ruling in rulings if wanted(ruling)), resamples, seed)
        return mean.as_json("accuracy") if mean else None

    readable = [ruling for ruling in rulings if ruling.verdict is not None]
    return {
        "judged": len(rulings),
        "pairs": len(by_pair),
        "unreadable_rate": 1 - len(readable) / len(rulings),
        "unreadable": dict(sorted(Counter(str(r.unreadable) for r in rulings if r.verdict is None).items())),
        "picked_a": _share(ruling.verdict is Side.A for ruling in readable),
        "better_is_a": _share(ruling.better is Side.A for ruling in readable),
        "better_shown_first": accuracy(lambda ruling: ruling.better is Side.A),
        "better_shown_second": accuracy(lambda ruling: ruling.better is Side.B),
        "longer": accuracy(lambda ruling: ruling.item.longer_by > 0),
        "shorter": accuracy(lambda ruling: ruling.item.longer_by < 0),
        "length_gap": length_gap(rulings, resamples, seed),
        "samples": _samples(rulings, resamples, seed),
        **_orders(by_pair.values()),
        "tokens": _tokens(rulings),
    }


def question_values(rulings: Iterable[Ruling]) -> dict[str, float]:
    """The accuracy of each question (group): mean over different pairs of the mean over their judgments."""
    judged: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for ruling in rulings:
        judged[ruling.item.group][ruling.item.pair_id].append(ruling.correct or 0)
    return {group: _mean(_mean(values) for values in pairs.values()) for group, pairs in judged.items()}


def length_gap(rulings: list[Ruling], resamples: int, seed: int) -> dict[str, Any] | None:
    """How much more accurate a judge is where the better answer is the longer one; None without both kinds."""
    longer = question_values(ruling for ruling in rulings if ruling.item.longer_by > 0)
    shorter = question_values(ruling for ruling in rulings if ruling.item.longer_by < 0)
    if not longer or not shorter:
        return None
    one, other = Share(_mean(longer.values()), len(longer)), Share(_mean(shorter.values()), len(shorter))
    low, high = difference_interval(bootstrap_gaps(longer, shorter, resamples, seed), one, other)
    return {"value": one.value - other.value, "ci95": [low, high], "n": [one.n, other.n]}


def per_thousand(rulings: list[Ruling], price: tuple[float, float] | None) -> dict[str, float | None] | None:
    """What 1,000 judgments cost at `price`, dollars per million tokens read and written; None for judges that score."""
    asked = [ruling for ruling in rulings if ruling.completion_tokens is not None]
    if not asked:
        return None
    read = 1000 * _mean(ruling.prompt_tokens or 0 for ruling in asked)
    written = 1000 * _mean(ruling.completion_tokens or 0 for ruling in asked)
    dollars = None if price is None else (read * price[0] + written * price[1]) / 1e6
    return {"prompt_tokens": read, "completion_tokens": written, "dollars": dollars}


def accuracy_of(rulings: Iterable[Ruling], resamples: int, seed: int) -> Estimate | None:
    """The accuracy over questions, or None without rulings."""
    values = list(question_values(rulings).values())
    return question_mean(values, resamples, seed) if values else None


def families(rulings: Iterable[Ruling], resamples: int, seed: int) -> dict[str, dict[str, Any]]:
    """The accuracy of each family of questions, where the rows name families."""
    parts: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        if ruling.item.family:
            parts[ruling.item.family].append(ruling)
    return {
        name: mean.as_json("accuracy") for name in sorted(parts) if (mean := accuracy_of(parts[name], resamples, seed))
    }


def _samples(rulings: list[Ruling], resamples: int, seed: int) -> dict[str, Any] | None:
    """The mean over several replies, where there are several."""
    judged: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for ruling in rulings:
        if ruling.sample_mean is not None:
            judged[ruling.item.group][ruling.item.pair_id].append(ruling.sample_mean)
    values = [_mean(_mean(shares) for shares in pairs.values()) for pairs in judged.values()]
    return question_mean(values, resamples, seed).as_json("accuracy") if values else None


def _orders(pairs: Iterable[list[Ruling]]) -> dict[str, Any]:
    """Consistency over the orders: the n-th judgment in one order against the n-th in the other."""
    flips, right = [], []
    for rulings in pairs:
        first = [ruling.correct for ruling in rulings if ruling.better is Side.A]
        second = [ruling.correct for ruling in rulings if ruling.better is Side.B]
        both = list(zip(first, second, strict=False))
        if not both:
            continue
        right.append(sum(one == other == 1 for one, other in both) / len(both))
        readable = [one != other for one, other in both if one is not None and other is not None]
        if readable:
            flips.append(sum(readable) / len(readable))
    return {
        "flip_rate": sum(flips) / len(flips) if flips else None,
        "flip_n": len(flips),
        "both_orders_right": sum(right) / len(right) if right else None,
    }


def _tokens(rulings: Iterable[Ruling]) -> dict[str, float] | None:
    replies = [ruling for ruling in rulings if ruling.completion_tokens is not None]
    if not replies:
        return None
    written = np.array([ruling.completion_tokens for ruling in replies], dtype=float)
    return {
        "mean": float(written.mean()),
        "p50": float(np.percentile(written, 50)),
        "p95": float(np.percentile(written, 95)),
        "prompt_mean": float(np.mean([float(ruling.prompt_tokens or 0) for ruling in replies])),
        "cut_off_rate": sum(ruling.cut_off for ruling in replies) / len(replies),
    }


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def _share(flags: Iterable[bool]) -> float | None:
    values = list(flags)
    return sum(values) / len(values) if values else None
