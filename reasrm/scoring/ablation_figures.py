"""The figures of an ablation's rows by seed, each with its bootstrap samples: all rows and seeds on the same draws."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from reasrm.benchmarks.registry import benchmark
from reasrm.benchmarks.scoring_rule import ScoreSettings
from reasrm.scoring.ablation_judgments import Judged
from reasrm.scoring.bootstrap import CELLS_AT_A_TIME, resampled
from reasrm.scoring.joint_tally import MarkedOutcomes, joint_tally, table_of
from reasrm.scoring.judge_behaviour import question_values
from reasrm.scoring.judged_items import JudgedItem, judge_kind, outcomes_of_judged
from reasrm.scoring.matching import ComparedJudge, counted
from reasrm.scoring.scorecard import applied_rule
from reasrm.scoring.seed_intervals import SeededFigure

Figures = dict[str, SeededFigure]
"""One figure by row."""


def official_scores(names: Sequence[str], judged: Judged, settings: ScoreSettings) -> dict[str, Figures]:
    """Every row's official score by benchmark; a question that several of them ask is drawn for all of them.

    Raises:
        OutcomeError: the judgments cannot be scored.
    """
    joint = joint_tally(
        {
            _mark(name, row, seed): _marked(name, [one for one in items if one.item.benchmark == name], settings)
            for name in names
            for row, by_seed in judged.items()
            for seed, items in enumerate(by_seed)
        }
    )
    table, drawn = joint.table(), resampled(joint, settings.resamples, settings.seed)

    def score(name: str, row: str, seed: int) -> tuple[float, np.ndarray]:
        mark = _mark(name, row, seed)
        value, samples = (
            benchmark(name).score(table_of(one, mark), settings.mode)["score",].values for one in (table, drawn)
        )
        return float(value[0]), samples

    some = next(iter(judged.values()))[0]
    groups = {name: len({one.item.group for one in some if one.item.benchmark == name}) for name in names}
    return {
        name: {
            row: _figure([score(name, row, seed) for seed in range(len(seeds))], groups[name])
            for row, seeds in judged.items()
        }
        for name in names
    }


def question_accuracies(
    judged: Judged, subsets: Mapping[str, Callable[[JudgedItem], bool]], settings: ScoreSettings
) -> dict[str, Figures]:
    """Every row's accuracy over questions in each subset of the items, by the subset's name.

    A question counts once (`reasrm.scoring.judge_behaviour.question_values`). All subsets share the draws, so the
    difference between two of them has samples too.
    """
    places = [(row, seed) for row, by_seed in judged.items() for seed in range(len(by_seed))]
    questions = sorted({one.item.group for by_seed in judged.values() for items in by_seed for one in items})
    found: dict[str, Figures] = {}
    for name, wanted in subsets.items():
        columns = [question_values(one for one in judged[row][seed] if wanted(one)) for row, seed in places]
        there = np.array([question in columns[0] for question in questions], dtype=float)
        values = np.array([[column.get(question, 0.0) for column in columns] for question in questions])
        means = values.sum(axis=0) / there.sum()
        samples = _drawn_means(values, there, settings)
        found[name] = {
            row: _figure(
                [(means[place], samples[:, place]) for place, (one, _) in enumerate(places) if one == row],
                int(there.sum()),
            )
            for row in judged
        }
    return found


def _mark(name: str, row: str, seed: int) -> str:
    return f"{name}/{row}/{seed}"


def _marked(name: str, judged: list[JudgedItem], settings: ScoreSettings) -> MarkedOutcomes:
    """One judge's outcomes with what an unreadable one is worth to it."""
    side = ComparedJudge(name, f"judgments of {name}", judge_kind(judged), list(outcomes_of_judged(judged)))
    rules = benchmark(name)
    rule = applied_rule(rules, replace(settings, judge=side.judge), counted(rules, side))
    return MarkedOutcomes(rules, side.outcomes, rule.unreadable_credit, side.file)


def _figure(by_seed: list[tuple[float, np.ndarray]], questions: int) -> SeededFigure:
    return SeededFigure(np.array([value for value, _ in by_seed]), np.stack([drawn for _, drawn in by_seed]), questions)


def _drawn_means(values: np.ndarray, there: np.ndarray, settings: ScoreSettings) -> np.ndarray:
    """[B, J] means of the columns of `values` over drawn questions, of which those count that are `there`."""
    found = []
    for drawn in _draws(len(values), settings):
        counts = (drawn @ there)[:, None]
        found.append(
            np.divide(drawn @ values, counts, out=np.full((len(drawn), values.shape[1]), np.nan), where=counts > 0)
        )
    return np.concatenate(found)


def _draws(questions: int, settings: ScoreSettings) -> Iterator[np.ndarray]:
    """How often each question is drawn, [b, Q] for slices of the resamples; the same in every call."""
    generator = np.random.default_rng(settings.seed)
    step = max(1, CELLS_AT_A_TIME // questions)
    for start in range(0, settings.resamples, step):
        size = min(step, settings.resamples - start)
        yield generator.multinomial(questions, np.full(questions, 1 / questions), size=size)
