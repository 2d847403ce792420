"""Quotations held against the answers as they were shown, and rubrics against their evaluation."""

import pytest

from reasrm.probes.grounding import GroundingProbe
from reasrm.probes.items import PlainJudgments
from reasrm.probes.probe_run import run_suite
from reasrm.probes.query import RECORDED, PlainJudgment, ProbeContext
from reasrm.probes.recorded.recorded_judge import item_of, written
from reasrm.records.comparison import Side
from reasrm.records.judgment_reading import GroundingReading
from reasrm.records.pair import PreferencePair
from tests.fixtures.tiny_prompts import user

CHOSEN, REJECTED = "The sky is blue today and the grass is green.", "Clouds are white as a rule."
GOOD = (
    "<rubric>Accuracy 60, style 40</rubric><eval><quote_A>{}</quote_A> accurate. <quote_B>{}</quote_B> of style.</eval>"
)


def probed(*replies: tuple[Side, str, Side]) -> tuple[dict[str, float], list[GroundingReading]]:
    """What is measured of replies, each with the side of the better answer and its verdict."""
    plain: PlainJudgments = {}
    items = []
    for place, (better, text, verdict) in enumerate(replies):
        pair = PreferencePair(prompt=user(f"question {place // 2}"), chosen=CHOSEN, rejected=REJECTED, source="s")
        items.append(item_of("made_up", str(place), pair))
        plain["made_up", str(place)] = {better: PlainJudgment(items[-1], better, written(text, verdict))}
    (result,) = run_suite(None, [GroundingProbe()], ProbeContext(items, plain, RECORDED, 200, 0), None)
    values = {"/".join(filter(None, (one.name, one.variant))): one.value for one in result.measures}
    return values, [one for one in result.readings if isinstance(one, GroundingReading)]


@pytest.mark.parametrize(
    ("text", "quotes", "strict", "untaken"),
    [
        (GOOD.format("The sky is blue", "clouds ARE white"), ("verbatim", "verbatim"), True, ()),
        (GOOD.format("The sky is … grass is green", "Clouds"), ("ellipsis", "verbatim"), True, ()),
        (GOOD.format("Clouds are white", "rain"), ("other_answer", "absent"), False, ()),
        (GOOD.replace("40", "50").format("The sky", "Clouds"), ("verbatim", "verbatim"), False, ()),
        (GOOD.replace("of style", "so").format("The sky", "Clouds"), ("verbatim", "verbatim"), False, ("style",)),
        (GOOD.replace("<quote_B>", "").replace("</quote_B>", "").format("The sky", ""), ("verbatim",), False, ()),
        ("<rubric>Care 100</rubric><eval><quote_A>sky</quote_A><quote_B>rule</quote_B></eval>",
         ("verbatim", "verbatim"), True, ()),
        ("<solution>7</solution><eval><quote_A>sky</quote_A></eval>", ("verbatim",), None, ()),
        ("<rubric>Care 100</rubric>", (), False, ()),
    ],
)  # fmt: skip
def test_each_judgment_is_flagged(
    text: str, quotes: tuple[str, ...], strict: bool | None, untaken: tuple[str, ...]
) -> None:
    _, (reading,) = probed((Side.A, text, Side.A))
    assert (reading.quotes, reading.strict, reading.untaken) == (quotes, strict, untaken)


def test_the_answers_are_held_as_they_were_shown() -> None:
    text = GOOD.format("Clouds are white", "The sky is blue")
    _, (shown, swapped) = probed((Side.B, text, Side.B), (Side.A, text, Side.B))
    assert (shown.quotes, swapped.quotes) == (("verbatim",) * 2, ("other_answer",) * 2)


def test_quotations_are_measured_by_verdict() -> None:
    """Two questions; of the first, one verdict is right and its quotations hold, the other is wrong and invents one."""
    good, bad = GOOD.format("The sky", "Clouds"), GOOD.format("The sea", "Clouds")
    values, _ = probed((Side.A, good, Side.A), (Side.A, bad, Side.B), (Side.A, good, Side.A), (Side.A, "none", Side.A))
    assert values["grounded"] == pytest.approx((3 / 4 + 1) / 2)
    assert values["absent"] == pytest.approx((1 / 4 + 0) / 2)
    assert (values["grounded/right"], values["grounded/wrong"]) == (1.0, 0.5)
    assert values["net_grounded"] == 0.5
    assert values["all_grounded"] == pytest.approx((1 / 2 + 1) / 2)
    assert values["untaken_criteria"] == 0.0
