"""Tables of measures: every figure with its interval, in its unit, with what it rests on; nothing named in the code."""

from pathlib import Path

import pytest

from reasrm.reporting.dot_chart import ChartDot, scale_of
from reasrm.reporting.probe_figures.measure_tables import ProbeSection, probe_sections
from reasrm.reporting.probe_figures.tested_family import MeasureKey, adjusted_p
from reasrm.reporting.source import model_views, read_all_scores
from stages.report import ReportParams
from tests.reporting.made_up_measures import PROBED, made_up_measures, measure


@pytest.fixture(scope="module")
def sections(made_up_data: Path, params: ReportParams) -> dict[str, ProbeSection]:
    """The sections of the made-up probes."""
    models = [model for model in model_views(read_all_scores(made_up_data / "scores"), params) if model.name in PROBED]
    measures = {model: made_up_measures(model) for model in PROBED}
    return {one.name: one for one in probe_sections(models, measures, adjusted_p(measures, ()), ("variants",))}


def test_probes_stand_in_the_order_of_the_suite_and_all_are_there(sections: dict[str, ProbeSection]) -> None:
    assert list(sections) == ["variants", "order", "grounding"]


def test_figures_are_in_their_unit(sections: dict[str, ProbeSection]) -> None:
    tables = {table.name: table for table in sections["variants"].tables}
    assert [tables[name].unit for name in ("moved", "net_change", "steps_until_decided")] == [
        "percent", "points", "steps"
    ]  # fmt: skip
    cells = {name: table.rows[0].cells[0] for name, table in tables.items()}
    assert cells["net_change"] is not None
    assert (cells["net_change"].value, cells["net_change"].interval) == ("-12.0", "[-17.0, -7.0]")
    assert cells["steps_until_decided"] is not None
    assert cells["steps_until_decided"].value == "3.25"
    assert tables["steps_until_decided"].factor == 1


def test_a_null_stands_beside_what_could_have_been_found(sections: dict[str, ProbeSection]) -> None:
    picked = next(table for table in sections["order"].tables if table.name == "picked_a").rows[0].cells[0]
    assert picked is not None
    assert picked.test.endswith(", from 5.0")
    assert not picked.shown
    change = next(table for table in sections["variants"].tables if table.name == "net_change").rows[0].cells[0]
    assert change is not None
    assert change.shown


def test_what_was_left_out_and_refused_is_said(sections: dict[str, ProbeSection]) -> None:
    flips = next(table for table in sections["order"].tables if table.name == "flip_rate").rows[0].cells[0]
    assert flips is not None
    assert flips.rests_on == "n 120, 4 left out"
    assert [reason for _, reason in sections["variants"].refused] == ["the judge writes no replies"]
    assert [said.split(" ")[-3:] for said in sections["variants"].not_asked] == [["7", "of", "30"]] * 3
    assert len(sections["variants"].models) == 3, "a refused judge has no column"


def test_variants_are_shown_apart_from_the_whole(sections: dict[str, ProbeSection]) -> None:
    one = sections["variants"]
    assert [table.title for table in one.whole] == ["net change", "steps until decided"]
    assert [len(table.rows) for table in one.by_variant] == [9]
    assert sum(len(table.rows) for table in (*one.whole, *one.by_variant)) == sum(len(t.rows) for t in one.tables)


def test_all_tests_are_one_family() -> None:
    measures = {model: made_up_measures(model) for model in PROBED}
    adjusted = adjusted_p(measures, ())
    assert len(adjusted) == 7, "picked_a of four models, net_change of the three that write"
    for model in ("base", "sft", "grpo-full"):
        found = adjusted[MeasureKey(model, "variants", "net_change", "")]
        assert found == pytest.approx(0.0004 * 7 / 3), "three of seven are this small"


def test_the_scale_holds_every_interval_whatever_the_unit() -> None:
    for half in (1e-4, 0.03, 40.0):
        one = measure("x", 50.0 if half > 1 else 0.5, half, unit="%" if half > 1 else "")
        scale = scale_of([ChartDot(0, one.value, one.low, one.high)], one.null)
        assert 0 < scale.place(one.low) < scale.place(one.value) < scale.place(one.high) < 100
        assert 1 <= len(scale.ticks) <= 5
