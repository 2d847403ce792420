"""Which judged pairs an oracle is asked about first, so that a cap on questions cuts off what matters least.

What the judge is unsure of comes by its own behaviour (another answer in the other order, or no verdict). What it is
sure and wrong about cannot be seen so: therefore pairs with the answer that it likes best of a prompt's, which is where
a policy trained on it goes, and pairs drawn at random.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval
from reasrm.records.hard_case import AnswerPair, Candidate, CandidateKind, Verdicts

UNSURE = (CandidateKind.NO_VERDICT, CandidateKind.INCONSISTENT)


def kind_of(verdicts: Verdicts, *, holds_top_answer: bool) -> CandidateKind:
    """What kind of candidate a pair is by what the judge named in both orders."""
    if None in verdicts:
        return CandidateKind.NO_VERDICT
    if verdicts[0] is not verdicts[1]:
        return CandidateKind.INCONSISTENT
    return CandidateKind.TOP_ANSWER if holds_top_answer else CandidateKind.DRAWN


def wins(pairs: Sequence[AnswerPair], verdicts: Sequence[Verdicts]) -> dict[tuple[str, str], float]:
    """Share of its judgments that each answer wins, by prompt id and answer; one without a verdict counts half."""
    shares: dict[tuple[str, str], list[float]] = defaultdict(list)
    for pair, named in zip(pairs, verdicts, strict=True):
        for side in named:
            won = 0.5 if side is None else float(side is Side.A)
            shares[pair.prompt_id, pair.a].append(won)
            shares[pair.prompt_id, pair.b].append(1 - won)
    return {key: sum(values) / len(values) for key, values in shares.items()}


def candidates(
    pairs: Sequence[AnswerPair], verdicts: Sequence[Verdicts], judge: str, seed: int, per_prompt: int
) -> list[Candidate]:
    """Each pair as a candidate, unsure ones first; of a prompt the first `per_prompt` alone.

    Among unsure pairs most are ties, which no oracle can label. One answer of which has won more of its other
    comparisons is less likely to be one, so those with the greatest difference come first.
    """
    won = wins(pairs, verdicts)
    top: dict[str, float] = defaultdict(float)
    for (prompt_id, _), share in won.items():
        top[prompt_id] = max(top[prompt_id], share)
    found = []
    for pair, named in zip(pairs, verdicts, strict=True):
        best = max(won[pair.prompt_id, pair.a], won[pair.prompt_id, pair.b])
        kind = kind_of(named, holds_top_answer=best == top[pair.prompt_id])
        found.append(Candidate(pair=pair, kind=kind, verdicts={judge: named}))
    taken: dict[str, int] = defaultdict(int)
    first = []
    for one in sorted(found, key=lambda one: (one.kind not in UNSURE, -_gap(one, won), _place(one, seed))):
        taken[one.pair.prompt_id] += 1
        if taken[one.pair.prompt_id] <= per_prompt:
            first.append(one)
    return first


def _gap(candidate: Candidate, won: Mapping[tuple[str, str], float]) -> float:
    """How much more one answer of an unsure pair has won than the other; 0 for what the judge is sure of."""
    pair = candidate.pair
    if candidate.kind not in UNSURE:
        return 0.0
    return abs(won[pair.prompt_id, pair.a] - won[pair.prompt_id, pair.b])


def _place(candidate: Candidate, seed: int) -> float:
    return unit_interval("first", seed, candidate.pair.id)


def in_shares(found: Sequence[Candidate], shares: Mapping[CandidateKind, float]) -> list[Candidate]:
    """The candidates in an order of which every beginning holds the kinds in these shares, while there are any.

    Args:
        found: in the order in which those of one kind are to follow each other.
        shares: by kind, above 0 together; a kind without a share is left out.
    """
    waiting = {kind: [one for one in found if one.kind is kind] for kind, share in shares.items() if share > 0}
    waiting = {kind: some for kind, some in waiting.items() if some}
    places = [
        ((rank + 0.5) / shares[kind], order, one)
        for order, (kind, some) in enumerate(waiting.items())
        for rank, one in enumerate(some)
    ]
    return [one for _, _, one in sorted(places, key=lambda place: place[:2])]
