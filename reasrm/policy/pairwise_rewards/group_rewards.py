"""Groups of answers to prompts, judged by a scheme: one reward per answer.

    groups = [AnswerGroup(prompt, answers) for prompt, answers in drawn]
    judged = group_rewards(judge, groups, scheme_named("debiased_tournament"), ledger)
    for group, rewards in zip(groups, judged.rewards, strict=True): ...

The comparisons of a round are asked together, over all groups, so that an engine can fill its batches. Each distinct
one is asked once: two groups of the same prompt and answers cost as much as one, and with a ledger a step that was
interrupted goes on where it was. An answer beside one of the same text is a tie without being asked, except by a judge
that scores. A comparison with words that the judge's vocabulary lacks is not asked and has no verdict.
"""

from collections.abc import Sequence
from typing import NamedTuple

from reasrm.evaluation.judge import Judge, TokenCounts
from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.judging.verdict import Unreadable
from reasrm.policy.pairwise_rewards.scheme import TIE, Outcome, Scheme, ShownOrder
from reasrm.records.comparison import Comparison, Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, Role
from reasrm.runtime.stage_main import StageError


class AnswerGroup(NamedTuple):
    """The answers that a policy drew to one prompt."""

    prompt: str | Sequence[Message]
    """The client's question, or a whole conversation that ends with it."""
    answers: Sequence[str]
    anchor: str | None = None
    """The policy's greedy answer, for schemes with an anchor."""


class JudgedGroups(NamedTuple):
    """The rewards of some groups, and what they cost."""

    rewards: list[list[float]]
    """By group and answer, in their order."""
    comparisons: int
    """Distinct comparisons that the judge replied to; of a scheme that reads scores, distinct answers scored."""
    no_verdict: int
    """Of these, how many have neither verdict nor tie."""
    unknown_words: int
    """Distinct comparisons that were not asked, since the judge's vocabulary lacks words of them."""
    tokens: TokenCounts
    """What the judge read and wrote for them."""


def group_rewards(
    judge: Judge, groups: Sequence[AnswerGroup], scheme: Scheme, ledger: Ledger | None = None
) -> JudgedGroups:
    """Judge each group by `scheme`, round by round, all groups together.

    Raises:
        StoppedResumable: a service stopped answering; what was judged is in the ledger.
        StageError: the judge cannot serve the scheme, or the model cannot be used; says why.
        ValueError: a group has fewer than two answers, or lacks the anchor that the scheme needs.
    """
    _require_fit(judge, groups, scheme)
    asking = _Asking(judge, ledger)
    found: list[dict[ShownOrder, Outcome]] = [{} for _ in groups]
    while wanted := [
        (place, shown)
        for place, group in enumerate(groups)
        for shown in scheme.next_round(len(group.answers), found[place])
    ]:
        outcomes = asking.outcomes([_comparison(groups[place], shown) for place, shown in wanted])
        for (place, shown), outcome in zip(wanted, outcomes, strict=True):
            found[place][shown] = outcome
    rewards = [scheme.rewards(len(group.answers), known) for group, known in zip(groups, found, strict=True)]
    replied = [outcome for outcome in asking.known.values() if outcome is not None]
    without = sum(outcome.first_wins is None for outcome in replied)
    return JudgedGroups(rewards, len(replied), without, len(asking.known) - len(replied), asking.tokens)


class _Asking:
    """A judge that is asked each distinct comparison once."""

    def __init__(self, judge: Judge, ledger: Ledger | None) -> None:
        self._judge = judge
        self._ledger = ledger
        self.known: dict[Comparison, Outcome | None] = {}
        """None for a comparison that the judge cannot read."""
        self.tokens = TokenCounts()

    def outcomes(self, comparisons: Sequence[Comparison]) -> list[Outcome]:
        """The outcome of each comparison."""
        scores = isinstance(self._judge, ScalarJudge)
        tied = [not scores and one.response_a == one.response_b for one in comparisons]
        new = dict.fromkeys(
            one for one, tie in zip(comparisons, tied, strict=True) if not tie and one not in self.known
        )
        readable = [one for one in new if not self._judge.unknown_words(one)]
        judged = list(self._judge.judge(readable, self._ledger)) if readable else []
        self.known |= dict.fromkeys(new) | dict(zip(readable, map(outcome_of, judged), strict=True))
        if readable:
            self.tokens = TokenCounts(*map(sum, zip(self.tokens, self._judge.tokens, strict=True)))
        return [TIE if tie else self.known[one] or Outcome(None) for one, tie in zip(comparisons, tied, strict=True)]


def outcome_of(judgment: ComparisonJudgment) -> Outcome:
    """What a judgment means to a scheme."""
    if judgment.verdict is not None:
        return Outcome(float(judgment.verdict is Side.A), judgment.scores)
    return Outcome(0.5 if judgment.unreadable == Unreadable.TIE else None, judgment.scores)


def _comparison(group: AnswerGroup, shown: ShownOrder) -> Comparison:
    """`better` and the id say nothing here, and a judge looks at neither."""
    turns = (Message(role=Role.USER, content=group.prompt),) if isinstance(group.prompt, str) else tuple(group.prompt)
    texts = [*group.answers, *([] if group.anchor is None else [group.anchor])]
    return Comparison(
        pair_id="", prompt=turns, response_a=texts[shown.first], response_b=texts[shown.second], better=Side.A
    )


def _require_fit(judge: Judge, groups: Sequence[AnswerGroup], scheme: Scheme) -> None:
    if scheme.reads_scores and not isinstance(judge, ScalarJudge):
        raise StageError(
            f"the reward scheme {scheme.name} takes an answer's own score, and this judge names the better of two "
            "answers: take a pairwise scheme, or a judge that scores"
        )
    for place, group in enumerate(groups):
        if len(group.answers) < 2:
            raise ValueError(f"group {place} has {len(group.answers)} answers: rewards compare two or more")
        if scheme.needs_anchor and group.anchor is None:
            raise ValueError(f"group {place} has no anchor, with which {scheme.name} compares each answer")
