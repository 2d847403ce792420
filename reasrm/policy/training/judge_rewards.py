"""A judge as the reward of a policy: run in this process, or served (`reasrm serve-judge`)."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from reasrm.evaluation.judge import Judge
from reasrm.policy.pairwise_rewards.group_rewards import AnswerGroup, group_rewards
from reasrm.policy.pairwise_rewards.registry import scheme_named
from reasrm.policy.training.answer_rewards import AnswerReward, PromptGroup, RewardCosts, RewardedGroups
from reasrm.records.ledger import Ledger
from reasrm.records.policy import PolicyPrompt
from reasrm.runtime.stage_main import StageError

BOTH_ORDERS = "ring"
"""Of two answers a ring is both orders, and the reward the share of them that an answer wins: a proxy's definition."""
SCORES = "own_scores"


class BesideStart(NamedTuple):
    """What a judge says of one answer beside another."""

    proxy: float
    """The share of both orders that it wins; 1/2 for a tie and for no verdict."""
    score: float | None = None
    """Its own, of a judge that scores."""


class JudgeView(ABC):
    """What a judge makes of a policy's answers at the checks, whoever rewards."""

    @abstractmethod
    def beside(self, pairs: Sequence[tuple[PolicyPrompt, str, str]]) -> list[BesideStart]:
        """What the judge says of an answer beside another to the same prompt, for each of `pairs`.

        Raises:
            StoppedResumable: a service stopped answering; what was judged is in the ledger.
            StageError: the judge cannot be used; says why.
        """


class LocalJudgeReward(AnswerReward, JudgeView):
    """A judge that is open in this process."""

    def __init__(self, judge: Judge, scheme: str, ledger: Ledger, *, scores: bool) -> None:
        """Reward by what `judge` says.

        Args:
            judge: who is asked.
            scheme: how verdicts become rewards.
            ledger: where replies are kept: a training that was killed asks none of them again.
            scores: whether the judge scores answers by themselves.
        """
        self._judge, self._scheme, self._ledger, self._scores = judge, scheme_named(scheme), ledger, scores
        self.needs_anchor = self._scheme.needs_anchor

    def rewards(self, groups: Sequence[PromptGroup], step: int) -> RewardedGroups:
        """By the scheme, all groups of a step together.

        Raises:
            StageError: at the start of the training the judge can read not one comparison, so it is no reward.
        """
        judged = group_rewards(self._judge, list(map(_answers, groups)), self._scheme, self._ledger)
        if step == 0 and judged.unknown_words and not judged.comparisons:
            raise StageError(
                f"the judge's vocabulary lacks words of all {judged.unknown_words} comparisons of the first answers, "
                "so none was asked: let the policy start from a checkpoint that answers, or name another judge"
            )
        counts = (judged.comparisons, judged.no_verdict, judged.unknown_words)
        return RewardedGroups(judged.rewards, RewardCosts(*counts, *judged.tokens))

    def beside(self, pairs: Sequence[tuple[PolicyPrompt, str, str]]) -> list[BesideStart]:
        """Both orders, asked together."""
        groups = [AnswerGroup(prompt.prompt, (one, other)) for prompt, one, other in pairs]
        won = group_rewards(self._judge, groups, scheme_named(BOTH_ORDERS), self._ledger).rewards
        if not self._scores:
            return [BesideStart(first) for first, _ in won]
        scored = group_rewards(self._judge, groups, scheme_named(SCORES), self._ledger).rewards
        return [BesideStart(first, score) for (first, _), (score, _) in zip(won, scored, strict=True)]


class ServedJudgeReward(AnswerReward, JudgeView):
    """A judge behind an address, which keeps its own judgments and lets requests that wait together share a batch."""

    def __init__(self, client: Any, scheme: str, at_once: int) -> None:
        """Reward by what `client` (a `reasrm.serving.judge_client.JudgeClient`) replies, `at_once` groups at a time."""
        self._client, self._scheme, self._at_once = client, scheme_named(scheme), at_once
        self.needs_anchor = self._scheme.needs_anchor

    def rewards(self, groups: Sequence[PromptGroup], step: int) -> RewardedGroups:
        """By the scheme, one request per group.

        Raises:
            StageError: at the start of the training not one comparison has a verdict, so the judge is no reward.
        """
        replies = self._compared([(group.prompt, group.answers, group.anchor) for group in groups], self._scheme.name)
        unreadable = sum((Counter(reply.get("unreadable", {})) for reply in replies), Counter[str]())
        compared = sum(len(reply.get("comparisons", ())) for reply in replies)
        if step == 0 and compared and unreadable.total() == compared:
            raise StageError(
                f"none of {compared} comparisons has a verdict ({', '.join(sorted(unreadable))}): ask the judge once "
                "by hand (`reasrm judge`), or shorten what it is shown"
            )
        tokens = [sum(int(reply.get(name, 0)) for reply in replies) for name in ("prompt_tokens", "completion_tokens")]
        costs = RewardCosts(compared, unreadable.total(), 0, *tokens)
        return RewardedGroups([[float(one) for one in reply["rewards"]] for reply in replies], costs)

    def beside(self, pairs: Sequence[tuple[PolicyPrompt, str, str]]) -> list[BesideStart]:
        """Both orders, one request per pair."""
        asked = [(prompt, (one, other), None) for prompt, one, other in pairs]
        return [BesideStart(float(reply["rewards"][0])) for reply in self._compared(asked, BOTH_ORDERS)]

    def _compared(
        self, asked: Sequence[tuple[PolicyPrompt, Sequence[str], str | None]], scheme: str
    ) -> list[dict[str, Any]]:
        def compare(one: tuple[PolicyPrompt, Sequence[str], str | None]) -> dict[str, Any]:
            prompt, answers, anchor = one
            turns = [turn.model_dump(mode="json") for turn in prompt.prompt]
            options = {} if anchor is None else {"anchor": anchor}
            reply: dict[str, Any] = self._client.compare(turns, list(answers), scheme=scheme, **options)
            return reply

        with ThreadPoolExecutor(self._at_once) as senders:
            return list(senders.map(compare, asked))


def _answers(group: PromptGroup) -> AnswerGroup:
    return AnswerGroup(group.prompt.prompt, group.answers, group.anchor)
