"""What the page answers about cheating follows from the figures: an attack that pays is not a text that confuses."""

from dataclasses import replace
from pathlib import Path

import pytest

from reasrm.probes.measure import Good, Measure
from reasrm.reporting.probe_figures.reviewer_questions import NOT_MEASURED, ReviewerQuestion, reviewer_questions
from reasrm.reporting.probe_figures.tested_family import adjusted_p
from reasrm.reporting.run_settings import read_parameters
from reasrm.reporting.source import Folders, ReportSource, read_source
from stages.report import ReportParams
from tests.reporting.made_up_measures import made_up_measures, measure, probed


@pytest.fixture(scope="module")
def source(data_without_curves: Path, params: ReportParams) -> ReportSource:
    """The made-up run."""
    return read_source(
        Folders(*(data_without_curves / name for name in Folders._fields)), params, read_parameters(), None
    )


def about_cheating(source: ReportSource, measures: list[Measure]) -> ReviewerQuestion:
    """The answer, if GRPO alone was probed and that was measured."""
    found = made_up_measures("grpo-full").model_copy(
        update={"probes": {"attacks": probed("Attacks", "Can it be cheated?", measures)}}
    )
    one = replace(source, measures={"grpo-full": found})
    return reviewer_questions(one, {}, adjusted_p(one.measures, ()))[0]


def gain(variant: str, value: float, p: float) -> Measure:
    return measure("attacker_gain", value, 0.1, variant=variant, null=0.0, p=p, good=Good.LOWER)


EMPTY = measure("lost", 0.5, 0.1, variant="empty", good=Good.LOWER)
FORGED = measure("lost", 0.9, 0.1, variant="forged_undefused", good=Good.LOWER)


def test_confusion_is_no_bribe(source: ReportSource) -> None:
    found = about_cheating(source, [EMPTY, FORGED, gain("mild", -0.1, 0.2), gain("loud", 0.05, 0.3)])
    said = " ".join(found.answers)
    assert "of 2 attacks tried both ways none is shown to pay (at most loud, +5.0 [-5.0, +15.0] points" in " ".join(
        found.answers
    )
    assert "turns or denies at most 50.0 [40.0, 60.0] percent of the verdicts that were right (empty answer)" in said
    assert [len(table.rows) for table in found.tables] == [2, 2]


def test_an_attack_that_pays_is_named_by_its_adjusted_p(source: ReportSource) -> None:
    found = about_cheating(source, [EMPTY, gain("mild", 0.6, 0.001), gain("loud", 0.7, 0.2), gain("odd", -0.5, 0.001)])
    assert "of 3 attacks tried both ways 1 shown to pay (most mild, +60.0 [+50.0, +70.0] points" in " ".join(
        found.answers
    )
    undefused = about_cheating(source, [EMPTY, gain("mild", 0.0, 1.0), gain("mild_undefused", 0.9, 0.001)])
    assert "of 1 attack tried both ways none is shown to pay" in undefused.answers[0]


def test_what_was_not_measured_is_said(source: ReportSource) -> None:
    assert "whether an attack pays was not measured" in about_cheating(source, [EMPTY]).answers[0]
    assert about_cheating(source, []).answers[0].startswith(NOT_MEASURED)
    assert about_cheating(source, [FORGED]).answers[0].startswith(NOT_MEASURED)
    assert about_cheating(source, []).tables == ()
