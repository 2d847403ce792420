"""From the answers of all trained policies to the measures and curves that the report reads."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reasrm.policy.measures.adjusted_tests import with_adjusted_tests
from reasrm.policy.measures.answer_measures import AnswerMeasure, AnswerReader, answer_measures
from reasrm.policy.measures.compared_arms import comparisons
from reasrm.policy.measures.measures_file import (
    ArmSeed,
    CurvePoint,
    EvalPromptCounts,
    MeasureAbout,
    PolicyArm,
    PolicyCurves,
    PolicyMeasures,
)
from reasrm.policy.measures.over_optimisation import OverOptimisation, over_optimisation
from reasrm.policy.measures.policy_runs import PolicyRun, arms_of
from reasrm.policy.measures.prompt_means import MeasuredRun, common_steps, equal_judge_tokens, prompt_means
from reasrm.policy.measures.seeded_figures import Bootstrap, PolicyFigure, change, figure
from reasrm.policy.measures.style_distance import StyleDistance, looks_of, style_distance
from reasrm.policy.refusal_error import error_note
from reasrm.records.policy import Safety, Verifier
from reasrm.runtime.stage_main import StageError


@dataclass(frozen=True)
class ScoredArm:
    """An arm with what measures it."""

    seeds: Sequence[MeasuredRun]
    measures: Sequence[AnswerMeasure]
    drawn: Bootstrap

    @property
    def runs(self) -> list[PolicyRun]:
        """The trainings alone."""
        return [one.run for one in self.seeds]

    def figures(self, step: Callable[[PolicyRun], int]) -> dict[str, PolicyFigure]:
        """Every measure at a step of each run."""
        found = {measure.name: self.figure(measure, step) for measure in self.measures}
        return {name: one for name, one in found.items() if one is not None}

    def figure(
        self, measure: AnswerMeasure, step: Callable[[PolicyRun], int], task: str | None = None
    ) -> PolicyFigure | None:
        """One measure at a step of each run, of one task if named."""
        if measure.pooled:
            answers = (answer for one in self.seeds for answer in one.read[step(one.run)])
            found = figure({0: prompt_means(measure, answers)}, measure.unit, self.drawn)
            return None if found is None else found.model_copy(update={"seeds": {}})
        seeds = {one.run.outcome.seed: one.means(measure, step(one.run), task) for one in self.seeds}
        return figure(seeds, measure.unit, self.drawn)

    def by_task(self, measure: AnswerMeasure) -> dict[str, tuple[PolicyFigure, PolicyFigure]]:
        """One measure by task, at the start and at the end."""
        tasks = sorted({prompt.task for prompt in self.runs[0].prompts.values()})
        both = {task: (self.figure(measure, _start, task), self.figure(measure, _last, task)) for task in tasks}
        return {task: (one, other) for task, (one, other) in both.items() if one is not None and other is not None}

    def style(self) -> StyleDistance | None:
        """How far the looks have moved; None where nothing says what style is."""
        if not self.seeds[0].reader.patterns:
            return None
        start = looks_of(answer for one in self.seeds for answer in one.read[0])
        end = looks_of(answer for one in self.seeds for answer in one.read[one.run.last])
        return style_distance(start, end, self.drawn)

    def over_optimisation(self) -> OverOptimisation | None:
        """Whether gold falls while the proxy rises."""
        named = {one.name: one for one in self.measures}
        steps = common_steps(self.runs)
        gold, proxy = (
            {step: {one.run.outcome.seed: one.means(named[name], step) for one in self.seeds} for step in steps}
            for name in ("gold", "proxy")
        )
        return over_optimisation(gold, proxy, self.drawn)

    def course(self) -> list[CurvePoint]:
        """Every check that all seeds have."""
        return [
            CurvePoint(
                step=step,
                judge_tokens=sum(run.judge_tokens(step) for run in self.runs) / len(self.runs),
                figures=self.figures(_at(step)),
            )
            for step in common_steps(self.runs)
        ]  # fmt: skip


def score_policies(
    runs: Sequence[PolicyRun], reader: AnswerReader, reference: str, drawn: Bootstrap
) -> tuple[PolicyMeasures, PolicyCurves]:
    """All measures and curves; of no run, files that say so.

    Args:
        runs: every training, on the same prompts.
        reader: what counts as a shortcut and as style.
        reference: the arm that the others are compared with.
        drawn: how prompts are drawn.

    Raises:
        StageError: there are arms and `reference` is none of them, or an arm's seeds differ in more than the seed.
    """
    measures = answer_measures(list(reader.phrases), list(reader.patterns))
    arms = {
        name: ScoredArm([MeasuredRun(run, reader) for run in seeds], measures, drawn)
        for name, seeds in arms_of(runs).items()
    }
    if arms and reference not in arms:
        raise StageError(
            f"params.yaml: policy_scores.reference names {reference!r}, which is no arm; name one of {', '.join(arms)}"
        )
    budget = equal_judge_tokens(runs)
    found = PolicyMeasures(
        seed=drawn.seed,
        resamples=drawn.resamples,
        reference=reference,
        phrases=dict(reader.phrases),
        styles={name: pattern.pattern for name, pattern in reader.patterns.items()},
        prompts=_counts(runs),
        about=[MeasureAbout.model_validate(one, from_attributes=True) for one in measures],
        arms=[_scored(name, arm) for name, arm in arms.items()],
        comparisons=comparisons({name: arm.seeds for name, arm in arms.items()}, reference, budget, measures, drawn),
        equal_budget=budget,
        tests=0,
        tests_trainings=0,
    )
    return with_adjusted_tests(found), PolicyCurves(arms={name: arm.course() for name, arm in arms.items()})


def _start(_: PolicyRun) -> int:
    return 0


def _last(run: PolicyRun) -> int:
    return run.last


def _at(step: int) -> Callable[[PolicyRun], int]:
    return lambda _: step


def _scored(name: str, arm: ScoredArm) -> PolicyArm:
    named = {one.name: one for one in arm.measures}
    changes = {
        measure.name: change(
            {one.run.outcome.seed: one.means(measure, one.run.last) for one in arm.seeds},
            {one.run.outcome.seed: one.means(measure, 0) for one in arm.seeds},
            measure.unit,
            arm.drawn,
        )
        for measure in arm.measures
        if measure.tested
    }
    return PolicyArm(
        name=name,
        seeds=[ArmSeed(key=run.key, outcome=run.outcome, last=run.checks[run.last]) for run in arm.runs],
        start=arm.figures(_start),
        end=arm.figures(_last),
        gold_by_task=arm.by_task(named["gold"]),
        success_by_task=arm.by_task(named["success"]),
        changes={name: one for name, one in changes.items() if one is not None},
        style=arm.style(),
        over_optimisation=arm.over_optimisation(),
    )


def _counts(runs: Sequence[PolicyRun]) -> EvalPromptCounts:
    prompts = list(runs[0].prompts.values()) if runs else []
    by_phrases = any(one.safety is not None and one.verifier is not Verifier.WORLD for one in prompts)
    return EvalPromptCounts(
        prompts=len(prompts),
        by_task=dict(sorted(Counter(one.task for one in prompts).items())),
        to_refuse=sum(one.safety is Safety.REFUSE for one in prompts),
        to_comply=sum(one.safety is Safety.COMPLY for one in prompts),
        by_phrases=by_phrases,
        refusal_error=error_note() if by_phrases else "",
    )
