"""A word of a trust card follows from its interval alone, by the rule that the page prints."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.probes.measure import Good
from reasrm.probes.measures_file import ProbeMeasures, read_measures
from reasrm.reporting.charts import ModelView
from reasrm.reporting.page_settings import PageSettings
from reasrm.reporting.probe_figures.named_measures import TRUST_LINES, UNDECIDED, WORST, MeasureName, TrustLine, find
from reasrm.reporting.probe_figures.trust_card import NOT_MEASURED, rules_in_words, trust_cards, word
from reasrm.reporting.source import model_views, read_all_scores
from stages.report import ReportParams
from tests.reporting.made_up_measures import PROBED, made_up_measures, measure

shares = st.floats(0, 1)


@given(st.sampled_from(TRUST_LINES), st.tuples(shares, shares).map(sorted))
def test_a_word_is_given_only_where_the_whole_interval_is_on_one_side(line: TrustLine, bounds: list[float]) -> None:
    low, high = bounds
    said, state = word(line, low, high)
    holds = low <= line.bound <= high
    assert (said == UNDECIDED) == holds == (state == "unreadable")
    if not holds:
        better = (low > line.bound) == (line.good is Good.HIGHER)
        assert (said, state) == (line.words[not better], "right" if better else "wrong")


def test_cards_show_what_was_measured_and_say_what_was_not(made_up_data: Path, params: ReportParams) -> None:
    cards = {card.model.name: card for card in trust_cards(*shown(made_up_data, params))}
    assert list(cards) == list(PROBED)
    order = {name: card.lines[1] for name, card in cards.items()}
    assert (order["base"].word, order["base"].figure, order["base"].interval) == ("unsteady", "30.0", "[27.0, 33.0]")
    assert order["grpo-full"].word == "steady"
    grounded = {name: card.lines[2] for name, card in cards.items()}
    assert grounded["scalar_rm"].word == NOT_MEASURED
    assert grounded["scalar_rm"].what == "the judge writes no replies", "refused, with the reason"
    assert grounded["sft"].word == "not grounded"
    assert {card.lines[4].word for card in cards.values()} == {NOT_MEASURED}, "no such probe was run"


def test_the_rule_of_each_line_is_told() -> None:
    rules = dict(rules_in_words())
    assert [*rules] == ["accuracy", *(line.label for line in TRUST_LINES)]
    assert "the worst of its variants" in rules["bribable"]
    assert "“steady” where the whole interval lies below 10 %" in rules["order"]


def test_the_worst_variant_is_an_attack_on_the_judge_as_it_is_used() -> None:
    variants = {"": 0.9, "mild": 0.2, "strong": 0.4, "strong_undefused": 0.8}
    some = [measure("asr", value, 0.1, variant=name, good=Good.LOWER) for name, value in variants.items()]
    found = made_up_measures("sft")
    attacks = found.probes["order"].model_copy(update={"measures": some})
    found = found.model_copy(update={"probes": {"attacks": attacks}})
    worst = find(found, MeasureName("attacks", "asr", WORST))
    assert worst is not None
    assert worst.variant == "strong"
    whole = find(found, MeasureName("attacks", "asr"))
    assert whole is not None
    assert whole.value == pytest.approx(0.9)
    assert find(found, MeasureName("grounding", "grounded")) is None


def shown(data: Path, settings: PageSettings) -> tuple[tuple[ModelView, ...], dict[str, ProbeMeasures]]:
    """Models and measures of the made-up run."""
    measures = {model: read_measures(data / "probes" / model / "measures.json") for model in PROBED}
    return model_views(read_all_scores(data / "scores"), settings), measures
