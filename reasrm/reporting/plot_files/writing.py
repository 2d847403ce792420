"""All charts of the report as files: one folder of SVG and PDF with an index."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting.content import Content
from reasrm.reporting.plot_files.curve_plots import curve_plots
from reasrm.reporting.plot_files.paper_style import PlotFile, paper_style, save
from reasrm.reporting.plot_files.probe_plots import probe_plots
from reasrm.reporting.plot_files.score_plots import heat_map_plot, ladder_plot, slice_plot
from reasrm.runtime.outputs import new_folder, write_text

INDEX = "README.txt"
"""What each file shows, in the folder itself."""


def write_plots(content: Content, probes: Mapping[str, ProbeMeasures], out: Path) -> list[str]:
    """Write every chart as NAME.svg and NAME.pdf to the folder `out`, with the index; returns the names.

    Args:
        content: what the page shows.
        probes: `measures.json` by model; empty where no model was probed.
        out: a DVC output; whole or absent, the same bytes for the same content.
    """
    captions: dict[str, str] = {}
    with new_folder(out) as folder, paper_style():
        for plot in _plots(content, probes):
            name = _free_name(plot.name, captions)
            save(plot._replace(name=name), folder)
            captions[name] = plot.caption
        write_text(folder / INDEX, _index(captions))
    return list(captions)


def _plots(content: Content, probes: Mapping[str, ProbeMeasures]) -> Iterator[PlotFile]:
    series = {model.name: model.series for model in content.models}
    labels = content.settings.models
    yield ladder_plot(content.ladder)
    if content.slices is not None:
        yield slice_plot(content.slices)
    if content.token_budgets is not None:
        yield from curve_plots([content.token_budgets], labels, series)
    if content.heat_maps:
        yield heat_map_plot(content.heat_maps)
    yield from curve_plots(content.curve_groups, labels, series)
    yield from probe_plots(content.models, probes)


def _free_name(name: str, taken: Mapping[str, str]) -> str:
    """`name`, with a number where two runs' names come out the same as names of files."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free


def _index(captions: Mapping[str, str]) -> str:
    head = "The report's charts for a paper: each as SVG and as PDF, on white, fonts included.\n"
    return head + "".join(f"\n{name}.svg, {name}.pdf\n    {caption}\n" for name, caption in captions.items())
