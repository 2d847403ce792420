"""All charts of the report as files: one folder of SVG and PDF with an index."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from reasrm.reporting.plot_files.curve_plots import curve_plots
from reasrm.reporting.plot_files.paper_style import PlotFile, paper_style, save
from reasrm.reporting.plot_files.probe_plots import probe_plots
from reasrm.reporting.plot_files.score_plots import heat_map_plot, ladder_plot, slice_plot
from reasrm.reporting.policy_figures.policy_plot import kl_plot_files
from reasrm.reporting.site import Site
from reasrm.runtime.outputs import new_folder, write_text

INDEX = "README.txt"
"""What each file shows, in the folder itself."""
LONGEST = 100
"""Characters of a file's name before its number and ending; file systems take 255 bytes."""


def write_plots(site: Site, out: Path) -> list[str]:
    """Write every chart as NAME.svg and NAME.pdf to the folder `out`, with the index; returns the names.

    Args:
        site: what the pages show.
        out: a DVC output; whole or absent, the same bytes for the same content.
    """
    captions: dict[str, str] = {}
    with new_folder(out) as folder, paper_style():
        for plot in _plots(site):
            name = _free_name(file_name(plot.name), captions)
            save(plot._replace(name=name), folder)
            captions[name] = plot.caption
        write_text(folder / INDEX, _index(captions))
    return list(captions)


def _plots(site: Site) -> Iterator[PlotFile]:
    source, benchmarks = site.source, site.benchmarks
    series = {model.name: model.series for model in source.models}
    labels = source.settings.models
    yield ladder_plot(site.overview.ladder)
    if benchmarks.slices is not None:
        yield slice_plot(benchmarks.slices)
    if benchmarks.token_budgets is not None:
        yield from curve_plots([benchmarks.token_budgets], labels, series)
    if benchmarks.heat_maps:
        yield heat_map_plot(benchmarks.heat_maps)
    yield from curve_plots(site.training.curve_groups, labels, series)
    yield from probe_plots(source.models, source.measures)
    if site.policy is not None:
        yield from kl_plot_files(site.policy.panels)


def file_name(name: str) -> str:
    """A chart's name as that of its files: `training_RUN_METRIC`, `token_budgets`; a long one is cut."""
    return re.sub(r"[^A-Za-z0-9-]+", "_", name)[:LONGEST].strip("_").lower()


def _free_name(name: str, taken: Mapping[str, str]) -> str:
    """`name`, with a number where two runs' names come out the same as names of files."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free


def _index(captions: Mapping[str, str]) -> str:
    head = "The report's charts for a paper: each as SVG and as PDF, on white, fonts included.\n"
    return head + "".join(f"\n{name}.svg, {name}.pdf\n    {caption}\n" for name, caption in captions.items())
