"""The figures at the top of the page and what must be known with them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reasrm.reporting.data_funnel import Funnel
from reasrm.reporting.model_scores import ModelScores
from reasrm.reporting.wording import Wording


class Card(NamedTuple):
    """One figure at the top of the page."""

    label: str
    figure: str
    unit: str
    detail: str


class DifferenceView(NamedTuple):
    """A paired difference in words."""

    label: str
    value: float
    ci95: tuple[float, float]
    better: int
    worse: int
    p: str


def differences_in_words(scores: Mapping[str, ModelScores], wording: Wording) -> tuple[DifferenceView, ...]:
    """The paired differences that the wording names, as far as both models were scored."""
    views = []
    for first, second in wording.differences:
        one = scores[first].differences.get(second) if first in scores else None
        if one is not None:
            label = f"{wording.label(first)} − {wording.label(second)}"  # noqa: RUF001  a real minus sign
            views.append(DifferenceView(label, one.value, one.ci95, one.better, one.worse, _p(one.p)))
    return tuple(views)


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}"


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
    scores: Mapping[str, ModelScores], wording: Wording, differences: Sequence[DifferenceView], funnel: Funnel
) -> tuple[Card, ...]:
    """The figures at the top: the lead model's accuracy, its gain, its flips, and how much it learnt from."""
    if wording.lead not in scores:
        return ()
    lead, before = scores[wording.lead], scores.get(wording.side_by_side[0])
    low, high = lead.ci95
    accuracy = f"95 % interval {_percent(low)} to {_percent(high)}, n {lead.n:,}"
    cards = [Card(f"{wording.label(wording.lead)}: accuracy", _percent(lead.accuracy), "%", accuracy)]
    if differences:
        first = differences[0]
        interval = f"same items; 95 % interval {100 * first.ci95[0]:+.1f} to {100 * first.ci95[1]:+.1f}"
        cards.append(Card(first.label, f"{100 * first.value:+.1f}", "points", interval))
    if lead.flip_rate is not None:
        earlier = None if before is None or before.flip_rate is None else _percent(before.flip_rate)
        detail = "" if earlier is None else f"{wording.label(wording.side_by_side[0])}: {earlier} %"
        cards.append(Card("verdicts that flip when A and B are swapped", _percent(lead.flip_rate), "%", detail))
    kept, asked = funnel.kept.total(), funnel.pairs["distill"]
    cards.append(Card("oracle traces learnt from", f"{kept:,}", "", f"of {asked:,} pairs that were asked about"))
    return tuple(cards)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
