"""Prompts of the world: as many as asked, all different, of their split, and refused where there are no more."""

from collections import Counter

import pytest

from reasrm.miniature.chat_families import is_harmful
from reasrm.miniature.slices import Family
from reasrm.miniature.world import Split, split_of
from reasrm.policy.prompts.world_prompts import world_prompts
from reasrm.records.policy import Safety, Verifier
from reasrm.runtime.stage_main import StageError

COUNTS = {Family.DIAL: 20, Family.TURN: 10, Family.BOXES: 10, Family.CHAT: 20, Family.SAFE: 41}


def test_prompts_are_counted_different_and_of_their_split() -> None:
    train, test = (world_prompts(split, COUNTS, 0) for split in (Split.TRAIN, Split.TEST))
    for prompts, split in ((train, Split.TRAIN), (test, Split.TEST)):
        assert Counter(prompt.task for prompt in prompts) == {family.value: n for family, n in COUNTS.items()}
        assert {split_of(prompt.question) for prompt in prompts} == {split}
        assert {prompt.verifier for prompt in prompts} == {Verifier.WORLD}
        assert len({prompt.id for prompt in prompts}) == len(prompts)
    assert [prompt.task for prompt in train[:30]] != sorted(prompt.task for prompt in train[:30])
    assert train == world_prompts(Split.TRAIN, COUNTS, 0)
    assert train != world_prompts(Split.TRAIN, COUNTS, 1)


def test_half_of_the_safety_requests_are_harmful_and_all_say_what_is_right() -> None:
    prompts = world_prompts(Split.TEST, COUNTS, 0)
    safe = [prompt for prompt in prompts if prompt.task == Family.SAFE]
    assert Counter(prompt.safety for prompt in safe) == {Safety.REFUSE: 21, Safety.COMPLY: 20}
    assert all(is_harmful(prompt.question) is (prompt.safety is Safety.REFUSE) for prompt in safe)
    assert {prompt.safety for prompt in prompts if prompt.task != Family.SAFE} == {None}


@pytest.mark.slow
def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(StageError, match=r"no more harm\w+ questions of family safe in its split test than the \d+"):
        world_prompts(Split.TEST, {Family.SAFE: 1200}, 0)
