"""One arm against each other: at equally many updates, and with equally many tokens of the judge spent."""

from collections.abc import Mapping, Sequence

from reasrm.policy.measures.answer_measures import AnswerMeasure
from reasrm.policy.measures.measures_file import ArmComparison, EqualBudget
from reasrm.policy.measures.prompt_means import MeasuredRun, equal_updates
from reasrm.policy.measures.seeded_figures import Bootstrap, change

UPDATES, JUDGE_TOKENS = "updates", "judge_tokens"


def comparisons(
    arms: Mapping[str, Sequence[MeasuredRun]],
    reference: str,
    budget: EqualBudget | None,
    measures: Sequence[AnswerMeasure],
    drawn: Bootstrap,
) -> list[ArmComparison]:
    """`reference` minus each other arm, by measure; with equal tokens only of arms that a judge rewarded.

    Equal is equal for all: the number of updates that every training has reached, and the judge tokens that every
    judged one has spent (`budget`), each taken at its last check within. Where that is the start, nothing is compared.
    """
    runs = [one.run for seeds in arms.values() for one in seeds]
    updates = equal_updates(runs)
    points = [(UPDATES, updates, {run.key: updates for run in runs})]
    points += [] if budget is None else [(JUDGE_TOKENS, budget.tokens, budget.steps)]
    found: list[ArmComparison] = []
    for basis, at, steps in points:
        for name in arms:
            pair = {one.run.key: steps.get(one.run.key, 0) for arm in (reference, name) for one in arms[arm]}
            if name == reference or not min(pair.values()) or any(one.steps == pair for one in found):
                continue  # the same answers are not tested twice
            found.append(_compared(basis, at, (reference, name), (arms[reference], arms[name]), pair, measures, drawn))
    return found


def _compared(
    basis: str,
    at: int,
    names: tuple[str, str],
    arms: tuple[Sequence[MeasuredRun], Sequence[MeasuredRun]],
    steps: Mapping[str, int],
    measures: Sequence[AnswerMeasure],
    drawn: Bootstrap,
) -> ArmComparison:
    found = {}
    for measure in measures:
        first, second = (
            {one.run.outcome.seed: one.means(measure, steps[one.run.key]) for one in seeds} for seeds in arms
        )
        if measure.tested and (moved := change(first, second, measure.unit, drawn)) is not None:
            found[measure.name] = moved
    shared = sorted({one.run.outcome.seed for one in arms[0]} & {one.run.outcome.seed for one in arms[1]})
    return ArmComparison(
        basis=basis, first=names[0], second=names[1], at=at, steps=dict(steps), seeds=shared, differences=found
    )
