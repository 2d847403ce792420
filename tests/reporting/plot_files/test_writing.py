"""The plot files: each chart as SVG and PDF, the same bytes each time, harmless whatever names are in them."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting import plot_files
from reasrm.reporting.curves import read_curves
from reasrm.reporting.plot_files.curve_tables import TABLES, write_curve_tables
from reasrm.reporting.plot_files.paper_style import COLORS, PlotFile, figure_of, paper_style, save, shown
from reasrm.reporting.plot_files.writing import INDEX, file_name, write_plots
from reasrm.reporting.run_settings import read_parameters
from reasrm.reporting.site import Site
from reasrm.runtime.yaml_files import read_yaml
from stages.report import ReportParams, report
from tests.citation.cited_runs import measured
from tests.reporting.hostile_run import HOSTILE, hostile_parameters, hostile_params

ROOT = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {f"{SVG}{tag}" for tag in ("svg", "defs", "g", "path", "use", "rect", "clipPath", "style", "metadata",
                                    "title")}  # fmt: skip


def test_the_colours_are_the_pages_on_its_light_ground() -> None:
    sheets = [path.read_text(encoding="utf-8") for path in Path(plot_files.__file__).parents[1].rglob("*.css")]
    light = next(found for sheet in sheets if (found := re.findall(r"--series-\d: (#\w{6})", sheet)))
    assert light[: len(COLORS)] == list(COLORS)


def test_a_letter_that_the_font_lacks_is_spelled_out() -> None:
    assert shown("Qwen é → 中\u202e", 60) == "Qwen é → ⟦U+4E2D⟧⟦U+202E RIGHT-TO-LEFT OVERRIDE⟧"


@given(st.text(), st.integers(0, 300))
def test_a_name_of_a_file_is_short_plain_and_stays_in_its_folder(name: str, more: int) -> None:
    assert re.fullmatch(r"[a-z0-9_-]{0,100}", file_name(name + "é/.." * more))


def with_few_curves(site: Site, probes: dict[str, ProbeMeasures]) -> Site:
    """The same with at most three charts of each group, which are drawn all alike, and with these measures."""
    groups = tuple(replace(group, charts=group.charts[:3]) for group in site.training.curve_groups)
    training = replace(site.training, curve_groups=groups)
    return replace(site, training=training, source=replace(site.source, measures=probes))


@pytest.mark.parametrize("last_bits", [1e-15, 1e-13])
def test_the_last_bits_of_a_place_change_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last_bits: float
) -> None:
    """The solver finds places that differ by so much from one process to the next."""

    def drawn(folder: str) -> dict[str, bytes]:
        (tmp_path / folder).mkdir()
        with paper_style():
            plot, axes = figure_of(3.0, 4.0, 3)
            for one in axes:
                one.plot([0.0, 1.0], [0.2, 0.7])
            save(PlotFile("places", "Three plots.", plot), tmp_path / folder)
        return {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}

    exact, find_places = drawn("exact"), Figure.draw_without_rendering

    def otherwise(plot: Figure) -> None:
        find_places(plot)
        for axes in plot.axes:
            axes.set_position(axes.get_position().translated(last_bits, -last_bits))

    monkeypatch.setattr(Figure, "draw_without_rendering", otherwise)
    assert drawn("other") == exact


@pytest.mark.slow
def test_every_chart_is_there_twice_and_the_same_bytes_each_time(
    made_up_data: Path, params: ReportParams, tmp_path: Path
) -> None:
    site = with_few_curves(report(made_up_data, params, read_parameters()), {"sft": measured(), "base": measured()})
    names = write_plots(site, tmp_path / "plots")
    charts = {chart.name for group in site.training.curve_groups for chart in group.charts}
    assert site.policy is not None
    arms = [f"policy_{panel.arm.name}" for panel in site.policy.panels]
    assert len(names) == len(charts) + len(("models", "slices", "budgets", "cells", "probe")) + len(arms)
    assert {
        "accuracy_by_model",
        *(file_name(arm) for arm in arms),
        "training_grpo_dev_accuracy",
        "training_base_loss",
        "probe_order",
    } <= set(names)
    files = {path.name: path.read_bytes() for path in (tmp_path / "plots").iterdir()}
    assert set(files) == {INDEX, *(f"{name}.{ending}" for name in names for ending in ("svg", "pdf"))}
    for name in names:
        assert b"/FontFile2" in files[f"{name}.pdf"], "the font is in it"
        assert b"CreationDate" not in files[f"{name}.pdf"]
        assert b"<text" not in files[f"{name}.svg"], "letters are outlines"
        assert f"\n{name}.svg, {name}.pdf\n" in files[INDEX].decode()
    write_plots(site, tmp_path / "again")
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == files


@pytest.mark.slow
def test_hostile_names_stay_within_the_folder_and_out_of_the_markup(hostile_data: Path, tmp_path: Path) -> None:
    site = report(hostile_data, hostile_params(), hostile_parameters())
    site = with_few_curves(site, {site.source.models[0].name: measured(HOSTILE)})
    names = write_plots(site, tmp_path / "plots")
    for name in names:
        assert re.fullmatch(r"[a-z0-9_-]{1,120}", name), name
        tree = ET.fromstring((tmp_path / "plots" / f"{name}.svg").read_text(encoding="utf-8"))
        assert {one.tag for one in tree.iter() if one.tag.startswith(SVG)} <= SHAPES
        assert not [key for one in tree.iter() for key in one.attrib if key.startswith("on")]
    assert "\x1b" not in (tmp_path / "plots" / INDEX).read_text(encoding="utf-8")


def test_the_tables_of_curves_name_run_and_step(made_up_data: Path, tmp_path: Path) -> None:
    curves = read_curves(made_up_data / "curves")
    write_curve_tables(curves, tmp_path / "curves")
    for table, metric in (("loss", "loss"), ("reward", "reward"), ("dev_accuracy", "dev/accuracy")):
        header, *rows = (tmp_path / f"curves/{table}.tsv").read_text(encoding="utf-8").splitlines()
        assert header.split("\t") == ["run", "step", table]
        cells = [row.split("\t") for row in rows]
        written = {(run, float(step)): float(value) for run, step, value in cells}
        assert written == {
            (curve.run, step): value
            for curve in curves
            if curve.metric == metric
            for step, value in zip(curve.steps, curve.values, strict=True)
        }


def test_dvc_draws_each_table_by_a_template_that_is_there() -> None:
    drawn = {file: plot for entry in read_yaml(ROOT / "dvc.yaml")["plots"] for file, plot in entry.items()}
    assert set(drawn) == {f"data/report/curves/{table}.tsv" for table in (*TABLES, "accuracy")}
    for file, plot in drawn.items():
        name = Path(file).stem
        assert (plot["x"], plot["y"]) == (("accuracy", "model") if name == "accuracy" else ("step", name))
        assert "<DVC_METRIC_DATA>" in (ROOT / f".dvc/plots/{plot['template']}.json").read_text(encoding="utf-8")
