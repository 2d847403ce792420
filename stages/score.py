"""Score the judgments: each benchmark's official score, accuracy over all questions, and how each judge behaves.

Reads:   data/judgments/<model>/<benchmark>.jsonl of every model in `score.models`, data/benchmarks
Writes:  data/scores/<model>.json
Run:     python -m stages.score      (or: dvc repro score)
"""

from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from reasrm.benchmarks.benchmark import BenchmarkName, JudgeKind, Mode, UnreadableRule
from reasrm.benchmarks.registry import benchmark
from reasrm.records.judgment import BUDGETS
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.scoring.intervals import Size, share_estimate
from reasrm.scoring.judge_behaviour import (
    DEFINITIONS,
    accuracy_of,
    behaviour,
    families,
    per_thousand,
    question_values,
)
from reasrm.scoring.judged_items import ItemFacts, Ruling, judge_kind, located_outcomes, read_items, read_rulings
from reasrm.scoring.outcome_store import by_group
from reasrm.scoring.paired import difference
from reasrm.scoring.scorecard import Scored, Settings, scored

JUDGMENTS = Path("data/judgments")
BENCHMARKS = Path("data/benchmarks")
OUTPUT = Path("data/scores")


class Price(BaseModel):
    """What a model's tokens cost, dollars per million."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class ScoreParams(StageParams):
    """Section `score` of params.yaml."""

    section: ClassVar[str] = "score"

    models: tuple[str, ...] = Field(min_length=1)
    """Folders below data/judgments."""
    headline: tuple[BenchmarkName, ...] = Field(min_length=1)
    """The benchmarks whose scores are averaged (the paper's three)."""
    unreadable: UnreadableRule
    """What a judgment without verdict is worth in the benchmarks' scores."""
    resamples: int = Field(ge=100)
    """Bootstrap samples."""
    seed: int = Field(ge=0)
    prices: dict[str, Price]
    """Of models that cost money, by name; the others' dollars are null."""

    def price_of(self, model: str) -> tuple[float, float] | None:
        """Dollars per million tokens read and written."""
        price = self.prices.get(model)
        return None if price is None else (price.input, price.output)

    def settings(self, judge: JudgeKind) -> Settings:
        """How every benchmark is scored for such a judge."""
        return Settings(Mode.OFFICIAL, self.unreadable, self.resamples, self.seed, judge)


def score_model(model: str, rulings: list[Ruling], params: ScoreParams) -> dict[str, Any]:
    """Everything about one model that needs no other."""
    by_benchmark: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        by_benchmark[ruling.item.benchmark].append(ruling)
    settings = params.settings(judge_kind(rulings))
    cards = {name: _scored(name, by_benchmark[name], settings) for name in sorted(by_benchmark)}
    overall = accuracy_of(rulings, params.resamples, params.seed)
    assert overall is not None
    return {
        "version": 1,
        "model": model,
        **overall.as_json("accuracy"),
        **behaviour(rulings, params.resamples, params.seed),
        "per_1000": per_thousand(rulings, params.price_of(model)),
        "average": average(cards, params),
        "families": families(rulings, params.resamples, params.seed),
        "benchmarks": {
            name: one.card | {"behaviour": behaviour(by_benchmark[name], params.resamples, params.seed)}
            for name, one in cards.items()
        },
        "definitions": DEFINITIONS,
    }


def _scored(name: str, rulings: list[Ruling], settings: Settings) -> Scored:
    groups = by_group(located_outcomes(rulings)).values()
    return scored(benchmark(name), groups, settings, f"judgments of {name}")


def average(cards: dict[str, Scored], params: ScoreParams) -> dict[str, Any] | None:
    """The mean of the headline benchmarks' scores; None if one of them was not judged."""
    if any(name not in cards for name in params.headline):
        return None
    # The benchmarks share their seed; shifting the resamples against each other makes them independent.
    samples = [np.roll(cards[name].headline, shift) for shift, name in enumerate(params.headline)]
    used = [cards[name].card for name in params.headline]
    size = Size(sum(card["n"] for card in used), sum(card["groups"] for card in used), simple=False)
    value = float(np.mean([card["score"] for card in used]))
    mean = share_estimate(value, size, lambda: np.mean(samples, axis=0))
    return mean.as_json() | {"of": list(params.headline)}


def score(rulings: dict[str, list[Ruling]], params: ScoreParams) -> dict[str, dict[str, Any]]:
    """The score of every model, with its differences to the others."""
    values = {model: question_values(judged) for model, judged in rulings.items()}
    scores = {model: score_model(model, judged, params) for model, judged in rulings.items()}
    for model, card in scores.items():
        card["differences"] = {
            other: _difference(values[model], values[other], params) for other in values if other != model
        }
    return scores


def _difference(first: dict[str, float], second: dict[str, float], params: ScoreParams) -> dict[str, Any]:
    found = difference(first, second, params.resamples, params.seed)
    return {
        "value": found.value,
        "n": found.n,
        "ci95": [found.low, found.high],
        "better": found.test.first_better,
        "worse": found.test.second_better,
        "p": found.test.p,
    }


def budget_cards(model: str, items: dict[tuple[str, str], ItemFacts], params: ScoreParams) -> dict[str, Any]:
    """Accuracy within each token budget that the model was judged with, smallest first; empty if with none."""
    folders = sorted((JUDGMENTS / model / BUDGETS).glob("*"), key=lambda folder: int(folder.name))
    return {folder.name: budget_card(read_rulings(folder, items), params) for folder in folders}


def budget_card(rulings: list[Ruling], params: ScoreParams) -> dict[str, Any]:
    """A point of the curve of accuracy against tokens."""
    overall = accuracy_of(rulings, params.resamples, params.seed)
    assert overall is not None
    unreadable = sum(ruling.verdict is None for ruling in rulings) / len(rulings)
    return overall.as_json("accuracy") | {"unreadable_rate": unreadable, "per_1000": per_thousand(rulings, None)}


def read_model(model: str, items: dict[tuple[str, str], ItemFacts]) -> list[Ruling]:
    """The judgments of one model.

    Raises:
        StageError: it has not been judged.
    """
    folder = JUDGMENTS / model
    if not folder.is_dir():
        raise StageError(
            f"no judgments of {model!r} ({folder}); run `dvc repro judge@{model}`, or take it out of `models` in "
            f"section `score` of params.yaml"
        )
    return read_rulings(folder, items)


def main() -> str:
    """Run the stage; returns its summary line."""
    params = ScoreParams.load()
    items = read_items(BENCHMARKS)
    scores = score({model: read_model(model, items) for model in params.models}, params)
    for model, card in scores.items():
        if cards := budget_cards(model, items, params):
            card["token_budgets"] = cards
    with new_folder(OUTPUT) as folder:
        for model, card in scores.items():
            write_json(folder / f"{model}.json", card)
    return ", ".join(f"{model} {card['accuracy']:.3f}" for model, card in scores.items())


if __name__ == "__main__":
    run_stage("score", main)
