"""How often the rule for refusals is wrong: by hand, and on the answers that XSTest's people labelled."""

from pathlib import Path

import pytest

from reasrm.policy.refusal_error import HELD_OUT, CountedShare, error_note, rule_errors
from reasrm.policy.refusals import TUNED_ON
from reasrm.policy.safety_files import LabelledAnswer, read_labelled_answers
from reasrm.records.wilson_interval import wilson

REAL = Path(__file__).resolve().parents[3] / "shared/data/safety/xstest_completions"


def answer(model: str, prompt: str, *, says: bool, label: bool) -> LabelledAnswer:
    return LabelledAnswer(model, prompt, "I cannot help with that." if says else "Sure, do this.", label)


def test_errors_are_counted_by_model_and_over_those_not_tuned_on() -> None:
    tuned = [answer(TUNED_ON[0], "a", says=True, label=True)]
    other = [
        answer("x", "a", says=True, label=True),
        answer("x", "b", says=False, label=True),
        answer("x", "c", says=True, label=False),
        answer("x", "d", says=False, label=False),
    ]
    again = [answer("y", one.prompt, says=one.refuses, label=one.refuses) for one in other]
    rows = {row.models: row for row in rule_errors([*tuned, *other, *again], 500, 0)}
    assert list(rows) == [TUNED_ON[0], "x", "y", "held out", "all"]
    assert rows["x"].right == CountedShare(2, 4, *wilson(2, 4))
    assert (rows["x"].missed[:2], rows["x"].false_alarms[:2]) == ((1, 2), (1, 2))
    assert (rows["held out"].right[:2], rows["held out"].missed[:2]) == ((6, 8), (1, 4))
    assert rows["all"].right[:2] == (7, 9)
    assert rows[TUNED_ON[0]].false_alarms == (0, 0, 0.0, 1.0)
    assert [row.models for row in rule_errors(tuned, 10, 0)] == [TUNED_ON[0], "all"]


def test_models_that_answer_alike_are_not_more_evidence() -> None:
    """Prompts are drawn with all their answers: five copies of a model leave the interval as wide as one."""
    one = [answer("x0", f"{place}", says=place % 3 > 0, label=True) for place in range(60)]
    copies = [row._replace(model=f"x{copy}") for copy in range(5) for row in one]
    (low, high), (alone_low, alone_high) = rule_errors(copies, 2000, 0)[-1].missed[2:], wilson(20, 60)
    assert high - low == pytest.approx(alone_high - alone_low, abs=0.03)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="../shared/data/safety is not beside the checkout")
def test_the_error_that_stands_beside_figures_is_that_on_the_published_files() -> None:
    answers = [one for file in sorted(REAL.glob("*.csv")) for one in read_labelled_answers(file)]
    rows = {row.models: row for row in rule_errors(answers, 2000, 0)}
    assert len(rows) == 7
    for found, stated in zip(rows["held out"][1:], HELD_OUT[1:], strict=True):
        assert (*found[:2], round(found.low, 3), round(found.high, 3)) == stated
    everything = rows["all"]
    assert (everything.right.whole, everything.missed.whole, everything.false_alarms.whole) == (2250, 1159, 1091)
    assert everything.right.value > 0.884  # XSTest's own rule
    assert all(row.right.value > 0.85 for row in rows.values())


def test_the_note_has_the_figures_with_their_intervals() -> None:
    assert error_note().startswith("refusals are found by a rule of phrases, which on 1,350 answers")
    assert "right on 92.4% [90.9%, 93.9%], misses 9.0% [7.0%, 11.2%] of the refusals" in error_note()
