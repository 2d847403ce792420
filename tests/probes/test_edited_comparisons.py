"""Judges of known behaviour under the probes that edit question and answers: each is told apart, in exact numbers."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reasrm.probes.bias import BiasProbe
from reasrm.probes.items import judged_plainly
from reasrm.probes.measure import Measure
from reasrm.probes.probe import Probe
from reasrm.probes.probe_run import run_suite, traits_of
from reasrm.probes.query import ProbeContext, ProbeItem
from reasrm.probes.registry import suite
from reasrm.records.comparison import Side, hashed_side
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.runtime.yaml_files import read_yaml
from tests.fixtures.shown_texts import Shown, judge_by

SETTINGS: Mapping[str, Any] = read_yaml(Path(__file__).parents[2] / "params.yaml")["probe"]["suite"]
STYLES = ("{}", "Let me answer this with care. {} I hope that this helps you.", "## Answer\n\n**{}**")
SEED = 0


def item(number: int) -> ProbeItem:
    """Sums of 5 and of 6; each answer is somewhere the right one, so every question has one that turns its label."""
    name = ("Alice", "Emma", "Maria", "Laura")[number % 4]
    first, second = 1 + number % 3, 4 - number % 3 + number % 2
    right, wrong = (5, 6) if number % 2 == 0 else (6, 5)
    question = f"She has {first} apples and finds {second} more. How many apples has {name} now?"
    sentences = "The sum is {}. Apples do not sing. Baskets fly rarely."
    chosen, rejected = (
        STYLES[style].format(sentences.format(answer))
        for style, answer in ((number // 2 % 3, right), (number // 6 % 3, wrong))
    )
    prompt = (Message(role=Role.USER, content=question),)
    labels = {"chosen_model": "me", "rejected_model": "them"} if number % 4 else {}
    pair = PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected, source="test", labels=labels)
    return ProbeItem("test", str(number), str(number), pair)


ITEMS = [item(number) for number in range(36)]
SHOWN_AS_A = sum(hashed_side(one.pair, SEED) is Side.A for one in ITEMS) / len(ITEMS)


def adds_up(shown: Shown) -> Side:
    """Takes the answer with the sum of the question's two numbers; A where neither or both have it."""
    numbers = re.findall(r"\d+", shown.question)
    total = str(sum(map(int, numbers))) if len(numbers) == 2 else ""
    return Side.B if f"is {total}." in shown.b and f"is {total}." not in shown.a else Side.A


def always_a(_: Shown) -> Side:
    """Says A."""
    return Side.A


def takes_the_longer(shown: Shown) -> Side:
    """A where both are as long."""
    return Side.B if len(shown.b) > len(shown.a) else Side.A


def takes_six(shown: Shown) -> Side:
    """Looks for a content, whatever the question."""
    return Side.B if "6" in shown.b else Side.A


def measured(name: str, rule: Callable[[Shown], Side], **settings: Any) -> dict[tuple[str, str], Measure]:
    judge = judge_by(rule)
    context = ProbeContext(ITEMS, judged_plainly(judge, ITEMS, None), traits_of(judge), resamples=200, seed=SEED)
    probes: list[Probe] = suite({name: {**SETTINGS[name], **settings}})
    (result,) = run_suite(judge, probes, context, None)
    assert {one.name for one in result.measures} <= set(result.probe.definitions)
    return {(one.name, one.variant): one for one in result.measures}


@pytest.mark.parametrize(
    ("rule", "contents", "question", "neutral", "harmonic"),
    [(adds_up, 1.0, 1.0, 1.0, 1.0), (always_a, 0.0, 0.0, 1.0, 0.0), (takes_six, 1.0, 0.0, 1.0, None)],
)
def test_what_moves_a_verdict(
    rule: Callable[[Shown], Side], contents: float, question: float, neutral: float, harmonic: float | None
) -> None:
    found = measured("counterfactual", rule)
    assert found["sensitivity", "contents_exchanged"].value == contents
    assert found["sensitivity", "question_exchanged"].value == question
    every = ("", "padded", "marked_up", "unmarked", "reordered", "paraphrased", "renamed")
    assert {found["invariance", variant].value for variant in every} == {neutral}
    if harmonic is not None:
        assert found["harmonic_mean", ""].value == harmonic
        assert found["harmonic_mean", ""].low < found["harmonic_mean", ""].high
    differing = sum(number // 2 % 3 != number // 6 % 3 for number in range(36))
    assert found["sensitivity", "contents_exchanged"].units == differing, "alike, it were the other order"
    assert found["edited", "contents_exchanged"].value == differing / 36
    assert found["edited", "question_exchanged"].value == 1.0


def test_right_before_and_after_is_more_than_moving() -> None:
    found = measured("counterfactual", adds_up)
    assert found["right_when_turned", ""].value == 1.0

    def adds_up_wrongly(shown: Shown) -> Side:
        return adds_up(shown).other

    found = measured("counterfactual", adds_up_wrongly)
    assert (found["sensitivity", ""].value, found["right_when_turned", ""].value) == (1.0, 0.0)


def test_a_judge_of_length_follows_what_is_added_and_not_what_is_said() -> None:
    found = measured("counterfactual", takes_the_longer)
    assert found["sensitivity", "question_exchanged"].value == 0.0
    assert found["sensitivity", "contents_exchanged"].value == 0.0, "the styles, of different lengths, stay"
    plain = [one for one in ITEMS if one.pair.rejected.startswith("The sum")]
    unpadded = [one for one in plain if "care" not in one.pair.chosen]
    moved = [one for one in unpadded if len(one.pair.chosen) > len(one.pair.rejected)]
    ties = [one for one in plain if len(one.pair.chosen) == len(one.pair.rejected)]
    moved += [one for one in ties if hashed_side(one.pair, SEED) is Side.A]
    tied_now = [one for one in plain if "care" in one.pair.chosen and hashed_side(one.pair, SEED) is Side.B]
    drawn = found["drawn_to_addition", "padded"]
    assert drawn.units == len(plain)
    assert drawn.value == pytest.approx((len(moved) + len(tied_now)) / len(plain))
    assert found["invariance", "renamed"].value == 1.0


def test_what_a_judge_owes_to_the_question() -> None:
    found = measured("question", adds_up)
    for variant in ("removed", "last_half"):
        assert found["accuracy", variant].value == pytest.approx(SHOWN_AS_A), "it knows nothing and says A"
        assert found["uses_question", variant].value == pytest.approx(1 - SHOWN_AS_A)
        assert found["changed", variant].value == pytest.approx(1 - SHOWN_AS_A)
    assert found["accuracy", "first_half"].value == 1.0, "both numbers are in it"
    assert found["uses_question", "first_half"].value == 0.0
    assert found["uses_question", "shuffled"].value > 0.2
    assert found["edited", "shuffled"].value == 1.0
    far = measured("question", adds_up, digits="89")
    assert far["accuracy", "renumbered"].value == pytest.approx(SHOWN_AS_A), "no answer is right any more"


@pytest.mark.parametrize("rule", [takes_six, takes_the_longer, always_a])
def test_a_judge_that_ignores_the_question_owes_it_nothing(rule: Callable[[Shown], Side]) -> None:
    found = measured("question", rule)
    variants = ("removed", "shuffled", "renumbered", "first_half", "last_half")
    assert {found[name, variant].value for name in ("uses_question", "changed") for variant in variants} == {0.0}
    assert {found["accuracy", v].value for v in variants} == {found["accuracy_before", v].value for v in variants}


def test_biases_are_net_of_the_gold_rate() -> None:
    longer = measured("bias", takes_the_longer)
    gold = longer["gold_rate", "length"].value
    assert longer["picked_rate", "length"].value == 1.0
    assert longer["net_rate", "length"].value == pytest.approx(1 - gold)
    assert longer["accuracy_gap", "length"].value == 1.0
    alike = sum(len(one.pair.chosen) == len(one.pair.rejected) for one in ITEMS) / len(ITEMS)
    assert longer["net_rate", "position"].value == pytest.approx(alike / 2), "where both are as long it says A"
    right = measured("bias", adds_up)
    assert {one.value for (name, _), one in right.items() if name in ("net_rate", "accuracy_gap")} == {0.0}
    first = measured("bias", always_a)
    assert first["net_rate", "position"].value == 0.5
    assert first["accuracy_gap", "position"].value == 1.0
    assert first["net_rate", "length"].value == pytest.approx(0.5 - gold)
    assert first["accuracy_gap", "length"].value == 0.0, "random errors are no bias against"


def test_self_preference_needs_to_know_who_the_judge_is() -> None:
    assert not [variant for _, variant in measured("bias", always_a) if variant == "own"]
    own = measured("bias", always_a, own_names=["me"])
    assert own["gold_rate", "own"].value == 1.0
    assert own["net_rate", "own"].value == -0.5
    assert own["net_rate", "own"].questions == 27
    assert BiasProbe(**SETTINGS["bias"]).most_queries(36, traits_of(judge_by(always_a))) == 0
