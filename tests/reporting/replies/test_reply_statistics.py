"""What rubrics ask for and whether quotations hold, counted over replies."""

import pytest

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.judgment import Judgment
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.reply import Finish, Reply
from reasrm.reporting.replies.reply_statistics import ReplyStatistics, count_replies, criterion_shares


@pytest.mark.parametrize(
    ("rubric", "weights"),
    [
        (" facts 3 steps 2 joke 5", {"facts": 0.3, "steps": 0.2, "joke": 0.5}),
        ("Accuracy (60%), Tone (40%)", {"accuracy": 0.6, "tone": 0.4}),
        ("\n- **Accuracy**: 75\n- Tone - 25 %\n", {"accuracy": 0.75, "tone": 0.25}),
        ("be nice", {}),
        (" nothing 0", {}),
    ],
)  # fmt: skip
def test_weights_are_shares_of_the_rubric(rubric: str, weights: dict[str, float]) -> None:
    assert criterion_shares(rubric) == pytest.approx(weights)


def test_quotations_are_looked_up_in_the_order_that_was_shown() -> None:
    pair = PreferencePair(
        prompt=(Message(role=Role.USER, content="q"),), chosen="good words", rejected="bad words", source="s"
    )
    item = BenchmarkItem(benchmark="rmb", item_id="1", group="g", pair=pair, keys={})
    rubric = "<rubric>looks 100<justify>tone 7</justify></rubric>"
    text = rubric + "<quote_A>bad words</quote_A><quote_A>good words</quote_A><answer>[[B]]</answer>"
    judgment = Judgment(
        benchmark="rmb", item_id="1", better=Side.B, verdict=Side.B,
        reply=Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1),
    )  # fmt: skip
    statistics = count_replies([judgment, judgment], {("rmb", "1"): item})
    assert (statistics.replies, statistics.quotes, statistics.rubrics, statistics.mean_tokens) == (2, 4, 2, 1.0)
    assert statistics.share("found") == statistics.share("other-answer") == 0.5
    assert statistics.top_criteria(3) == [("looks", 1.0)]


def test_a_long_run_of_blanks_is_no_trap() -> None:
    assert criterion_shares("a" + " \n" * 50_000 + "b 3") == {"b": 1.0}


def test_a_model_without_quotations_has_no_share() -> None:
    assert count_replies([], {}).share("found") is None


def test_calibration_is_the_distance_of_probability_and_success_within_bins() -> None:
    sure = [(0.95, True)] * 3 + [(0.95, False)]  # says .95, right in .75
    unsure = [(0.55, True), (0.55, False)]  # says .55, right in .50
    found = ReplyStatistics(confidences=sure + unsure).calibration
    assert found is not None
    assert (found.n, found.right) == (6, pytest.approx(4 / 6))
    assert found.error == pytest.approx((4 * 0.20 + 2 * 0.05) / 6)


def test_without_probabilities_there_is_no_calibration() -> None:
    assert ReplyStatistics().calibration is None


def test_a_certain_verdict_falls_into_the_last_bin() -> None:
    found = ReplyStatistics(confidences=[(1.0, True)]).calibration
    assert found is not None
    assert found.error == 0
