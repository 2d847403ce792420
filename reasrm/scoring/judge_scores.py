"""The score files of judged models: official scores, accuracy over all questions, behaviour, differences."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from reasrm.benchmarks.registry import benchmark
from reasrm.benchmarks.scoring_rule import ScoreSettings
from reasrm.scoring.intervals import ScoreEstimate, share_estimate
from reasrm.scoring.judge_behaviour import (
    DEFINITIONS,
    accuracy_of,
    behaviour,
    parts,
    per_thousand,
    question_values,
)
from reasrm.scoring.judged_items import JudgedItem, judge_kind, outcomes_of_judged
from reasrm.scoring.outcome_files import by_group
from reasrm.scoring.paired_differences import difference
from reasrm.scoring.scorecard import ScoredBenchmark, scored


@dataclass(frozen=True)
class JudgeScoreSettings:
    """What goes into score files, and how it is computed."""

    scores: ScoreSettings
    """Of every benchmark's score; the kind of judge is taken from the judgments."""
    headline: tuple[str, ...]
    """The benchmarks whose scores are averaged (the paper's three)."""
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Model to dollars per million tokens read and written; the others' dollars are null."""


def score_judges(judged: Mapping[str, list[JudgedItem]], settings: JudgeScoreSettings) -> dict[str, dict[str, Any]]:
    """The score file of every model, with its differences to the others."""
    values = {model: question_values(items) for model, items in judged.items()}
    cards = {model: score_judge(model, items, settings) for model, items in judged.items()}
    for model, card in cards.items():
        card["differences"] = {
            other: _difference(values[model], values[other], settings.scores) for other in values if other != model
        }
    return cards


def score_judge(model: str, judged: list[JudgedItem], settings: JudgeScoreSettings) -> dict[str, Any]:
    """Everything about one model that needs no other."""
    resamples, seed = settings.scores.resamples, settings.scores.seed
    by_benchmark: dict[str, list[JudgedItem]] = defaultdict(list)
    for one in judged:
        by_benchmark[one.item.benchmark].append(one)
    rules = replace(settings.scores, judge=judge_kind(judged))
    scores = {name: _scored(name, by_benchmark[name], rules) for name in sorted(by_benchmark)}
    return {
        "version": 1,
        "model": model,
        **_accuracy(judged, resamples, seed).as_json("accuracy"),
        **behaviour(judged, resamples, seed),
        "per_1000": per_thousand(judged, settings.prices.get(model)),
        "average": average(scores, settings.headline),
        "families": parts(judged, lambda one: one.item.family, resamples, seed),
        "slices": parts(judged, lambda one: one.item.slice, resamples, seed),
        "benchmarks": {
            name: one.card | {"behaviour": behaviour(by_benchmark[name], resamples, seed)}
            for name, one in scores.items()
        },
        "definitions": DEFINITIONS,
    }


def score_within_budget(judged: list[JudgedItem], resamples: int, seed: int) -> dict[str, Any]:
    """A point of the curve of accuracy against tokens: judgments that had to end within a token budget."""
    unreadable = sum(one.verdict is None for one in judged) / len(judged)
    accuracy = _accuracy(judged, resamples, seed).as_json("accuracy")
    return accuracy | {"unreadable_rate": unreadable, "per_1000": per_thousand(judged, None)}


def average(scores: Mapping[str, ScoredBenchmark], headline: Sequence[str]) -> dict[str, Any] | None:
    """The mean of the headline benchmarks' scores; None if one of them was not judged."""
    if any(name not in scores for name in headline):
        return None
    # The benchmarks share their seed; shifting the resamples against each other makes them independent.
    samples = [np.roll(scores[name].headline, shift) for shift, name in enumerate(headline)]
    used = [scores[name].card for name in headline]
    mean = share_estimate(
        float(np.mean([card["score"] for card in used])),
        units=sum(card["n"] for card in used),
        groups=sum(card["groups"] for card in used),
        simple=False,
        samples=lambda: np.mean(samples, axis=0),
    )
    return mean.as_json() | {"of": list(headline)}


def _scored(name: str, judged: list[JudgedItem], settings: ScoreSettings) -> ScoredBenchmark:
    groups = by_group(outcomes_of_judged(judged)).values()
    return scored(benchmark(name), groups, settings, f"judgments of {name}")


def _accuracy(judged: list[JudgedItem], resamples: int, seed: int) -> ScoreEstimate:
    overall = accuracy_of(judged, resamples, seed)
    assert overall is not None, "a judged model has judgments"
    return overall


def _difference(first: Mapping[str, float], second: Mapping[str, float], settings: ScoreSettings) -> dict[str, Any]:
    return difference(first, second, settings.resamples, settings.seed).as_json()
