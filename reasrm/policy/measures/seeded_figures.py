"""Figures of an arm with all its seeds: intervals over prompts and over trainings, changes and differences with tests.

Answers to one prompt depend on each other, under one seed and under several, so a prompt counts once: its answers'
mean, then the seeds' mean. Prompts are drawn (bootstrap), and a difference is tested by the sign flips of the prompts'
means, as the probes' are: that is about these very trainings. What other trainings would give is another question, with
a wider interval and a test of its own (`scoring.seed_intervals`). Three seeds say little about it, so each seed's own
value stands beside.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import stdtrit

from reasrm.policy.measures.answer_measures import SHARE
from reasrm.probes.measuring.question_means import (
    LEVEL,
    POWER,
    detectable,
    difference_spread,
    share_spread,
    sign_flip_p,
)
from reasrm.scoring.seed_intervals import HALF_WIDTH, SeededFigure, SeedEstimate, seed_estimate

FEWEST_PROMPTS = 2
"""Of fewer there is no interval, and no figure."""

PromptMeans = Mapping[str, float]
"""What each prompt's answers come to under one seed, by prompt id."""


class PolicyFigure(BaseModel):
    """A mean over prompts and seeds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    """Of the 95 % interval over other prompts, for these very trainings."""
    high: float
    low_trainings: float | None
    """Of the 95 % interval over other prompts and other trainings; None of one seed."""
    high_trainings: float | None
    seeds: dict[str, float]
    """Each seed's own value; empty where the answers of all seeds count together."""
    prompts: int


class PolicyChange(PolicyFigure):
    """A paired difference, prompt by prompt and seed by seed, with its test against 0."""

    p: float
    """Two-sided, over prompts, for these very trainings: the sign-flip test of the prompts' means."""
    detectable: float | None
    """The smallest difference that this test would have found at 5 % in 80 of 100 such studies; None of too few."""
    p_trainings: float | None
    """Over other prompts and other trainings; None of one seed."""
    detectable_trainings: float | None
    """The same of that test."""
    q: float | None = None
    """p adjusted for all of the file (Benjamini-Hochberg); None if it is no test of its own."""
    q_trainings: float | None = None
    """The same of `p_trainings`, which are a family of their own."""


class Bootstrap(BaseModel):
    """How often and with which seed prompts are drawn."""

    model_config = ConfigDict(frozen=True)

    resamples: int
    seed: int


def figure(seeds: Mapping[int, PromptMeans], unit: str, drawn: Bootstrap) -> PolicyFigure | None:
    """The mean over the prompts that every seed has; None of fewer than `FEWEST_PROMPTS`."""
    values = _matrix(list(seeds.values()))
    if values is None:
        return None
    bounds = (0.0, 1.0) if unit == SHARE else (-np.inf, np.inf)
    return PolicyFigure.model_validate(_about(_estimate(values, unit, bounds, drawn), list(seeds)))


def change(
    first: Mapping[int, PromptMeans], second: Mapping[int, PromptMeans], unit: str, drawn: Bootstrap
) -> PolicyChange | None:
    """First minus second, over the seeds and the prompts that both have; None of no seed or too few prompts."""
    seeds = [seed for seed in first if seed in second]
    values = _matrix([_minus(first[seed], second[seed]) for seed in seeds])
    if values is None:
        return None
    bounds = (-1.0, 1.0) if unit == SHARE else (-np.inf, np.inf)
    estimate = _estimate(values, unit, bounds, drawn)
    means, several = values.mean(axis=0), len(seeds) > 1
    tested = {
        "p": sign_flip_p(means, drawn.seed),
        "detectable": detectable(means, bounds[1]),
        "p_trainings": estimate.p if several else None,
        "detectable_trainings": min(_detectable(values, estimate), bounds[1]) if several else None,
    }
    return PolicyChange.model_validate({**_about(estimate, seeds), **tested})


def _minus(first: PromptMeans, second: PromptMeans) -> dict[str, float]:
    return {prompt: value - second[prompt] for prompt, value in first.items() if prompt in second}


def _matrix(seeds: Sequence[PromptMeans]) -> np.ndarray | None:
    """[S, P] over the prompts that all seeds have, in the order of their ids."""
    if not seeds:
        return None
    prompts = sorted(set.intersection(*(set(one) for one in seeds)))
    if len(prompts) < FEWEST_PROMPTS:
        return None
    return np.array([[one[prompt] for prompt in prompts] for one in seeds])


def _estimate(values: np.ndarray, unit: str, bounds: tuple[float, float], drawn: Bootstrap) -> SeedEstimate:
    prompts = values.shape[1]
    samples = (_draws(prompts, drawn) @ values.T / prompts).T
    means = values.mean(axis=0)

    def without_spread() -> tuple[float, float]:
        if unit != SHARE:
            return float(means.mean()), float(means.mean())
        spread = difference_spread(means, 1.0) if bounds[0] < 0 else share_spread(means)
        return spread.low, spread.high

    return seed_estimate(SeededFigure(values.mean(axis=1), samples, prompts), without_spread, bounds)


@lru_cache(maxsize=16)
def _draws(prompts: int, drawn: Bootstrap) -> np.ndarray:
    """[B, P] how often each prompt is drawn: the same for every figure of so many prompts."""
    generator = np.random.default_rng(drawn.seed)
    return generator.multinomial(prompts, np.full(prompts, 1 / prompts), size=drawn.resamples).astype(float)


def _about(estimate: SeedEstimate, seeds: Sequence[int]) -> dict[str, object]:
    several = len(seeds) > 1
    return {
        "value": estimate.value,
        "low": estimate.low_questions,
        "high": estimate.high_questions,
        "low_trainings": estimate.low if several else None,
        "high_trainings": estimate.high if several else None,
        "seeds": {str(seed): value for seed, value in zip(seeds, estimate.seeds, strict=True)},
        "prompts": estimate.questions,
    }


def _detectable(values: np.ndarray, estimate: SeedEstimate) -> float:
    """Both variances of the test, each with the t quantiles of the level and of the power."""
    seeds, prompts = values.shape
    of_prompts = ((estimate.high_questions - estimate.low_questions) / (2 * HALF_WIDTH)) ** 2
    parts = [(of_prompts, prompts - 1)]
    parts += [] if estimate.spread is None else [(estimate.spread**2 / seeds, seeds - 1)]
    quantiles = ((variance, stdtrit(freedom, [1 - LEVEL / 2, POWER]).sum()) for variance, freedom in parts)
    return float(sum(quantile**2 * variance for variance, quantile in quantiles) ** 0.5)
