"""Simulated judges with planted position bias, on synthetic items, through the probe itself: are the figures right?

Over 200 seeds, each a judge of its own on 120 items: the 95 % intervals hold the planted truth in 91 to 98 % of them,
p is below 5 % in at most 8 % where nothing is planted, and the effect that is called detectable is found in four of
five samples.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from reasrm.probes.measure import Measure
from reasrm.probes.measuring.families import adjusted
from reasrm.probes.measuring.question_means import LEVEL, POWER, detectable, difference_spread, sign_flip_p
from reasrm.probes.order import OrderProbe
from reasrm.probes.query import JudgeTraits, PlainJudgment, ProbeAnswer, ProbeContext, ProbeItem
from reasrm.records.comparison import Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.pair import Message, PreferencePair, Role

pytestmark = pytest.mark.slow
SEEDS, ITEMS = 200, 120
DRAWS = JudgeTraits(writes=True, continues=False, margins=False, draws=True, own_prompt=True)
ACCURACY = 0.7
"""Of the judge where it does not follow the position."""


def item(number: int) -> ProbeItem:
    prompt = (Message(role=Role.USER, content=f"question {number}"),)
    pair = PreferencePair(prompt=prompt, chosen="good", rejected="bad", source="synthetic")
    return ProbeItem("synthetic", str(number), f"question {number}", pair)


PAIRS = [item(number) for number in range(ITEMS)]


def measured(bias: float, seed: int) -> dict[str, Measure]:
    """The order probe's measures of a judge that says A in a share `bias` of its verdicts, whatever is shown."""
    chance = np.random.default_rng(seed)

    def verdict(better: Side) -> ComparisonJudgment:
        right = better if chance.random() < ACCURACY else better.other
        return ComparisonJudgment(verdict=Side.A if chance.random() < bias else right)

    plain = {
        (one.benchmark, one.item_id): {side: PlainJudgment(one, side, verdict(side)) for side in Side} for one in PAIRS
    }
    probe = OrderProbe(temperature=1.0)
    context = ProbeContext(PAIRS, plain, DRAWS, 200, seed)
    answers = [ProbeAnswer(query, verdict(query.comparison.better)) for query in probe.queries(context)]
    return {one.name: one for one in probe.measures(context, answers)}


def truth(bias: float) -> dict[str, float]:
    """What the measures are of infinitely many items: `first` and `other` are the chances to be right by order."""
    first, other = bias + (1 - bias) * ACCURACY, (1 - bias) * ACCURACY
    return {
        "consistent_accuracy": first * other,
        "flip_rate": first * (1 - other) + (1 - first) * other,
        "picked_a": bias + (1 - bias) / 2,
        "repeat_rate": first * (1 - first) + other * (1 - other),
        "net_flip_rate": (first - other) ** 2,
    }


@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_intervals_hold_the_planted_truth_and_nothing_is_found_where_nothing_is(bias: float) -> None:
    held, found = Counter[str](), Counter[str]()
    for seed in range(SEEDS):
        for name, measure in measured(bias, seed).items():
            held[name] += measure.low <= truth(bias)[name] <= measure.high
            found[name] += measure.p is not None and measure.p < LEVEL
    assert {name: count for name, count in held.items() if not 0.91 <= count / SEEDS <= 0.985} == {}
    assert set(held) == set(truth(bias))
    if bias:
        assert found["picked_a"] / SEEDS > 0.95
    else:
        assert max(found.values()) / SEEDS <= 0.08


def moves(share: float) -> Callable[[np.random.Generator, int, float], np.ndarray]:
    """Questions of which a share moves by one, so that the mean is the effect."""

    def draw(chance: np.random.Generator, number: int, effect: float) -> np.ndarray:
        moving = max(share, effect)
        return chance.choice([-1.0, 0.0, 1.0], number, p=[(moving - effect) / 2, 1 - moving, (moving + effect) / 2])

    return draw


def by_degrees(chance: np.random.Generator, number: int, effect: float) -> np.ndarray:
    """Questions that move by quarters, some more than others."""
    return chance.choice([-0.5, -0.25, 0.0, 0.25, 0.5], number, p=[0.1, 0.2, 0.4, 0.2, 0.1]) + effect


@pytest.mark.parametrize("number", [20, 120])
@pytest.mark.parametrize("draw", [moves(0.0), moves(0.1), moves(0.4), by_degrees], ids=["0", "0.1", "0.4", "degrees"])
def test_the_detectable_effect_is_found_in_four_of_five_samples(
    draw: Callable[[np.random.Generator, int, float], np.ndarray], number: int
) -> None:
    chance = np.random.default_rng(1)
    effects = [detectable(draw(chance, number, 0.0), 1.0) for _ in range(60)]
    effect = float(np.median([one for one in effects if one is not None]))
    samples = [draw(chance, number, effect) for _ in range(SEEDS)]
    power = np.mean([sign_flip_p(values, seed) < LEVEL for seed, values in enumerate(samples)])
    assert POWER - 0.08 <= power <= POWER + 0.12
    spreads = [difference_spread(values, 1.0) for values in samples]
    assert np.mean([one.low <= effect <= one.high for one in spreads]) >= 0.9


def pages(chance: np.random.Generator) -> Iterator[tuple[dict[int, float], int]]:
    """The p values of 40 tests on each of 200 pages, of which the first eight are of real effects."""
    effects = 8
    for _ in range(SEEDS):
        tests = [moves(0.3)(chance, ITEMS, 0.2 if place < effects else 0.0) for place in range(40)]
        yield {place: sign_flip_p(values, 0) for place, values in enumerate(tests)}, effects


def test_one_page_is_one_family_and_keeps_the_false_discovery_rate() -> None:
    false_shares, powers, unadjusted = [], [], []
    for p_values, effects in pages(np.random.default_rng(2)):
        found = [place for place, q in adjusted(p_values).items() if q < LEVEL]
        false_shares.append(sum(place >= effects for place in found) / max(1, len(found)))
        powers.append(sum(place < effects for place in found) / effects)
        unadjusted.append(sum(p < LEVEL for place, p in p_values.items() if place >= effects))
    assert np.mean(false_shares) <= 0.06
    assert np.mean(powers) > 0.8
    assert np.mean(unadjusted) > 1
