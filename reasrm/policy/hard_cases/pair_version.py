"""The next version of the pairs to reinforce: labelled hard cases, those of earlier rounds, and a replay of the old."""

from collections.abc import Iterable, Sequence

from reasrm.records.content_hash import unit_interval
from reasrm.records.hard_case import HARD_CASE, RelabelledCandidate
from reasrm.records.pair import PreferencePair
from reasrm.runtime.stage_main import StageError


def labelled_pairs(found: Iterable[RelabelledCandidate], round_name: str) -> list[PreferencePair]:
    """The labelled candidates as preference pairs, with the round and the kind among their labels."""
    return [
        one.candidate.pair.preferred(
            one.better, {"round": round_name, "kind": one.candidate.kind.value, "family": one.candidate.pair.task}
        )
        for one in found
        if one.better is not None
    ]


def next_version(
    new: Sequence[PreferencePair],
    before: Sequence[PreferencePair],
    pool: Sequence[PreferencePair],
    replay: float,
    seed: int,
) -> list[PreferencePair]:
    """The pairs of the next version, in the order of their hash.

    Args:
        new: the round's labelled hard cases.
        before: the version that the present judge was trained on; its hard cases stay.
        pool: the pairs from which a replay is drawn, so that the judge does not forget them.
        replay: how many are drawn for each hard case.
        seed: of the draw and of the order.

    Raises:
        StageError: no hard case is labelled, or there are fewer pairs to draw than are wanted.
    """
    if not new:
        raise StageError(
            "no hard case is labelled, so there is nothing new to learn: `relabelled.jsonl` says what became of each; "
            "ask about more (relabel_variants.<...>.most_questions), or the judge has no hard cases left"
        )
    hard = {pair.id: pair for pair in (*(one for one in before if one.source == HARD_CASE), *new)}
    wanted = round(replay * len(hard))
    if wanted > len(pool):
        raise StageError(
            f"extend_pairs.replay is {replay}: {wanted} pairs are to be drawn for {len(hard)} hard cases, and there "
            f"are {len(pool)}: lower it"
        )
    drawn = sorted(pool, key=lambda pair: unit_interval("replay", seed, pair.id))[:wanted]
    return sorted((*hard.values(), *drawn), key=lambda pair: unit_interval("version", seed, pair.id))
