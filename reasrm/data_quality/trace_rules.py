"""What a trace must be to be learnt from, looked at by itself: readable, right, complete, true to its quotations."""

from dataclasses import dataclass
from enum import StrEnum

from reasrm.data_quality.hint_mentions import mentions_hint
from reasrm.judging.chain_of_rubrics import OFFERED_TYPES, PromptVariant, asks_for_quotations
from reasrm.judging.question_types import QuestionType
from reasrm.judging.trace_structure import TraceStructure, grounding, read_structure
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.comparison import Comparison, Side, show
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass

WHOLE_WEIGHT = 100.0


class TraceFault(StrEnum):
    """Why a trace is not learnt from; the first that holds, in this order."""

    TRUNCATED = "truncated"
    REFUSED = "refused"
    EMPTY = "empty"
    REJECTED = "rejected"
    GAVE_UP = "gave_up"
    """These five: the request's outcome, there is no whole reply."""
    UNREADABLE = "unreadable"
    """No verdict can be read."""
    WRONG_VERDICT = "wrong_verdict"
    NO_TYPE = "no_type"
    """No type of question is named, or none that the prompt offers."""
    NO_RUBRIC_WEIGHTS = "no_rubric_weights"
    """A chat question without a rubric, or a rubric without weights."""
    WEIGHTS_NOT_100 = "weights_not_100"
    """The rubric's weights do not add up to 100."""
    NO_SOLUTION = "no_solution"
    """A reasoning question without a solution of the judge's own."""
    SIDE_NOT_QUOTED = "side_not_quoted"
    """Nothing is quoted from one of the answers (nor retold, where the rules take that)."""
    QUOTE_NOT_FOUND = "quote_not_found"
    """A quotation does not stand in the answer that it is ascribed to."""
    HINT_MENTIONED = "hint_mentioned"
    """A trace of the second pass, or one of others, says that the verdict was known beforehand (`hint_mentions.py`)."""
    TOO_LONG = "too_long"
    BENCHMARK_OVERLAP = "benchmark_overlap"
    DEV_OVERLAP = "dev_overlap"
    """Its question is one of the pairs for development."""
    NEAR_DUPLICATE = "near_duplicate"
    SIDE_BALANCE = "side_balance"
    """Right in itself; its verdict's side was in the majority."""


FAULT_OF_OUTCOME = {outcome: TraceFault(outcome.value) for outcome in TraceOutcome if outcome is not TraceOutcome.OK}


class Evidence(StrEnum):
    """What a trace must bring from each of the two answers."""

    QUOTES = "quotes"
    """Words of it between `<quote_A>` or `<quote_B>` tags."""
    QUOTES_OR_SUMMARIES = "quotes_or_summaries"
    """Words of it, or a retelling between `<summary_A>` or `<summary_B>` tags, as RM-R1's prompt asks."""


@dataclass(frozen=True)
class TraceRules:
    """What decides besides the trace itself."""

    prompt_variant: PromptVariant
    """The prompt that the oracle was shown: it decides which structure a trace must have."""
    max_characters: int
    weights_tolerance: float | None
    """How far the sum of a rubric's weights may be from 100; None takes rubrics without weights."""
    evidence: Evidence


def trace_fault(trace: OracleTrace, rules: TraceRules) -> TraceFault | None:
    """What is wrong with a trace in itself, or None."""
    if trace.outcome is not TraceOutcome.OK:
        return FAULT_OF_OUTCOME[trace.outcome]
    verdict = read_verdict(trace.text)
    if not isinstance(verdict, Verdict):
        return TraceFault.UNREADABLE
    if verdict.side is not trace.better:
        return TraceFault.WRONG_VERDICT
    structure = read_structure(trace.text)
    if asks_for_quotations(rules.prompt_variant):
        missing = _missing_part(structure, rules) or _false_quote(
            structure, show(trace.pair, trace.better), rules.evidence
        )
        if missing is not None:
            return missing
    if (trace.oracle_pass is TracePass.SECOND or trace.origin) and mentions_hint(structure.text):
        return TraceFault.HINT_MENTIONED
    return TraceFault.TOO_LONG if len(structure.text) > rules.max_characters else None


def _missing_part(structure: TraceStructure, rules: TraceRules) -> TraceFault | None:
    offered = OFFERED_TYPES.get(rules.prompt_variant)
    if offered is not None:
        if structure.type not in offered:
            return TraceFault.NO_TYPE
        if structure.type.coarse is QuestionType.REASONING:
            return None if structure.solution else TraceFault.NO_SOLUTION
    if rules.weights_tolerance is None:
        return None if structure.rubric else TraceFault.NO_RUBRIC_WEIGHTS
    if not structure.weights:
        return TraceFault.NO_RUBRIC_WEIGHTS
    return TraceFault.WEIGHTS_NOT_100 if abs(sum(structure.weights) - WHOLE_WEIGHT) > rules.weights_tolerance else None


def _false_quote(structure: TraceStructure, comparison: Comparison, evidence: Evidence) -> TraceFault | None:
    retold = structure.summarised if evidence is Evidence.QUOTES_OR_SUMMARIES else frozenset()
    if len(structure.quoted | retold) < len(Side):
        return TraceFault.SIDE_NOT_QUOTED
    responses = (comparison.response_a, comparison.response_b)
    if all(grounding(quote, *responses).holds for quote in structure.quotes):
        return None
    return TraceFault.QUOTE_NOT_FOUND
