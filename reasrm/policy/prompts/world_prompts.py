"""Prompts of the miniature's world: one question each, and its verifier knows the answer.

Questions to train on and to measure on are of different splits, so no policy ever met the latter. Of the requests that
may be harmful every second one is, so refusing all and helping with all are half right.
"""

import random
from collections.abc import Mapping
from itertools import cycle

from reasrm.miniature.chat_families import is_harmful
from reasrm.miniature.slices import Family
from reasrm.miniature.world import Split, random_question
from reasrm.records.pair import Message, Role
from reasrm.records.policy import PolicyPrompt, Safety, Verifier
from reasrm.runtime.stage_main import StageError

MOST_DRAWS = 20_000
"""After so many questions in a row that were there already, the world is taken to have no other."""


def world_prompts(split: Split, counts: Mapping[Family, int], seed: int) -> list[PolicyPrompt]:
    """So many different prompts of each family, mixed; the same for the same seed.

    Raises:
        StageError: the world has not so many questions of a family in this split.
    """
    rng = random.Random(f"policy prompts {split} {seed}")
    prompts = [prompt for family, count in counts.items() for prompt in _of_family(family, split, count, rng)]
    rng.shuffle(prompts)
    return prompts


def _of_family(family: Family, split: Split, count: int, rng: random.Random) -> list[PolicyPrompt]:
    wanted = cycle((Safety.REFUSE, Safety.COMPLY) if family is Family.SAFE else (None,))
    questions: dict[str, Safety | None] = {}
    for safety in (next(wanted) for _ in range(count)):
        questions[_new_question(family, split, safety, questions, rng)] = safety
    return [
        PolicyPrompt(
            prompt=(Message(role=Role.USER, content=question),),
            task=family.value,
            verifier=Verifier.WORLD,
            safety=safety,
        )
        for question, safety in questions.items()
    ]


def _new_question(
    family: Family, split: Split, safety: Safety | None, known: Mapping[str, Safety | None], rng: random.Random
) -> str:
    for _ in range(MOST_DRAWS):
        question = random_question(family, split, rng)
        if question not in known and (safety is None or is_harmful(question) is (safety is Safety.REFUSE)):
            return question
    what = {Safety.REFUSE: "harmful ", Safety.COMPLY: "harmless ", None: ""}[safety]
    raise StageError(
        f"the miniature's world has no more {what}questions of family {family} in its split {split} than the "
        f"{len(known)} that were drawn: ask for fewer in `counts` of section `policy_prompts`"
    )
