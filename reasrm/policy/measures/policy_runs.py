"""The trained policies to be measured: each folder of answers read and checked, seeds of one arm put together."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from reasrm.records.jsonl import BadRecordError, explain, read_records
from reasrm.records.policy import PolicyAnswer, PolicyCheck, PolicyOutcome, PolicyPrompt
from reasrm.runtime.stage_main import StageError

JUDGED = "judge"
"""What `PolicyOutcome.reward` is where a judge gave the rewards."""


@dataclass(frozen=True)
class PolicyRun:
    """One training of a policy: an arm with one seed."""

    key: str
    """The folder's name below `data/policies`."""
    outcome: PolicyOutcome
    prompts: Mapping[str, PolicyPrompt]
    """The eval prompts by id."""
    checks: Mapping[int, PolicyCheck]
    """By step, in order."""
    answers: Mapping[int, Sequence[PolicyAnswer]]
    """By step, in order."""

    @property
    def last(self) -> int:
        """The step of the last check."""
        return max(self.checks)

    def judge_tokens(self, step: int) -> int:
        """Tokens that the judge had read and written for rewards."""
        return self.checks[step].judge_prompt_tokens + self.checks[step].judge_reply_tokens

    def within(self, tokens: int) -> int:
        """The last step at which the judge had read and written no more than `tokens`."""
        return max(step for step in self.checks if self.judge_tokens(step) <= tokens)


def read_runs(folder: Path, keys: Sequence[str]) -> list[PolicyRun]:
    """The runs of `folder` (data/policies) that `keys` name, all on the same prompts.

    Raises:
        StageError: a run is not there, incomplete, or answers other prompts than the first.
        BadRecordError: a file holds something else than its records.
    """
    runs = [_read_run(folder / key) for key in keys]
    for run in runs[1:]:
        if run.prompts.keys() != runs[0].prompts.keys():
            raise StageError(
                f"{folder / run.key / 'answers'}: its prompts are not those of {runs[0].key} "
                f"({len(run.prompts.keys() & runs[0].prompts.keys())} shared of {len(run.prompts)} and "
                f"{len(runs[0].prompts)}); policies are compared on the same prompts, so train them on one prompt set"
            )
    return runs


def arms_of(runs: Sequence[PolicyRun]) -> dict[str, list[PolicyRun]]:
    """The runs of each arm by ascending seed, arms in the order in which they come.

    Raises:
        StageError: an arm has a seed twice, or its seeds differ in more than the seed.
    """
    arms: dict[str, list[PolicyRun]] = defaultdict(list)
    for run in runs:
        arms[run.outcome.arm].append(run)
    for name, seeds in arms.items():
        first = seeds[0]
        for run in seeds[1:]:
            for field in ("reward", "judge", "scheme", "planned_steps", "judge_tokens"):
                ours, theirs = getattr(run.outcome, field), getattr(first.outcome, field)
                if ours != theirs:
                    raise StageError(
                        f"{run.key}: `{field}` is {ours!r}, and {theirs!r} of {first.key}, which is the same arm "
                        f"{name!r}; seeds of one arm differ in nothing else, so name one of them otherwise"
                    )
        twice = [seed for seed, times in Counter(run.outcome.seed for run in seeds).items() if times > 1]
        if twice:
            raise StageError(f"the arm {name!r} has the seed {twice[0]} twice: {', '.join(run.key for run in seeds)}")
        seeds.sort(key=lambda run: run.outcome.seed)
    return dict(arms)


def _read_run(policy: Path) -> PolicyRun:
    folder = policy / "answers"
    missing = [name for name in ("prompts.jsonl", "steps.jsonl", "outcome.json") if not (folder / name).is_file()]
    if missing:
        raise StageError(f"{folder}: no {missing[0]}; run `dvc repro policy@{policy.name}`, or take {policy.name} out "
                         f"of `arms` in section `policy_scores` of params.yaml")  # fmt: skip
    prompts = {prompt.id: prompt for prompt in read_records(folder / "prompts.jsonl", PolicyPrompt)}
    checks = {check.step: check for check in read_records(folder / "steps.jsonl", PolicyCheck)}
    if 0 not in checks:
        raise StageError(f"{folder / 'steps.jsonl'}: no step 0, so nothing says where the training started; train it "
                         f"again: `dvc repro -f policy@{policy.name}`")  # fmt: skip
    checks = dict(sorted(checks.items()))
    answers = {step: _read_answers(folder / f"{step:05}.jsonl", prompts) for step in checks}
    return PolicyRun(policy.name, _read_outcome(folder / "outcome.json"), prompts, checks, answers)


def _read_answers(file: Path, prompts: Mapping[str, PolicyPrompt]) -> list[PolicyAnswer]:
    if not file.is_file():
        raise StageError(f"{file}: not there, although steps.jsonl beside it names its step")
    answers = list(read_records(file, PolicyAnswer))
    found = Counter((answer.prompt_id, answer.sample) for answer in answers)
    strange = [prompt for prompt, _ in found if prompt not in prompts]
    if strange:
        raise StageError(f"{file}: answers the prompt {strange[0][:12]}, which prompts.jsonl beside it lacks")
    if (twice := max(found.values(), default=1)) > 1:
        raise StageError(f"{file}: has an answer to the same prompt with the same number {twice} times")
    unanswered = prompts.keys() - {prompt for prompt, _ in found}
    if unanswered:
        raise StageError(f"{file}: {len(unanswered)} of {len(prompts)} prompts have no answer")
    return answers


def _read_outcome(file: Path) -> PolicyOutcome:
    try:
        return PolicyOutcome.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: {explain(error)}") from error
