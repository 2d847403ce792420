"""Judges of known behaviour under the probes that edit question and answers: each is told apart, in exact numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reasrm.probes.bias import BiasProbe
from reasrm.probes.measure import Measure
from reasrm.probes.probe import Probe
from reasrm.probes.probe_run import run_suite, traits_of
from reasrm.probes.query import ProbeItem
from reasrm.probes.registry import suite
from reasrm.records.comparison import Side, hashed_side
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.runtime.yaml_files import read_yaml
from tests.probes.known_judges import ALWAYS_A, CONTRADICTS, LONGER, REASONS, KnownJudge, Shown, context_of, open_known

SETTINGS: Mapping[str, Any] = read_yaml(Path(__file__).parents[2] / "params.yaml")["probe"]["suite"]
STYLES = ("{}", "Let me answer this with care. {} I hope that this helps you.", "## Answer\n\n**{}**")
SEED = 0


def item(number: int) -> ProbeItem:
    """Sums of 5 and of 6; each answer is somewhere the right one, so every question has one that turns its label."""
    name = ("Alice", "Emma", "Maria", "Laura")[number % 4]
    first, second = 1 + number % 3, 4 - number % 3 + number % 2
    right, wrong = (5, 6) if number % 2 == 0 else (6, 5)
    question = f"What is {first} plus {second}? That is what {name} would like to know."
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


def takes_six(shown: Shown) -> str:
    """Looks for a content, whatever the question."""
    return f"<answer>[[{'A' if shown.says(Side.A) == '6' else 'B'}]]</answer>"


SIX = KnownJudge("takes six", takes_six, lambda *_: 0.0)


def measured(name: str, known: KnownJudge, **settings: Any) -> dict[tuple[str, str], Measure]:
    probes: list[Probe] = suite({name: {**SETTINGS[name], **settings}})
    with open_known(known) as judge:
        (result,) = run_suite(judge, probes, context_of(judge, ITEMS), None)
    assert {one.name for one in result.measures} <= set(result.probe.definitions)
    return {(one.name, one.variant): one for one in result.measures}


@pytest.mark.parametrize(
    ("known", "contents", "question", "neutral", "harmonic"),
    [(REASONS, 1.0, 1.0, 1.0, 1.0), (ALWAYS_A, 0.0, 0.0, 1.0, 0.0), (SIX, 1.0, 0.0, 1.0, None)],
)
def test_what_moves_a_verdict(
    known: KnownJudge, contents: float, question: float, neutral: float, harmonic: float | None
) -> None:
    found = measured("counterfactual", known)
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
    found = measured("counterfactual", REASONS)
    assert found["right_when_turned", ""].value == 1.0
    found = measured("counterfactual", CONTRADICTS)
    assert (found["sensitivity", ""].value, found["right_when_turned", ""].value) == (1.0, 0.0)


def test_a_judge_of_length_follows_what_is_added_and_not_what_is_said() -> None:
    found = measured("counterfactual", LONGER)
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
    found = measured("question", REASONS)
    for variant in ("removed", "last_half"):
        assert found["accuracy", variant].value == pytest.approx(SHOWN_AS_A), "it knows nothing and says A"
        assert found["uses_question", variant].value == pytest.approx(1 - SHOWN_AS_A)
        assert found["changed", variant].value == pytest.approx(1 - SHOWN_AS_A)
    assert found["accuracy", "first_half"].value == 1.0, "both numbers are in it"
    assert found["uses_question", "first_half"].value == 0.0
    assert found["uses_question", "shuffled"].value > 0.2
    assert found["edited", "shuffled"].value == 1.0
    far = measured("question", REASONS, digits="789")
    assert far["accuracy", "renumbered"].value == pytest.approx(SHOWN_AS_A), "no answer is right any more"


@pytest.mark.parametrize("known", [SIX, LONGER, ALWAYS_A])
def test_a_judge_that_ignores_the_question_owes_it_nothing(known: KnownJudge) -> None:
    found = measured("question", known)
    variants = ("removed", "shuffled", "renumbered", "first_half", "last_half")
    assert {found[name, variant].value for name in ("uses_question", "changed") for variant in variants} == {0.0}
    assert {found["accuracy", v].value for v in variants} == {found["accuracy_before", v].value for v in variants}


def test_biases_are_net_of_the_gold_rate() -> None:
    longer = measured("bias", LONGER)
    gold = longer["gold_rate", "length"].value
    assert longer["picked_rate", "length"].value == 1.0
    assert longer["net_rate", "length"].value == pytest.approx(1 - gold)
    assert longer["accuracy_gap", "length"].value == 1.0
    alike = sum(len(one.pair.chosen) == len(one.pair.rejected) for one in ITEMS) / len(ITEMS)
    assert longer["net_rate", "position"].value == pytest.approx(alike / 2), "where both are as long it says A"
    right = measured("bias", REASONS)
    assert {one.value for (name, _), one in right.items() if name in ("net_rate", "accuracy_gap")} == {0.0}
    first = measured("bias", ALWAYS_A)
    assert first["net_rate", "position"].value == 0.5
    assert first["accuracy_gap", "position"].value == 1.0
    assert first["net_rate", "length"].value == pytest.approx(0.5 - gold)
    assert first["accuracy_gap", "length"].value == 0.0, "random errors are no bias against"


def test_self_preference_needs_to_know_who_the_judge_is() -> None:
    assert not [variant for _, variant in measured("bias", ALWAYS_A) if variant == "own"]
    own = measured("bias", ALWAYS_A, own_names=["me"])
    assert own["gold_rate", "own"].value == 1.0
    assert own["net_rate", "own"].value == -0.5
    assert own["net_rate", "own"].questions == 27
    with open_known(ALWAYS_A) as judge:
        assert BiasProbe(**SETTINGS["bias"]).most_queries(36, traits_of(judge)) == 0
