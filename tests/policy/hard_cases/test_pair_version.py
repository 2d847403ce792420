"""The next version of the pairs: all hard cases so far, and as many old pairs as the replay says."""

import pytest

from reasrm.policy.hard_cases.pair_version import labelled_pairs, next_version
from reasrm.records.comparison import Side
from reasrm.records.hard_case import HARD_CASE, RelabelledCandidate, RelabelOutcome
from reasrm.records.pair import PreferencePair
from reasrm.runtime.stage_main import StageError
from tests.policy.hard_cases.answer_pairs import RIGHT, WRONG, candidate_of, labelled, pair_of

PAIR = pair_of(WRONG, RIGHT)
NEW = labelled_pairs([labelled(PAIR, Side.B)], "round-2")


def old(number: int, source: str = "boxes") -> list[PreferencePair]:
    return [
        PreferencePair(prompt=PAIR.prompt, chosen=f"{source} {place}", rejected="x", source=source)
        for place in range(number)
    ]


def test_a_label_decides_which_answer_is_the_better_one() -> None:
    unlabelled = RelabelledCandidate(candidate=candidate_of(PAIR), outcome=RelabelOutcome.ORDERS_DISAGREE, detail="A B")
    (pair,) = labelled_pairs([labelled(PAIR, Side.B), unlabelled], "round-2")
    assert (pair.chosen, pair.rejected, pair.source) == (RIGHT, WRONG, HARD_CASE)
    assert pair.labels == {"round": "round-2", "kind": "contested", "family": "boxes"}


def test_hard_cases_of_earlier_rounds_stay_and_old_pairs_are_drawn_in_proportion() -> None:
    before = [*old(3, HARD_CASE), *old(5, "replayed before")]
    made = next_version(NEW, before, old(50), replay=2.0, seed=0)
    assert sum(pair.source == HARD_CASE for pair in made) == 4
    assert sum(pair.source == "boxes" for pair in made) == 8
    assert len(made) == 12
    assert made == next_version(NEW, before[::-1], old(50)[::-1], replay=2.0, seed=0)


def test_nothing_new_and_too_little_to_replay_are_refused() -> None:
    with pytest.raises(StageError, match="no hard case is labelled"):
        next_version([], [], old(5), 1.0, 0)
    with pytest.raises(StageError, match=r"replay is 7.0: 7 pairs .* there are 5: lower it"):
        next_version(NEW, [], old(5), 7.0, 0)
