"""Figures over prompts and seeds: exact where all is known, and right as often as they say where chance is planted."""

import numpy as np
import pytest

from reasrm.policy.measures.answer_measures import SHARE
from reasrm.policy.measures.seeded_figures import Bootstrap, PolicyChange, change, figure

DRAWN = Bootstrap(resamples=200, seed=0)


def test_a_prompt_counts_once_and_only_what_all_seeds_have_counts() -> None:
    found = figure({3: {"a": 1.0, "b": 0.0, "c": 1.0}, 4: {"a": 0.0, "b": 0.0}}, SHARE, DRAWN)
    assert found is not None
    assert (found.value, found.seeds, found.prompts) == (0.25, {"3": 0.5, "4": 0.0}, 2)
    alone = figure({3: {"a": 1.0, "b": 1.0}}, SHARE, DRAWN)
    assert alone is not None
    assert (alone.value, alone.high, alone.low_trainings, alone.high_trainings) == (1, 1, None, None)
    assert alone.low < 0.5, "two right prompts say little of others"
    assert figure({3: {"a": 1.0}}, SHARE, DRAWN) is None
    assert figure({}, SHARE, DRAWN) is None


def test_a_change_is_paired_by_prompt_and_by_seed() -> None:
    first = {0: {"a": 5.0, "b": 9.0}, 1: {"a": 1.0, "b": 2.0}}
    second = {1: {"a": 0.0, "b": 4.0, "z": 99.0}, 2: {"a": 7.0, "b": 7.0}}
    found = change(first, second, "tokens", DRAWN)
    assert found is not None
    assert (found.value, found.seeds, found.prompts) == (-0.5, {"1": -0.5}, 2)
    assert change({0: first[0]}, {2: second[2]}, "tokens", DRAWN) is None, "no seed is in both"


def _study(effect: float, of_seeds: float, draws: np.random.Generator) -> PolicyChange:
    """Two arms of three seeds on 60 prompts, of which the first is right by `effect` more often."""
    level = draws.uniform(0.2, 0.7, 60)
    arms = []
    for more in (effect, 0.0):
        seeds = {}
        for seed in range(3):
            share = np.clip(level + more + draws.normal(0, of_seeds), 0, 1)
            seeds[seed] = {str(at): float(right) / 4 for at, right in enumerate(draws.binomial(4, share))}
        arms.append(seeds)
    found = change(arms[0], arms[1], SHARE, DRAWN)
    assert found is not None
    return found


@pytest.mark.slow
def test_tests_are_wrong_as_seldom_as_they_say_and_find_what_they_say_they_would() -> None:
    draws = np.random.default_rng(5)
    alike = [_study(0.0, 0.0, draws) for _ in range(400)]
    assert np.mean([one.p < 0.05 for one in alike]) < 0.08
    assert np.mean([one.low <= 0 <= one.high for one in alike]) > 0.92
    # Trainings that differ by chance: over prompts alone arms seem to differ far too often, over trainings seldom.
    varied = [_study(0.0, 0.08, draws) for _ in range(400)]
    assert np.mean([one.p < 0.05 for one in varied]) > 0.25
    assert np.mean([one.p_trainings is not None and one.p_trainings < 0.05 for one in varied]) < 0.06
    least = float(np.median([one.detectable for one in alike if one.detectable is not None]))
    assert 0.7 < np.mean([one.p < 0.05 for one in (_study(least, 0.0, draws) for _ in range(400))]) < 0.9
