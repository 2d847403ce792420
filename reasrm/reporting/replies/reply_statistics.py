"""Statistics of judges' replies: length, quotations that can be found, what rubrics ask for, calibration of verdicts.

All are read from the replies by rule, without another judge. A rubric's weights are the numbers that follow its
criteria; they are summed over replies as shares of each rubric's own total, so 40 of 100 and 2 of 5 count alike.
"""

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reasrm.judging.trace_structure import read_structure
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import show
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import Judgment
from reasrm.reporting.replies.trace_view import quote_kind

_CRITERION = re.compile(
    r"(?P<name>[^\W\d_][^\n:;,()\d|*]{0,58}?)[\s*]*+(?:[:(=|–—-]++[\s*]*+)?+(?P<weight>\d{1,3})"  # noqa: RUF001
)
"""A name and the number behind it. Possessive, so that no run of blanks makes it slow."""


CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Whether verdicts are right as often as the judge's own probability of their letter says."""

    n: int
    """Readable verdicts with a probability."""
    probability: float
    """Mean probability of the verdict's letter, after all that the judge wrote before it."""
    right: float
    """Share of right verdicts among them."""
    error: float
    """Expected calibration error: mean distance of the two within ten bins of probability, weighted by n."""


@dataclass
class ReplyStatistics:
    """Counts over the replies of one model."""

    replies: int = 0
    tokens: int = 0
    """Of all replies."""
    quotes: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    """Quotations by where they were found (`SegmentKind`)."""
    rubrics: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    """Sum over rubrics of the criterion's share of the rubric's weight."""
    confidences: list[tuple[float, bool]] = field(default_factory=list)
    """Of each readable verdict its probability, and whether it is right."""

    @property
    def calibration(self) -> Calibration | None:
        """None where no verdict has a probability."""
        n = len(self.confidences)
        if not n:
            return None
        bins: dict[int, list[float]] = {}
        for probability, right in self.confidences:
            at = min(int(CALIBRATION_BINS * probability), CALIBRATION_BINS - 1)
            bins.setdefault(at, []).append(probability - right)
        return Calibration(
            n=n,
            probability=sum(probability for probability, _ in self.confidences) / n,
            right=sum(right for _, right in self.confidences) / n,
            error=sum(abs(sum(gaps)) for gaps in bins.values()) / n,
        )

    @property
    def mean_tokens(self) -> float | None:
        """Mean length of a reply; None if there is none."""
        return self.tokens / self.replies if self.replies else None

    def share(self, kind: str) -> float | None:
        """The share of quotations of this kind; None if nothing was quoted."""
        return self.by_kind[kind] / self.quotes if self.quotes else None

    def top_criteria(self, count: int) -> list[tuple[str, float]]:
        """The criteria with most weight and their mean share of it over all rubrics."""
        ranked = sorted(self.weights.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(name, weight / self.rubrics) for name, weight in ranked[:count]]


def criterion_shares(rubric: str) -> dict[str, float]:
    """The criteria of a rubric (without its justification) with their shares of its weight; empty without weights."""
    weights: dict[str, float] = {}
    for match in _CRITERION.finditer(rubric):
        name = " ".join(match["name"].split()).casefold()
        weights[name] = weights.get(name, 0.0) + float(match["weight"])
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()} if total else {}


def sampled_judgments(folder: Path, count: int) -> list[Judgment]:
    """At most `count` judgments with a text below `folder` (one model's), chosen by the hash of item and order."""
    judgments = (row for file in sorted(folder.glob("*.jsonl")) for row in read_records(file, Judgment))
    ranked = (
        (unit_interval("reply statistics", j.benchmark, j.item_id, j.better.value), j) for j in judgments if _text(j)
    )
    return [judgment for _, judgment in heapq.nsmallest(count, ranked, key=lambda pair: pair[0])]


def count_replies(judgments: Iterable[Judgment], items: Mapping[tuple[str, str], BenchmarkItem]) -> ReplyStatistics:
    """Count quotations and rubrics; a judgment whose item is not given is left out."""
    statistics = ReplyStatistics()
    for judgment in judgments:
        item = items.get((judgment.benchmark, judgment.item_id))
        if item is None or judgment.reply is None:
            continue
        shown = show(item.pair, judgment.better)
        statistics.replies += 1
        statistics.tokens += judgment.reply.completion_tokens
        if judgment.reply.verdict_logprob is not None and judgment.correct is not None:
            statistics.confidences.append((math.exp(judgment.reply.verdict_logprob), judgment.correct))
        structure = read_structure(judgment.reply.text)
        for quote in structure.quotes:
            statistics.quotes += 1
            statistics.by_kind[quote_kind(quote, shown.response_a, shown.response_b).value] += 1
        shares = criterion_shares(structure.rubric or "")
        statistics.rubrics += bool(shares)
        for name, share in shares.items():
            statistics.weights[name] = statistics.weights.get(name, 0.0) + share
    return statistics


def _text(judgment: Judgment) -> bool:
    return judgment.reply is not None and bool(judgment.reply.text.strip())
