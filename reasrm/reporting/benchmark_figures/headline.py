"""The figures at the top of the page and what must be known with them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from reasrm.reporting.data_funnel import Funnel
from reasrm.reporting.display_text import p_value, percent, points
from reasrm.reporting.model_scores import Figure, ModelScores, ReportedDifference
from reasrm.reporting.page_settings import PageSettings


class Card(NamedTuple):
    """One figure at the top of the page."""

    label: str
    figure: str
    unit: str
    detail: str


class DifferenceRow(NamedTuple):
    """A paired difference for readers."""

    label: str
    value: float
    ci95: tuple[float, float]
    better: int
    worse: int
    p: str
    opposed: bool
    """Whether the model with more points is better on fewer questions, so that p speaks of the opposite sign."""


def difference_rows(scores: Mapping[str, ModelScores], settings: PageSettings) -> tuple[DifferenceRow, ...]:
    """The paired differences that the settings name, as far as both models were scored."""
    rows = []
    for first, second in settings.differences:
        one = scores[first].differences.get(second) if first in scores else None
        if one is not None:
            label = f"{settings.label(first)} − {settings.label(second)}"  # noqa: RUF001  a real minus sign
            p = p_value(one.p)
            rows.append(DifferenceRow(label, one.value, one.ci95, one.better, one.worse, p, _opposed(one)))
    return tuple(rows)


def _opposed(difference: ReportedDifference) -> bool:
    return difference.value * (difference.better - difference.worse) < 0


def opposite_ranks(scores: Mapping[str, ModelScores], settings: PageSettings) -> tuple[str, ...]:
    """One sentence for each two models that accuracy and the benchmarks' average rank in opposite order."""
    found = []
    for first, second in combinations([name for name in settings.models if name in scores], 2):
        one, other = scores[first], scores[second]
        if one.average is None or other.average is None:
            continue
        if (one.accuracy - other.accuracy) * (one.average.value - other.average.value) < 0:
            accuracies = f"accuracy {percent(one.accuracy)} against {percent(other.accuracy)}"
            averages = f"average {percent(one.average.value)} against {percent(other.average.value)}"
            found.append(f"{settings.label(first)} against {settings.label(second)}: {accuracies}, {averages}.")
    return tuple(found)


def style_gains(scores: Mapping[str, ModelScores], settings: PageSettings) -> tuple[str, ...]:
    """What RM-Bench's hard, normal and easy cells gain by all of the training, and by its last stage, as sentences."""
    found = (_style_gain(scores, models, settings) for models in (settings.before_after, settings.side_by_side))
    return tuple(sentence for sentence in found if sentence)


def _style_gain(scores: Mapping[str, ModelScores], models: tuple[str, str], settings: PageSettings) -> str:
    judged = [scores[model].benchmarks.get("rm_bench") for model in models if model in scores]
    both = [one.difficulties for one in judged if one is not None]
    if len(both) < 2:
        return ""
    gains = [
        f"{level} {points(both[1][level].value - both[0][level].value)}"
        for level in ("hard", "normal", "easy")
        if level in both[0] and level in both[1]
    ]
    return f"From {settings.label(models[0])} to {settings.label(models[1])}, in points: {', '.join(gains)}."


def benchmark_note(name: str, scores: Mapping[str, ModelScores]) -> str:
    """What must be known with a benchmark's score: what unreadable verdicts are worth, the rule, what is not there."""
    found = [one.benchmarks[name] for one in scores.values() if name in one.benchmarks]
    notes = sorted({score.unreadable_rule for score in found})
    notes += sorted({note for score in found for note in score.notes})
    missing = sorted({section for score in found for section in score.sections_missing})
    if missing:
        notes.append(f"no rows of: {', '.join(missing)}")
    return "; ".join(notes)


def headline_cards(
    scores: Mapping[str, ModelScores], settings: PageSettings, differences: Sequence[DifferenceRow], funnel: Funnel
) -> tuple[Card, ...]:
    """The figures at the top: the lead model's accuracy, its gain, its flips, and how many traces were kept."""
    if settings.lead not in scores:
        return ()
    lead, before = scores[settings.lead], scores.get(settings.side_by_side[0])
    label = settings.label(settings.lead)
    cards = [Card(f"{label}: accuracy", percent(lead.accuracy), "%", _rests_on(lead.figure))]
    if differences:
        first = differences[0]
        interval = f"same items; 95 % interval {points(first.ci95[0])} to {points(first.ci95[1])}"
        cards.append(Card(first.label, points(first.value), "points", interval))
    if lead.flip_rate is not None:
        earlier = None if before is None or before.flip_rate is None else percent(before.flip_rate)
        detail = "" if earlier is None else f"{settings.label(settings.side_by_side[0])}: {earlier} %"
        cards.append(Card("pairs whose verdict flips when A and B are swapped", percent(lead.flip_rate), "%", detail))
    kept, asked = funnel.kept.total(), funnel.pairs["distill"]
    if funnel.published is not None:
        read = sum(counts.asked for counts in funnel.passes)
        cards.append(Card("published traces kept for SFT", f"{kept:,}", "", f"of {read:,} that were read"))
    else:
        cards.append(Card("oracle traces kept for SFT", f"{kept:,}", "", f"of {asked:,} pairs that were asked about"))
    return tuple(cards)


def _rests_on(figure: Figure) -> str:
    low, high = figure.ci95 or (figure.value, figure.value)
    return f"95 % interval {percent(low)} to {percent(high)}, n {figure.n:,}"
