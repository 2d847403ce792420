"""How outcomes are scored: what can be asked for, which rule a judge falls under, and the rule that then applies."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from reasrm.records.judge_kind import JudgeKind

RESAMPLES = 2000
"""Bootstrap samples where nothing else is asked for."""


class ScoringMode(StrEnum):
    """Which rule is asked for."""

    OFFICIAL = "official"
    """The benchmark's own rule."""
    AS_PUBLISHED = "as_published"
    """What RM-R1's scripts print, defects included; for comparison with published figures only."""


class RuleName(StrEnum):
    """Whose number a score is."""

    OFFICIAL = "official"
    AS_PUBLISHED = "as_published"
    NOT_OFFICIAL = "not_official"
    """The official rule asks for something else than these outcomes; the notes say what."""


class UnreadableRule(StrEnum):
    """What a reply without a readable verdict is worth."""

    BENCHMARK = "benchmark"
    """What the benchmark (or, as published, RM-R1) says."""
    ZERO = "zero"
    HALF = "half"


@dataclass(frozen=True)
class ScoreSettings:
    """How a score is asked for."""

    mode: ScoringMode = ScoringMode.OFFICIAL
    unreadable: UnreadableRule = UnreadableRule.BENCHMARK
    resamples: int = RESAMPLES
    """Bootstrap samples."""
    seed: int = 0
    """Of the bootstrap."""
    judge: JudgeKind = JudgeKind.GENERATIVE
    """Whose rule an outcome without verdict falls under."""


class ScoringRule(NamedTuple):
    """The rule that outcomes of some kind are scored by."""

    name: RuleName
    unreadable_credit: float
    """What an unreadable verdict is worth, from 0 to 1."""
    reason: str
    """Why it is worth that."""
    notes: tuple[str, ...] = ()
    """What must be known with the score, one sentence each."""


class OutcomeError(ValueError):
    """Outcomes that no score can be computed from; says file, line, value and way out."""
