"""How a judge behaves besides being right: orders, sides, lengths, unreadable replies, cost.

Definitions stand in `DEFINITIONS` and go into every score file.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from reasrm.records.comparison import Side
from reasrm.scoring.bootstrap import bootstrap_gaps, bootstrap_means
from reasrm.scoring.intervals import ScoreEstimate, Share, difference_interval, share_estimate
from reasrm.scoring.judged_items import JudgedItem

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
    "families": "accuracy by family of questions, `slices` by parts of families, where the rows name any.",
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


def behaviour(judged: list[JudgedItem], resamples: int, seed: int) -> dict[str, Any]:
    """The statistics of some judgments, as they stand in a score file."""
    by_pair: dict[str, list[JudgedItem]] = defaultdict(list)
    for one in judged:
        by_pair[one.item.pair_id].append(one)

    def accuracy(wanted: Callable[[JudgedItem], bool]) -> dict[str, Any] | None:
        mean = accuracy_of((one for one in judged if wanted(one)), resamples, seed)
        return mean.as_json("accuracy") if mean else None

    readable = [one for one in judged if one.verdict is not None]
    return {
        "judged": len(judged),
        "pairs": len(by_pair),
        "unreadable_rate": 1 - len(readable) / len(judged),
        "unreadable": dict(sorted(Counter(str(one.unreadable) for one in judged if one.verdict is None).items())),
        "picked_a": _share(one.verdict is Side.A for one in readable),
        "better_is_a": _share(one.better is Side.A for one in readable),
        "better_shown_first": accuracy(lambda one: one.better is Side.A),
        "better_shown_second": accuracy(lambda one: one.better is Side.B),
        "longer": accuracy(lambda one: one.item.longer_by > 0),
        "shorter": accuracy(lambda one: one.item.longer_by < 0),
        "length_gap": length_gap(judged, resamples, seed),
        "samples": _samples(judged, resamples, seed),
        **_orders(by_pair.values()),
        "tokens": _tokens(judged),
    }


def question_values(judged: Iterable[JudgedItem]) -> dict[str, float]:
    """The accuracy of each question (group): mean over different pairs of the mean over their judgments."""
    by_question: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one in judged:
        by_question[one.item.group][one.item.pair_id].append(one.correct or 0)
    return {group: _mean(_mean(values) for values in pairs.values()) for group, pairs in by_question.items()}


def length_gap(judged: list[JudgedItem], resamples: int, seed: int) -> dict[str, Any] | None:
    """How much more accurate a judge is where the better answer is the longer one; None without both kinds."""
    longer = question_values(one for one in judged if one.item.longer_by > 0)
    shorter = question_values(one for one in judged if one.item.longer_by < 0)
    if not longer or not shorter:
        return None
    one, other = Share(_mean(longer.values()), len(longer)), Share(_mean(shorter.values()), len(shorter))
    low, high = difference_interval(bootstrap_gaps(longer, shorter, resamples, seed), one, other)
    return {"value": one.value - other.value, "ci95": [low, high], "n": [one.n, other.n]}


def per_thousand(judged: list[JudgedItem], price: tuple[float, float] | None) -> dict[str, float | None] | None:
    """What 1,000 judgments cost at `price`, dollars per million tokens read and written; None for judges that score."""
    asked = [one for one in judged if one.completion_tokens is not None]
    if not asked:
        return None
    read = 1000 * _mean(one.prompt_tokens or 0 for one in asked)
    written = 1000 * _mean(one.completion_tokens or 0 for one in asked)
    dollars = None if price is None else (read * price[0] + written * price[1]) / 1e6
    return {"prompt_tokens": read, "completion_tokens": written, "dollars": dollars}


def question_mean(values: Sequence[float], resamples: int, seed: int) -> ScoreEstimate:
    """The mean of one value in [0, 1] per question: Wilson if all are 0 or 1, else a bootstrap over questions."""
    return share_estimate(
        float(np.mean(values)),
        units=len(values),
        groups=len(values),
        simple=all(value in (0.0, 1.0) for value in values),
        samples=lambda: bootstrap_means(np.asarray(values, dtype=float), resamples, seed),
    )


def accuracy_of(judged: Iterable[JudgedItem], resamples: int, seed: int) -> ScoreEstimate | None:
    """The accuracy over questions, or None without judgments."""
    values = list(question_values(judged).values())
    return question_mean(values, resamples, seed) if values else None


def parts(
    judged: Iterable[JudgedItem], part_of: Callable[[JudgedItem], str], resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """The accuracy of each part of the questions (families, slices), where the rows name any."""
    found: dict[str, list[JudgedItem]] = defaultdict(list)
    for one in judged:
        if name := part_of(one):
            found[name].append(one)
    return {
        name: mean.as_json("accuracy") for name in sorted(found) if (mean := accuracy_of(found[name], resamples, seed))
    }


def _samples(judged: list[JudgedItem], resamples: int, seed: int) -> dict[str, Any] | None:
    """The mean over several replies, where there are several."""
    by_question: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in judged:
        if one.sample_mean is not None:
            by_question[one.item.group][one.item.pair_id].append(one.sample_mean)
    values = [_mean(_mean(shares) for shares in pairs.values()) for pairs in by_question.values()]
    return question_mean(values, resamples, seed).as_json("accuracy") if values else None


def _orders(pairs: Iterable[list[JudgedItem]]) -> dict[str, Any]:
    """Consistency over the orders: the n-th judgment in one order against the n-th in the other."""
    flips, right = [], []
    for judged in pairs:
        first = [one.correct for one in judged if one.better is Side.A]
        second = [one.correct for one in judged if one.better is Side.B]
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


def _tokens(judged: Iterable[JudgedItem]) -> dict[str, float] | None:
    replies = [one for one in judged if one.completion_tokens is not None]
    if not replies:
        return None
    written = np.array([one.completion_tokens for one in replies], dtype=float)
    return {
        "mean": float(written.mean()),
        "p50": float(np.percentile(written, 50)),
        "p95": float(np.percentile(written, 95)),
        "prompt_mean": float(np.mean([float(one.prompt_tokens or 0) for one in replies])),
        "cut_off_rate": sum(one.cut_off for one in replies) / len(replies),
    }


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def _share(flags: Iterable[bool]) -> float | None:
    values = list(flags)
    return sum(values) / len(values) if values else None
