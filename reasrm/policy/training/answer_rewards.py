"""Who rewards a policy's answers: the interface, and rewards without a judge."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from reasrm.policy.gold import gold_of
from reasrm.records.content_hash import unit_interval
from reasrm.records.policy import PolicyPrompt


class PromptGroup(NamedTuple):
    """The answers that a policy drew to one prompt, without their thoughts."""

    prompt: PolicyPrompt
    answers: Sequence[str]
    anchor: str | None = None
    """The policy's greedy answer, for a reward that needs one."""


class RewardCosts(NamedTuple):
    """What rewards took of a judge."""

    comparisons: int = 0
    """Distinct comparisons with a reply; of a judge that scores, answers scored."""
    no_verdict: int = 0
    unknown_words: int = 0
    """Comparisons that were not asked, since the judge's vocabulary lacks words of them."""
    judge_prompt_tokens: int = 0
    judge_reply_tokens: int = 0


class RewardedGroups(NamedTuple):
    """One reward per group and answer, and what they took."""

    rewards: list[list[float]]
    costs: RewardCosts = RewardCosts()


class AnswerReward(ABC):
    """What a policy is trained for."""

    needs_anchor: bool = False
    """Whether each group comes with the policy's greedy answer."""

    @abstractmethod
    def rewards(self, groups: Sequence[PromptGroup], step: int) -> RewardedGroups:
        """The reward of each answer.

        Args:
            groups: each of at least two answers.
            step: updates of the policy so far.

        Raises:
            StoppedResumable: a service stopped answering; what was judged is in the ledger.
            StageError: the judge cannot be used; says why.
        """


class VerifierReward(AnswerReward):
    """Gold itself; 0 for a prompt that nobody can verify."""

    def rewards(self, groups: Sequence[PromptGroup], step: int) -> RewardedGroups:
        """Gold of each answer."""
        return RewardedGroups([[gold_of(group.prompt, one) or 0.0 for one in group.answers] for group in groups])


class RandomReward(AnswerReward):
    """A number of [0, 1) for each answer that nothing but its place, its prompt, the step and the seed decides."""

    def __init__(self, seed: int) -> None:
        """Draw by `seed`."""
        self._seed = seed

    def rewards(self, groups: Sequence[PromptGroup], step: int) -> RewardedGroups:
        """The numbers; the same for the same step, so that a resumed training goes on with them."""
        return RewardedGroups(
            [
                [unit_interval("random reward", self._seed, step, group.prompt.id, place) for place in range(count)]
                for group in groups
                for count in (len(group.answers),)
            ]
        )
