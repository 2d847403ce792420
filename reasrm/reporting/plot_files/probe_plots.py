"""The probes' measures as figures: for each probe a dot chart, measure below measure, every model with its interval."""

from collections.abc import Iterator, Mapping, Sequence

from reasrm.probes.measure import Measure
from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting.charts import ModelView
from reasrm.reporting.dot_chart import ChartDot
from reasrm.reporting.plot_files.paper_style import MUTED, WIDE, PlotFile, figure_of, shown
from reasrm.reporting.plot_files.score_plots import ROW, SPREAD, draw_dot, legend_of_models, name_rows
from reasrm.reporting.probe_figures.measure_names import measure_title, variant_title


def probe_plots(models: Sequence[ModelView], measured: Mapping[str, ProbeMeasures]) -> Iterator[PlotFile]:
    """A figure for each probe that measured anything.

    Args:
        models: in the order of the ladder; those without measures are left out.
        measured: `measures.json` by model.
    """
    shown_models = [model for model in models if model.name in measured]
    names = dict.fromkeys(name for model in shown_models for name in measured[model.name].probes)
    for name in names:
        found = {
            model.name: measured[model.name].probes[name].measures
            for model in shown_models
            if name in measured[model.name].probes
        }
        judged = [model for model in shown_models if found.get(model.name)]
        if judged:
            title = next(one.probes[name].title for one in measured.values() if name in one.probes)
            yield _probe_plot(name, title, judged, found)


def _probe_plot(
    probe: str, title: str, models: Sequence[ModelView], found: Mapping[str, Sequence[Measure]]
) -> PlotFile:
    measures = list(dict.fromkeys(one.name for some in found.values() for one in some))
    variants = {
        name: list(dict.fromkeys(one.variant for some in found.values() for one in some if one.name == name))
        for name in measures
    }
    apart = max(1.0, 2 * SPREAD + SPREAD * len(models))
    heights = [0.45 + ROW * apart * len(variants[name]) for name in measures]
    drawn, plots = figure_of(WIDE, sum(heights) + 0.3, len(measures), heights)
    for name, axes in zip(measures, plots, strict=True):
        places = {variant: apart * at for at, variant in enumerate(variants[name])}
        for at, model in enumerate(models):
            offset = SPREAD * (at - (len(models) - 1) / 2)
            for one in found[model.name]:
                if one.name == name:
                    draw_dot(axes, ChartDot(model.series, one.value, one.low, one.high), places[one.variant] + offset)
        name_rows(axes, [shown(variant_title(variant)) for variant in places], list(places.values()))
        axes.set_ylim(apart * (len(places) - 0.5), -0.5 * apart)
        axes.set_title(shown(measure_title(probe, name)))
        of_this = [one for some in found.values() for one in some if one.name == name]
        axes.set_xlabel(shown(next((one.unit for one in of_this if one.unit), "")))
        for null in sorted({one.null for one in of_this if one.null is not None}):
            axes.axvline(null, color=MUTED, linewidth=0.8, linestyle=(0, (1, 1.5)))
    legend_of_models(plots[0], models, columns=4)
    caption = f"Probe {shown(title, 200)}: every measure with its 95 % interval. Dotted: no effect."
    return PlotFile(f"probe_{probe}", caption, drawn)
