"""A run's answers as means of each prompt: read once for every check, asked for by measure and step."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from reasrm.policy.measures.answer_measures import AnswerMeasure, AnswerReader, ReadAnswer
from reasrm.policy.measures.measures_file import EqualBudget
from reasrm.policy.measures.policy_runs import JUDGED, PolicyRun


@dataclass(frozen=True)
class MeasuredRun:
    """A run with what was read out of its answers."""

    run: PolicyRun
    reader: AnswerReader

    @cached_property
    def read(self) -> dict[int, list[ReadAnswer]]:
        """All answers by step."""
        return {
            step: [self.reader.read(self.run.prompts[one.prompt_id], one) for one in answers]
            for step, answers in self.run.answers.items()
        }

    def means(self, measure: AnswerMeasure, step: int, task: str | None = None) -> dict[str, float]:
        """What each prompt's answers come to at a step; prompts to which the measure applies, of one task if named."""
        answers = self.read[step]
        return prompt_means(measure, (one for one in answers if task is None or one.prompt.task == task))


def prompt_means(measure: AnswerMeasure, answers: Iterable[ReadAnswer]) -> dict[str, float]:
    """The mean of each prompt's answers to which the measure applies, by prompt id."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in answers:
        value = measure.value(one)
        if value is not None:
            found[one.prompt.id].append(value)
    return {prompt: sum(values) / len(values) for prompt, values in found.items()}


def common_steps(runs: Sequence[PolicyRun]) -> list[int]:
    """The steps at which every run was checked, in order."""
    return sorted(set.intersection(*(set(run.checks) for run in runs))) if runs else []


def equal_updates(runs: Sequence[PolicyRun]) -> int:
    """The last number of updates at which every run was checked; 0 is the start."""
    return max(common_steps(runs), default=0)


def equal_judge_tokens(runs: Sequence[PolicyRun]) -> EqualBudget | None:
    """The most judge tokens that every judged run has spent, and each one's last check within."""
    judged = [run for run in runs if run.outcome.reward == JUDGED]
    if not judged:
        return None
    tokens = min(run.judge_tokens(run.last) for run in judged)
    return EqualBudget(tokens=tokens, steps={run.key: run.within(tokens) for run in judged})
