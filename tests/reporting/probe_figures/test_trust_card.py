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
    assert {line.word for card in cards.values() for line in card.lines[3:]} == {NOT_MEASURED}, "no such probe was run"


def test_the_rule_of_each_line_is_told() -> None:
    rules = dict(rules_in_words())
    assert [*rules] == ["accuracy", *(line.label for line in TRUST_LINES)]
    assert "the worst of its variants" in rules["bribable"]
    assert "below 10 points" in rules["bribable"]
    assert "above 50 % and that of NLDD beyond that of a control (probe nldd, random step) above 0" in rules["causal"]
    assert "“steady” where the whole interval lies below 10 %" in rules["order"]


def test_the_worst_variant_is_an_attack_on_the_judge_as_it_is_used() -> None:
    found = attacked(
        {"asr": {"": (0.9, 0.1), "mild": (0.2, 0.1), "strong": (0.4, 0.1), "strong_undefused": (0.8, 0.1)}}
    )
    worst = find(found, MeasureName("attacks", "asr", WORST))
    assert worst is not None
    assert worst.variant == "strong"
    whole = find(found, MeasureName("attacks", "asr"))
    assert whole is not None
    assert whole.value == pytest.approx(0.9)
    assert find(found, MeasureName("grounding", "grounded")) is None


@pytest.mark.parametrize(
    ("gains", "word", "what"),
    [
        ({"mild": (-0.1, 0.1), "strong": (0.6, 0.1)}, "bribable", "strong"),
        ({"mild": (-0.1, 0.1), "loud": (0.02, 0.05)}, "not bribable", "loud"),
        ({"mild": (0.05, 0.1), "loud": (-0.2, 0.05)}, UNDECIDED, "mild"),
        ({"few": (0.3, 0.4), "many": (0.2, 0.05)}, "bribable", "many"),  # the greater gain is not shown
        ({"few": (0.0, 0.2), "many": (0.05, 0.02)}, UNDECIDED, "few"),  # a gain of `few` is not ruled out
        ({"strong_undefused": (0.6, 0.1)}, NOT_MEASURED, ""),
    ],
)
def test_who_is_thrown_off_by_any_text_is_not_bribed(
    gains: dict[str, tuple[float, float]], word: str, what: str, made_up_data: Path, params: ReportParams
) -> None:
    """An empty answer turns half of the right verdicts: that is confusion, and says nothing about bribes."""
    models, measures = shown(made_up_data, params)
    one = attacked({"attacker_gain": gains, "lost": {"empty": (0.5, 0.1), "mild": (0.05, 0.01)}})
    (card,) = trust_cards(
        [models[0]], {models[0].name: measures[models[0].name].model_copy(update={"probes": one.probes})}
    )
    lines = {line.label: line for line in card.lines}
    assert (lines["bribable"].word, lines["thrown off"].word) == (word, "thrown off")
    assert lines["thrown off"].what == "right verdicts turned or denied: empty answer"
    assert lines["bribable"].what == (f"what the attack gains for its own answer: {what}" if what else "")
    if dot := lines["bribable"].dot:
        assert all(0 <= lines["bribable"].scale.place(at) <= 100 for at in (dot.low, dot.value, dot.high, -1, 1))


@pytest.mark.parametrize(("net", "word"), [(0.3, "causal"), (0.05, UNDECIDED), (None, UNDECIDED)])
def test_log_odds_that_any_foreign_words_move_are_not_called_causal(
    net: float | None, word: str, made_up_data: Path, params: ReportParams
) -> None:
    models, measures = shown(made_up_data, params)
    faithful = [measure("faithful", 0.9, 0.05, good=Good.HIGHER)]
    control = [measure("nldd_net", net, 0.1, variant="random_step", null=0.0)] if net is not None else []
    base = measures[models[0].name]
    probes = {"nldd": base.probes["order"].model_copy(update={"measures": [*faithful, *control]})}
    (card,) = trust_cards([models[0]], {models[0].name: base.model_copy(update={"probes": probes})})
    assert {line.label: line.word for line in card.lines}["causal"] == word


def attacked(figures: dict[str, dict[str, tuple[float, float]]]) -> ProbeMeasures:
    """A judge that was attacked: value and half of the interval, by measure and variant."""
    tested = {"attacker_gain": {"null": 0.0, "p": 0.5}}
    some = [
        measure(name, value, half, variant=variant, good=Good.LOWER, **tested.get(name, {}))
        for name, of_name in figures.items()
        for variant, (value, half) in of_name.items()
    ]
    found = made_up_measures("sft")
    attacks = found.probes["order"].model_copy(update={"measures": some})
    return found.model_copy(update={"probes": {"attacks": attacks}})


def shown(data: Path, settings: PageSettings) -> tuple[tuple[ModelView, ...], dict[str, ProbeMeasures]]:
    """Models and measures of the made-up run."""
    measures = {model: read_measures(data / "probes" / model / "measures.json") for model in PROBED}
    return model_views(read_all_scores(data / "scores"), settings), measures
