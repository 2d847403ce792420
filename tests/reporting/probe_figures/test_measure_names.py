"""Readers' names belong to measures that there are, and any other measure keeps its own."""

import re

import pytest

from reasrm.probes.registry import PROBES
from reasrm.reporting.probe_figures.measure_names import TITLES, measure_title, variant_title
from reasrm.reporting.probe_figures.named_measures import FAITHFULNESS, LEADS, STEPS, TRACES, TRUST_LINES
from reasrm.reporting.trace_browser.browser_files import OWN_TEMPLATES

DEFINED = {(name, measure) for name, probe in PROBES.items() for measure in probe.definitions}


def test_every_name_is_of_a_measure_that_there_is() -> None:
    attack = {name for name, _ in DEFINED if name in {"attacks", "prefilled_thought"}}
    for probe, titles in TITLES.items():
        known = {measure for name, measure in DEFINED if name in (attack if probe in attack else {probe})}
        assert titles.keys() <= known, probe
        assert len(set(titles.values())) == len(titles), "two measures of one name"
    named = {*FAITHFULNESS, *STEPS, *(name for line in TRUST_LINES for name in (line.measure, line.control) if name)}
    named |= {name for leads in LEADS.values() for name, _ in leads}
    assert {(name.probe, name.measure) for name in named} <= DEFINED


def test_every_probe_begins_with_an_answer() -> None:
    assert LEADS.keys() == set(PROBES)


def test_the_trace_browser_knows_every_filter_that_is_linked() -> None:
    script = (OWN_TEMPLATES / "choice.js").read_text(encoding="utf-8")
    flags = re.findall(r'^  \["(\w+)", \d, ', script, flags=re.MULTILINE)
    assert len(flags) == 3
    for probe, (shown, _) in TRACES.items():
        kind, value = shown.split("=")
        assert value in (flags if kind == "flags" else [probe]), shown


@pytest.mark.parametrize(
    ("variant", "title"),
    [
        ("", ""),
        ("world_layout", "world layout"),
        ("empty", "empty answer"),
        ("fake_completion_undefused", "fake completion, defusing off"),
        ("long_suffix_by_better", "long suffix, by the better answer"),
        ("key_thought", "master key: thought"),
    ],
)
def test_names_of_variants_come_from_those_of_the_settings(variant: str, title: str) -> None:
    assert variant_title(variant) == title


def test_a_measure_of_a_probe_of_ones_own_keeps_its_name() -> None:
    assert measure_title("mine", "flip_rate") == "flip rate"
    assert measure_title("order", "flip_rate") == "verdict flips with the order"
