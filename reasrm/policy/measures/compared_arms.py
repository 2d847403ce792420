"""One arm against each other: at equally many updates, and with equally many tokens of the judge spent."""

from collections.abc import Mapping, Sequence

from reasrm.policy.measures.answer_measures import AnswerMeasure
from reasrm.policy.measures.measures_file import ArmComparison
from reasrm.policy.measures.policy_runs import JUDGED
from reasrm.policy.measures.prompt_means import MeasuredRun, equal_judge_tokens, equal_updates
from reasrm.policy.measures.seeded_figures import Bootstrap, change

UPDATES, JUDGE_TOKENS = "updates", "judge_tokens"


def comparisons(
    arms: Mapping[str, Sequence[MeasuredRun]], reference: str, measures: Sequence[AnswerMeasure], drawn: Bootstrap
) -> list[ArmComparison]:
    """`reference` minus each other arm, by measure; with equal tokens only of arms that a judge rewarded.

    Equal is equal for all: the number of updates that every training has reached, and the number of judge tokens that
    every judged one has spent, each taken at its last check within. Where that is the start, nothing is compared.
    """
    runs = [one.run for seeds in arms.values() for one in seeds]
    judged = [run for run in runs if run.outcome.reward == JUDGED]
    found: list[ArmComparison] = []
    for basis, equal in ((UPDATES, equal_updates(runs)), (JUDGE_TOKENS, equal_judge_tokens(judged))):
        if equal is None or not all(one.run.key in equal[1] for one in arms[reference]):
            continue
        at, steps = equal
        for name, seeds in arms.items():
            if name == reference or not all(one.run.key in steps for one in seeds):
                continue
            both = {one.run.key: steps[one.run.key] for one in (*arms[reference], *seeds)}
            if any(earlier.second == name and earlier.steps == both for earlier in found):
                continue  # the same answers would be tested twice
            found.append(_compared(basis, at, (reference, name), (arms[reference], seeds), both, measures, drawn))
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
