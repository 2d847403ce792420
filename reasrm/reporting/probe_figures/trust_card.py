"""The trust card of a model: a few measures in one line each, with an interval and a plain word by a stated rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting.charts import ModelView
from reasrm.reporting.display_text import NO_FIGURE, percent
from reasrm.reporting.dot_chart import ChartDot, Scale
from reasrm.reporting.probe_figures.measure_names import measure_title, variant_title
from reasrm.reporting.probe_figures.measure_text import in_words, interval_of, value_text
from reasrm.reporting.probe_figures.named_measures import (
    ACCURACY,
    TRUST_LINES,
    UNDECIDED,
    WORST,
    MeasureName,
    TrustLine,
    badness,
    find,
    variants,
)

NOT_MEASURED = "not measured"
WORST_SAID = "the worst of its variants, which is chosen by its figure, so that figure and interval lie a little high"
SHARES, DIFFERENCES = Scale(-0.08, 1.08, None), Scale(-1.16, 1.16, 0.0)
"""Every line of a card is a share or a difference of shares; with room for the marks at both ends."""
SEVERITY = {"right": 0, "unreadable": 1, "wrong": 2}
"""Of the states of a line's badge."""


@dataclass(frozen=True)
class CardLine:
    """One line of a card."""

    label: str
    word: str
    state: str
    """Of the badge: `right` on the better side of the bound, `wrong` on the worse, `unreadable` on neither."""
    figure: str
    interval: str
    what: str
    """What the figure is, where that is not the label; why it is missing, where it is."""
    dot: ChartDot | None
    scale: Scale = SHARES
    """Of the dot."""
    probe: str = ""
    """Whose section has more; empty where no section has."""


@dataclass(frozen=True)
class TrustCard:
    """What a model can be trusted with."""

    model: ModelView
    questions: int
    """In the sample that its probes asked about."""
    lines: tuple[CardLine, ...]


def trust_cards(models: Sequence[ModelView], measures: Mapping[str, ProbeMeasures]) -> tuple[TrustCard, ...]:
    """The card of each model that was probed."""
    return tuple(
        TrustCard(
            model,
            measures[model.name].questions,
            (_accuracy(model), *(_line(line, model, measures[model.name]) for line in TRUST_LINES)),
        )
        for model in models
        if model.name in measures
    )


def rules_in_words() -> tuple[tuple[str, str], ...]:
    """By label of each line the rule that gives its word."""
    return tuple((line.label, _rule(line)) for line in (ACCURACY, *TRUST_LINES))


def word(line: TrustLine, low: float, high: float) -> tuple[str, str]:
    """The word that an interval gets, and the state of its badge."""
    above, below = low > line.bound, high < line.bound
    better, worse = (above, below) if line.good is Good.HIGHER else (below, above)
    if better:
        return line.words[0], "right"
    return (line.words[1], "wrong") if worse else (UNDECIDED, "unreadable")


def _accuracy(model: ModelView) -> CardLine:
    figure = model.scores.figure
    low, high = figure.ci95 or (figure.value, figure.value)
    said, state = word(ACCURACY, low, high)
    interval = f"[{percent(low)}, {percent(high)}]"
    dot = ChartDot(model.series, figure.value, low, high)
    return CardLine(ACCURACY.label, said, state, percent(figure.value), interval, "", dot)


def _line(line: TrustLine, model: ModelView, measures: ProbeMeasures) -> CardLine:
    """Of several variants the one with the worst word counts, and of these the one with the worst figure."""
    assert line.measure is not None
    name = line.measure
    worded = [(one, *_word_beside_control(line, one, measures)) for one in variants(measures, name)]
    if not worded:
        probed = measures.probes.get(name.probe)
        refused, section = (probed.refused, name.probe) if probed else ("", "")
        return CardLine(line.label, NOT_MEASURED, "unreadable", NO_FIGURE, "", refused, None, probe=section)
    found, said, state = max(worded, key=lambda one: (SEVERITY[one[2]], badness(one[0])))
    what = measure_title(name.probe, found.name) + (f": {variant_title(found.variant)}" if found.variant else "")
    dot = ChartDot(model.series, found.value, found.low, found.high)
    scale = SHARES if found.null is None else DIFFERENCES
    return CardLine(line.label, said, state, value_text(found), interval_of(found), what, dot, scale, name.probe)


def _word_beside_control(line: TrustLine, found: Measure, measures: ProbeMeasures) -> tuple[str, str]:
    said, state = word(line, found.low, found.high)
    if line.control is not None and state == "right":
        control = find(measures, line.control)
        if control is None or control.low <= 0:
            return UNDECIDED, "unreadable"
    return said, state


def _rule(line: TrustLine) -> str:
    sides = ("above", "below") if line.good is Good.HIGHER else ("below", "above")
    bound = f"{100 * line.bound:g} {line.of}"
    measured = "accuracy over all questions" if line.measure is None else _named(line.measure)
    beside = "" if line.control is None else f" and that of {_named(line.control)} above 0"
    otherwise = f"it holds {bound}" if line.control is None else "neither is so"
    return (
        f"{line.question} Measured by {measured}. “{line.words[0]}” where the whole interval lies {sides[0]} {bound}"
        f"{beside}, “{line.words[1]}” where it lies {sides[1]} {bound}, “{UNDECIDED}” where {otherwise}."
    )


def _named(name: MeasureName) -> str:
    variant = {"": "", WORST: f", {WORST_SAID}"}.get(name.variant, f", {variant_title(name.variant)}")
    return f"{measure_title(name.probe, name.measure)} (probe {in_words(name.probe)}{variant})"
