"""What a probe's section begins with: one or two measures of every model, each with a word where one fits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reasrm.probes.measure import Measure
from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting.charts import ModelView
from reasrm.reporting.probe_figures.measure_names import variant_title
from reasrm.reporting.probe_figures.measure_text import interval_of, with_unit
from reasrm.reporting.probe_figures.named_measures import LEADS, TRUST_LINES, WORST, MeasureName, find
from reasrm.reporting.probe_figures.tested_family import FALSE_DISCOVERIES, MeasureKey
from reasrm.reporting.probe_figures.trust_card import word


@dataclass(frozen=True)
class AnswerFigure:
    """What a model came to."""

    model: ModelView
    figure: str
    """With its unit."""
    interval: str
    variant: str
    """Which one it is, where it is the worst of several; else empty."""
    word: str
    """By the rule of the trust cards, or whether the test shows an effect; empty where there is neither."""
    state: str
    """Of the badge."""


@dataclass(frozen=True)
class LeadingMeasure:
    """One measure of all models, with which a section begins."""

    says: str
    figures: tuple[AnswerFigure, ...]


def probe_answers(
    probe: str,
    models: Sequence[ModelView],
    measures: Mapping[str, ProbeMeasures],
    adjusted: Mapping[MeasureKey, float],
) -> Iterator[LeadingMeasure]:
    """What the section of `probe` begins with; nothing where it is not known what its answer is, or none was measured.

    Args:
        probe: its name.
        models: those that were probed.
        measures: their files.
        adjusted: the p values of the family.
    """
    for name, says in LEADS.get(probe, ()):
        found = [(model, one) for model in models if (one := find(measures[model.name], name)) is not None]
        if found:
            yield LeadingMeasure(says, tuple(_figure(model, name, one, adjusted) for model, one in found))


def _figure(model: ModelView, name: MeasureName, one: Measure, adjusted: Mapping[MeasureKey, float]) -> AnswerFigure:
    said, state = _word(name, one, adjusted.get(MeasureKey(model.name, name.probe, one.name, one.variant)))
    variant = variant_title(one.variant) if name.variant == WORST else ""
    return AnswerFigure(model, with_unit(one), interval_of(one), variant, said, state)


def _word(name: MeasureName, one: Measure, p: float | None) -> tuple[str, str]:
    line = next((line for line in TRUST_LINES if name == line.measure), None)
    if line is not None:
        return word(line, one.low, one.high)
    return ("no effect shown", "unreadable") if p is not None and p >= FALSE_DISCOVERIES else ("", "")
