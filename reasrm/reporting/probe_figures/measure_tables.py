"""What one probe found about all models: a table of each measure with its chart, and what was left out of it.

Generic over probes: names, titles, definitions and sources come from the files of measures.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from reasrm.probes.measure import Measure
from reasrm.probes.measures_file import ProbedBy, ProbeMeasures
from reasrm.reporting.charts import ModelView
from reasrm.reporting.display_text import p_value
from reasrm.reporting.dot_chart import ChartDot, Scale, scale_of
from reasrm.reporting.probe_figures.measure_names import measure_title, variant_title
from reasrm.reporting.probe_figures.measure_text import (
    interval_of,
    is_share,
    number_text,
    unit_text,
    value_text,
)
from reasrm.reporting.probe_figures.named_measures import TRACES
from reasrm.reporting.probe_figures.probe_answers import LeadingMeasure, probe_answers
from reasrm.reporting.probe_figures.probe_texts import ProbeSetting, other_settings, probe_settings
from reasrm.reporting.probe_figures.tested_family import FALSE_DISCOVERIES, MeasureKey


@dataclass(frozen=True)
class MeasureCell:
    """One measure of one model."""

    value: str
    interval: str
    rests_on: str
    """How many questions, and how many units were left out."""
    test: str
    """The adjusted p and the minimum detectable effect; empty where there is no null."""
    shown: bool
    """Whether the effect is one at the family's level."""


@dataclass(frozen=True)
class MeasureRow:
    """One variant of a measure, as every model has it."""

    variant: str
    """For readers; empty for the probe as a whole."""
    cells: tuple[MeasureCell | None, ...]
    """In the order of the models; None where it was not measured."""
    dots: tuple[ChartDot, ...]


@dataclass(frozen=True)
class MeasureTable:
    """One measure with all of its variants."""

    name: str
    title: str
    definition: str
    unit: str
    units: str
    """How many units it counts, of the models the fewest to the most."""
    rows: tuple[MeasureRow, ...]
    scale: Scale
    factor: int
    """By which a place on the scale is multiplied to be shown."""


@dataclass(frozen=True)
class ProbeSection:
    """One probe."""

    name: str
    title: str
    question: str
    source: str
    tables: tuple[MeasureTable, ...]
    models: tuple[ModelView, ...]
    """Those of which there is a measure: the columns."""
    refused: tuple[tuple[str, str], ...]
    """Models that could not be probed, and why."""
    not_asked: tuple[str, ...]
    """Of each model of which some queries were not asked, how many."""
    answers: tuple[LeadingMeasure, ...]
    """What the section begins with; empty where its tables are to begin."""
    settings: tuple[ProbeSetting, ...]
    """What was asked with."""
    other_settings: tuple[str, ...]
    """Models that were asked with others."""

    @property
    def traces(self) -> tuple[tuple[ModelView, str], ...]:
        """Of each model the filters of the trace browser that show what the probe found; empty where it has none."""
        shown, _ = TRACES.get(self.name, ("", ""))
        return tuple((model, f"model={quote(model.name, safe='')}&{shown}") for model in self.models if shown)

    @property
    def traced(self) -> str:
        """Which judgments `traces` are."""
        return TRACES[self.name][1] if self.name in TRACES else ""

    @property
    def whole(self) -> tuple[MeasureTable, ...]:
        """What there is about the probe as a whole; where there is nothing, the first measure with its variants."""
        rows = [(table, tuple(row for row in table.rows if not row.variant)) for table in self.tables]
        found = tuple(replace(table, rows=some) for table, some in rows if some)
        return found or self.tables[:1]

    @property
    def by_variant(self) -> tuple[MeasureTable, ...]:
        """The variants of the measures that have any, where they are not in `whole` already."""
        if all(row.variant for table in self.tables for row in table.rows):
            return self.tables[1:]
        rows = [(table, tuple(row for row in table.rows if row.variant)) for table in self.tables]
        return tuple(replace(table, rows=some) for table, some in rows if some)

    @property
    def anchor(self) -> str:
        """Of the section."""
        return f"probe-{self.name}"


def probe_sections(
    models: Sequence[ModelView],
    measures: Mapping[str, ProbeMeasures],
    adjusted: Mapping[MeasureKey, float],
    order: Iterable[str],
) -> tuple[ProbeSection, ...]:
    """A section for each probe that any model was given.

    Args:
        models: those that were probed.
        measures: their files.
        adjusted: the p values of the family (`adjusted_p`).
        order: names of probes; those that are not named come last.
    """
    names = dict.fromkeys(name for name in order if any(name in found.probes for found in measures.values()))
    names |= dict.fromkeys(name for found in measures.values() for name in found.probes)
    return tuple(_section(name, models, measures, adjusted) for name in names)


def _section(
    name: str,
    models: Sequence[ModelView],
    measures: Mapping[str, ProbeMeasures],
    adjusted: Mapping[MeasureKey, float],
) -> ProbeSection:
    probed = {model.name: measures[model.name].probes[name] for model in models if name in measures[model.name].probes}
    about = next(iter(probed.values()))
    shown = [model for model in models if model.name in probed and probed[model.name].measures]
    labels = {model.name: model.label for model in models}
    return ProbeSection(
        name=name,
        title=about.title,
        question=about.question,
        source=about.source,
        tables=tuple(_tables(name, shown, probed, adjusted)),
        models=tuple(shown),
        refused=tuple((labels[model], one.refused) for model, one in probed.items() if one.refused),
        not_asked=tuple(
            f"{labels[model]} {one.unknown_words:,} of {one.queries:,}"
            for model, one in probed.items()
            if one.unknown_words
        ),
        answers=tuple(probe_answers(name, models, measures, adjusted)),
        settings=probe_settings(probed),
        other_settings=tuple(labels[model] for model in other_settings(probed)),
    )


def _tables(
    probe: str, models: Sequence[ModelView], probed: Mapping[str, ProbedBy], adjusted: Mapping[MeasureKey, float]
) -> Iterator[MeasureTable]:
    found = {(model.name, one.name, one.variant): one for model in models for one in probed[model.name].measures}
    variants: dict[str, dict[str, None]] = {}
    for _, name, variant in found:
        variants.setdefault(name, {})[variant] = None
    for name, of_name in variants.items():
        definition = next(said[name] for model in models if name in (said := probed[model.name].definitions))
        rows = tuple(
            _row(variant, [(model, found.get((model.name, name, variant))) for model in models], probe, adjusted)
            for variant in of_name
        )
        some = [measure for (_, its, _), measure in found.items() if its == name]
        fewest, most = min(one.units for one in some), max(one.units for one in some)
        dots = [dot for row in rows for dot in row.dots]
        yield MeasureTable(
            name=name,
            title=measure_title(probe, name),
            definition=definition,
            unit=unit_text(some[0]),
            units=f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}",
            rows=rows,
            scale=scale_of(dots, some[0].null),
            factor=100 if is_share(some[0]) else 1,
        )


def _row(
    variant: str,
    measured: Sequence[tuple[ModelView, Measure | None]],
    probe: str,
    adjusted: Mapping[MeasureKey, float],
) -> MeasureRow:
    return MeasureRow(
        variant=variant_title(variant),
        cells=tuple(
            None if one is None else _cell(one, adjusted.get(MeasureKey(model.name, probe, one.name, one.variant)))
            for model, one in measured
        ),
        dots=tuple(ChartDot(model.series, one.value, one.low, one.high) for model, one in measured if one is not None),
    )


def _cell(measure: Measure, adjusted: float | None) -> MeasureCell:
    test = "" if adjusted is None else f"p {p_value(adjusted)}"
    if test and measure.detectable is not None:
        detectable = number_text(measure, measure.detectable).removeprefix("+")
        test += f", from {detectable}"
    rests_on = f"n {measure.questions:,}" + (f", {measure.left_out:,} left out" if measure.left_out else "")
    return MeasureCell(
        value=value_text(measure),
        interval=interval_of(measure),
        rests_on=rests_on,
        test=test,
        shown=adjusted is not None and adjusted < FALSE_DISCOVERIES,
    )
