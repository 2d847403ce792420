"""A run's answers as means of each prompt: read once for every check, asked for by measure and step."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reasrm.policy.measures.answer_measures import AnswerMeasure, AnswerReader, ReadAnswer
from reasrm.policy.measures.policy_runs import PolicyRun


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


def equal_updates(runs: Sequence[PolicyRun]) -> tuple[int, Mapping[str, int]] | None:
    """The last number of updates at which every run was checked, and each run's step; None if that is the start."""
    last = max(common_steps(runs), default=0)
    return (last, {run.key: last for run in runs}) if last else None


def equal_judge_tokens(runs: Sequence[PolicyRun]) -> tuple[int, Mapping[str, int]] | None:
    """The most judge tokens that every run has spent, and each run's last check within; None if one is at the start."""
    if not runs:
        return None
    tokens = min(run.judge_tokens(run.last) for run in runs)
    steps = {run.key: run.within(tokens) for run in runs}
    return (tokens, steps) if min(steps.values()) else None
