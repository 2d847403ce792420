"""Score the judgments: each benchmark's official score, accuracy over all questions, and how each judge behaves.

Reads:   data/judgments/<model>/<benchmark>.jsonl of every model in `score.models`, data/benchmarks
Writes:  data/scores/<model>.json
Run:     python -m stages.score      (or: dvc repro score)
"""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from reasrm.benchmarks.registry import BenchmarkName
from reasrm.benchmarks.scoring_rule import ScoreSettings, UnreadableRule
from reasrm.records.judgment import BUDGETS
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.scoring.judge_scores import JudgeScoreSettings, score_judges, score_within_budget
from reasrm.scoring.judged_items import ItemFacts, JudgedItem, read_items, read_judged_items

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

    def settings(self) -> JudgeScoreSettings:
        """What goes into the score files."""
        prices = {model: (price.input, price.output) for model, price in self.prices.items()}
        scores = ScoreSettings(unreadable=self.unreadable, resamples=self.resamples, seed=self.seed)
        return JudgeScoreSettings(scores, self.headline, prices)


def read_model(model: str, items: dict[tuple[str, str], ItemFacts]) -> list[JudgedItem]:
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
    return read_judged_items(folder, items)


def budget_cards(model: str, items: dict[tuple[str, str], ItemFacts], params: ScoreParams) -> dict[str, Any]:
    """Accuracy within each token budget that the model was judged with, smallest first; empty if with none."""
    folders = sorted((JUDGMENTS / model / BUDGETS).glob("*"), key=lambda folder: int(folder.name))
    return {
        folder.name: score_within_budget(read_judged_items(folder, items), params.resamples, params.seed)
        for folder in folders
    }


def main() -> str:
    """Run the stage; returns its summary line."""
    params = ScoreParams.load()
    items = read_items(BENCHMARKS)
    cards = score_judges({model: read_model(model, items) for model in params.models}, params.settings())
    with new_folder(OUTPUT) as folder:
        for model, card in cards.items():
            budgets = budget_cards(model, items, params)
            write_json(folder / f"{model}.json", card | ({"token_budgets": budgets} if budgets else {}))
    return ", ".join(f"{model} {card['accuracy']:.3f}" for model, card in cards.items())


if __name__ == "__main__":
    run_stage("score", main)
