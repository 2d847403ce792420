"""What each generation of a policy's training took and how its rewards spread; what a stop is decided by.

One file, `reward_steps.jsonl` in the folder that the training resumes from, is written anew with each generation,
without what an earlier process wrote of this step and later ones: a killed and resumed training counts what one that
went through counts. In the end it stands beside the curves.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from reasrm.policy.reward_spread import RewardSpread, collapse_cause, reward_spread
from reasrm.policy.training.answer_rewards import RewardCosts, RewardedGroups
from reasrm.policy.training.settings import PolicySettings
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.policy import PolicyCheck

FILE = "reward_steps.jsonl"


class RewardStep(BaseModel):
    """One generation: a line of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int = Field(ge=0)
    """Updates before it."""
    groups: int
    mean_reward: float
    mean_sd: float
    """Of the reward within a group; mean over groups."""
    without_signal: int
    """Groups whose answers all have the same reward."""
    comparisons: int
    no_verdict: int
    unknown_words: int
    judge_prompt_tokens: int
    judge_reply_tokens: int
    policy_tokens: int
    """Sampled by the policy."""

    @classmethod
    def of(cls, step: int, rewarded: RewardedGroups, policy_tokens: int) -> "RewardStep":
        """The generation of one process."""
        spread, rewards = reward_spread(rewarded.rewards), [one for group in rewarded.rewards for one in group]
        return cls(
            step=step,
            groups=spread.groups,
            mean_reward=sum(rewards) / len(rewards),
            mean_sd=spread.mean_sd,
            without_signal=spread.without_signal,
            policy_tokens=policy_tokens,
            **rewarded.costs._asdict(),
        )


def together(parts: Sequence[RewardStep]) -> RewardStep:
    """The parts of one generation, of several processes or of groups that were sampled in others' place, as one."""
    groups = sum(part.groups for part in parts)
    weighed = {
        name: sum(getattr(part, name) * part.groups for part in parts) / groups for name in ("mean_reward", "mean_sd")
    }
    summed = {
        name: sum(getattr(part, name) for part in parts)
        for name in ("without_signal", "policy_tokens", *RewardCosts._fields)
    }
    return RewardStep(step=parts[0].step, groups=groups, **weighed, **summed)


class RewardSteps:
    """The generations so far."""

    def __init__(self, folder: Path) -> None:
        """Go on with what `folder` holds."""
        self._file = folder / FILE
        self.known = list(read_records(self._file, RewardStep)) if self._file.exists() else []

    def add(self, new: RewardStep, *, writes: bool) -> None:
        """Add one generation, or a further part of the last one; write the file if this process `writes`."""
        before = [one for one in self.known if one.step < new.step]
        same = [one for one in self.known if one.step == new.step] if self._is_open(new.step) else []
        self.known = [*before, together([*same, new])]
        self._last = new.step
        if writes:
            write_records(self._file, self.known)

    _last: int | None = None

    def _is_open(self, step: int) -> bool:
        """Whether this process has begun the generation; what an earlier process wrote of it is written anew."""
        return self._last == step

    def until(self, step: int) -> list[RewardStep]:
        """The generations that the updates before `step` were made of."""
        return [one for one in self.known if one.step < step]

    def check(self, step: int) -> PolicyCheck:
        """The counts after `step` updates."""
        counted = ("policy_tokens", *RewardCosts._fields)
        return PolicyCheck(step=step, **{name: sum(getattr(one, name) for one in self.until(step)) for name in counted})


def stop_cause(steps: Sequence[RewardStep], settings: PolicySettings, *, is_advantage: bool) -> tuple[str, bool]:
    """Why the training stops behind `steps`, in words, and whether the reward has collapsed; empty if it goes on."""
    spent = sum(one.judge_prompt_tokens + one.judge_reply_tokens for one in steps)
    if settings.judge_tokens is not None and spent >= settings.judge_tokens:
        return f"the judge's budget is spent: {spent:,} of {settings.judge_tokens:,} tokens", False
    last = steps[-settings.collapse.steps :]
    if len(last) < settings.collapse.steps:
        return "", False
    groups = sum(one.groups for one in last)
    spread = RewardSpread(
        groups, sum(one.mean_sd * one.groups for one in last) / groups, sum(one.without_signal for one in last)
    )
    least = 0.0 if is_advantage else settings.collapse.least_sd
    cause = collapse_cause(spread, least, settings.collapse.most_without_signal)
    return cause, bool(cause)
