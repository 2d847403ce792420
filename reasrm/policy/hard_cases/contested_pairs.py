"""Pairs on which two judges differ: the only ones by which one can be better than the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reasrm.policy.hard_cases.candidate_picking import kind_of
from reasrm.records.content_hash import unit_interval
from reasrm.records.hard_case import AnswerPair, Candidate, CandidateKind, Verdicts


def contested(pairs: Sequence[AnswerPair], named: Mapping[str, Sequence[Verdicts]], seed: int) -> list[Candidate]:
    """The pairs of which the judges do not name the same in both orders, in an order of chance.

    Args:
        pairs: all that the judges compared.
        named: what each judge named, by its name, in the order of `pairs`.
        seed: of the order, so that a cap on questions takes a random sample.
    """
    found = []
    for place, pair in enumerate(pairs):
        verdicts = {judge: some[place] for judge, some in named.items()}
        if len(set(verdicts.values())) > 1:
            found.append(Candidate(pair=pair, kind=CandidateKind.CONTESTED, verdicts=verdicts))
    return sorted(found, key=lambda one: unit_interval("contested", seed, one.pair.id))


def contested_counts(
    pairs: Sequence[AnswerPair], named: Mapping[str, Sequence[Verdicts]], found: Sequence[Candidate]
) -> dict[str, Any]:
    """How many pairs each held-out prompt has, how many are contested, and how consistent each judge is on all."""
    kinds = {
        judge: Counter(kind_of(verdicts, holds_top_answer=False) for verdicts in some) for judge, some in named.items()
    }
    return {
        "pairs": len(pairs),
        "contested": len(found),
        "prompts": dict(sorted(Counter(pair.prompt_id for pair in pairs).items())),
        "inconsistent": {judge: counts[CandidateKind.INCONSISTENT] for judge, counts in kinds.items()},
        "no_verdict": {judge: counts[CandidateKind.NO_VERDICT] for judge, counts in kinds.items()},
    }
