"""Intervals of means over seeds: worked out by hand, and as often right as they say."""

import numpy as np
import pytest
from scipy.stats import t

from reasrm.scoring.seed_intervals import SeededFigure, SeedEstimate, mean_figure, seed_estimate

BOUNDS = (-1.0, 1.0)


def estimated(figure: SeededFigure) -> SeedEstimate:
    return seed_estimate(figure, lambda: (-0.9, 0.9), BOUNDS)


def alternating(values: list[float], deviation: float, questions: int = 101) -> SeededFigure:
    """Bootstrap samples that lie `deviation` above and below the figure in turn, the same for all seeds."""
    spread = np.tile([deviation, -deviation], 500)
    return SeededFigure(np.array(values), np.array(values)[:, None] + spread, questions)


def test_each_variance_has_its_own_degrees_of_freedom_by_hand() -> None:
    found = estimated(alternating([0.1, 0.2, 0.3], 0.05))
    of_seeds, of_questions = 0.01 / 3, 0.0025

    def half(level: float) -> float:
        quantiles = [t.ppf(1 - level / 2, freedom) for freedom in (2, 100)]
        return float((quantiles[0] ** 2 * of_seeds + quantiles[1] ** 2 * of_questions) ** 0.5)

    assert found.value == pytest.approx(0.2)
    assert [found.low, found.high] == pytest.approx([0.2 - half(0.05), 0.2 + half(0.05)])
    assert [found.low_questions, found.high_questions] == pytest.approx([0.15, 0.25])
    assert found.spread == pytest.approx(0.1)
    assert half(found.p) == pytest.approx(0.2)


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.1, 0.3, 5.0, -0.3])
def test_p_and_interval_never_contradict_each_other(mean: float) -> None:
    found = seed_estimate(alternating([mean - 0.1, mean + 0.15], 0.01), lambda: (0, 0), (-10.0, 10.0))
    assert (found.p < 0.05) == (not found.low <= 0 <= found.high)
    assert 0 < found.p <= 1


def test_seeds_that_differ_alone_give_the_t_interval_of_three_numbers() -> None:
    found = estimated(alternating([0.1, 0.2, 0.3], 1e-9))
    half = t.ppf(0.975, 2) * (0.01 / 3) ** 0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=1e-3)


def test_seeds_that_agree_leave_the_interval_of_the_questions() -> None:
    found = estimated(alternating([0.2, 0.2, 0.2], 0.05, questions=100_000))
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.05, rel=1e-3)


def test_one_seed_says_nothing_of_others() -> None:
    found = estimated(alternating([0.2], 0.05))
    assert (found.low, found.high) == (found.low_questions, found.high_questions)
    assert [found.low, found.high] == pytest.approx([0.15, 0.25])
    assert found.spread is None


def test_where_all_questions_are_alike_no_interval_is_without_width() -> None:
    found = estimated(SeededFigure(np.array([0.5, 0.5]), np.full((2, 50), 0.5), 40))
    assert (found.low_questions, found.high_questions) == (-0.9, 0.9)
    assert found.low == pytest.approx(0.5 - 0.9, abs=0.05)
    assert found.high == 1.0  # no share is larger


def test_a_mean_of_figures_is_of_all_their_questions() -> None:
    both = mean_figure([alternating([0.1, 0.3], 0.1), alternating([0.3, 0.7], 0.1)], 150)
    assert both.values.tolist() == [pytest.approx(0.2), pytest.approx(0.5)]
    assert both.questions == 150


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("of_seeds", [0.0, 0.1])
def test_the_interval_holds_the_truth_in_95_of_100_studies(seeds: int, of_seeds: float) -> None:
    """Effects of questions and of few seeds; over questions alone it would miss far more often.

    With seeds that differ far more than questions, degrees of freedom of the sum would hold it in .89 and .92.
    """
    generator = np.random.default_rng(3)
    questions, resamples, studies, truth = 100, 100, 500, 0.1
    hits = hits_of_questions = 0
    for _ in range(studies):
        effects = generator.normal(0, 0.3, questions)[None] + generator.normal(0, of_seeds, seeds)[:, None]
        deltas = truth + effects + generator.normal(0, 0.05, (seeds, questions))
        drawn = generator.multinomial(questions, np.full(questions, 1 / questions), size=resamples) / questions
        found = estimated(SeededFigure(deltas.mean(axis=1), deltas @ drawn.T, questions))
        hits += found.low <= truth <= found.high
        hits_of_questions += found.low_questions <= truth <= found.high_questions
    assert hits / studies > 0.945
    if of_seeds:
        assert hits_of_questions / studies < 0.8
