"""The questions of the two passes: which comparisons are put to the oracle, and with which prompts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from reasrm.apis.request_format import ChatPrompt
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import hinted_prompt, judge_prompt
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.comparison import Comparison, Side, hashed_side, show
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TraceOutcome

RETRIED_WITH_HINT = frozenset({TraceOutcome.REFUSED, TraceOutcome.EMPTY, TraceOutcome.TRUNCATED, TraceOutcome.GAVE_UP})
"""First-pass outcomes that go to the second pass. A request that was rejected as invalid would be so again."""


@dataclass(frozen=True)
class OracleQuestion:
    """One pair as it is shown to the oracle, and its prompt."""

    pair: PreferencePair
    comparison: Comparison
    variant: PromptVariant
    failed_attempt: str | None = None
    """None asks without help; any text asks with the right verdict as a hint and shows the text, if there is one."""

    @cached_property
    def prompt(self) -> ChatPrompt:
        """The prompt, made when it is first needed: it costs more than reading the pair."""
        if self.failed_attempt is None:
            system, user = judge_prompt(self.comparison, self.variant)
        else:
            system, user = hinted_prompt(self.comparison, self.variant, self.failed_attempt)
        return ChatPrompt(system=system.content, user=user.content)


Questions = Callable[[], Iterator[OracleQuestion]]
"""Gives the questions of a run from the first one on, as often as it is called: they are never all in memory."""


@dataclass(slots=True)
class CoalescedRequests:
    """The questions that one request answers: pairs with equal prompts are asked about once.

    Only how many they are is kept, by the side of their better answer: all that counting them needs.
    """

    better: Counter[Side] = field(default_factory=Counter)

    @classmethod
    def of(cls, question: OracleQuestion) -> Self:
        """The first question."""
        coalesced = cls()
        coalesced.add(question)
        return coalesced

    def add(self, question: OracleQuestion) -> None:
        """One more question with the same prompt."""
        self.better[question.comparison.better] += 1


def first_pass(pairs: Iterable[PreferencePair], seed: int, variant: PromptVariant) -> Iterator[OracleQuestion]:
    """Each pair once, in the order of sides that its hash and `seed` give, without any hint."""
    for pair in pairs:
        comparison = show(pair, hashed_side(pair, seed))
        yield OracleQuestion(pair, comparison, variant)


def second_pass(first: Iterable[OracleTrace], variant: PromptVariant) -> Iterator[OracleQuestion]:
    """Each pair on which the first pass gave no right verdict, now with the right one as a hint.

    The failed attempt is shown where there is one that reads as a judgment; a refusal or a cut text would only invite
    the same again.
    """
    for trace in first:
        if needs_hint(trace):
            comparison = show(trace.pair, trace.better)
            failed = trace.text if trace.outcome is TraceOutcome.OK else ""
            yield OracleQuestion(trace.pair, comparison, variant, failed)


def needs_hint(trace: OracleTrace) -> bool:
    """Whether a first-pass trace is asked again: no reply worth reading, or no right verdict in it."""
    if trace.outcome is TraceOutcome.OK:
        verdict = read_verdict(trace.text)
        return not (isinstance(verdict, Verdict) and verdict.side is trace.better)
    return trace.outcome in RETRIED_WITH_HINT
