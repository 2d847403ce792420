"""How far an arm's style has moved: the total variation distance of its answers' looks from those of the start.

An answer's looks are the combination of the patterns that it shows. A distance is never negative, and two samples of
the same policy lie apart by chance, so beside it stands what chance alone would give: the sign of each prompt's
difference is flipped (the start's and the end's answers to a prompt change places), as in the tests of paired means.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict

from reasrm.policy.measures.answer_measures import ReadAnswer
from reasrm.policy.measures.seeded_figures import Bootstrap

Looks = Mapping[str, Mapping[frozenset[str], float]]
"""By prompt id the share of its answers that look so."""


class StyleDistance(BaseModel):
    """The distance from the start, in [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    by_chance: float
    """Its mean if nothing had changed."""
    p: float
    """Of there being no change, over prompts, for these very trainings."""
    q: float | None = None
    """p adjusted for all tests of the file."""
    prompts: int


def looks_of(answers: Iterable[ReadAnswer]) -> Looks:
    """What the answers look like, all seeds together."""
    found: dict[str, Counter[frozenset[str]]] = defaultdict(Counter)
    for one in answers:
        found[one.prompt.id][one.styled] += 1
    return {
        prompt: {look: number / counts.total() for look, number in counts.items()} for prompt, counts in found.items()
    }


def style_distance(start: Looks, end: Looks, drawn: Bootstrap) -> StyleDistance:
    """The distance between the mean looks of two steps, over the prompts of both."""
    prompts = sorted(start.keys() & end.keys())
    kinds = sorted({look for looks in (*start.values(), *end.values()) for look in looks}, key=sorted)
    moved = np.array([[end[one].get(kind, 0.0) - start[one].get(kind, 0.0) for kind in kinds] for one in prompts])
    value = _distance(moved.mean(axis=0))
    signs = np.random.default_rng(drawn.seed).choice((-1.0, 1.0), size=(drawn.resamples, len(prompts)))
    by_chance = _distance(signs @ moved / len(prompts))
    as_far = int(np.count_nonzero(by_chance >= value - 1e-12))
    return StyleDistance(
        value=float(value),
        by_chance=float(by_chance.mean()),
        p=(as_far + 1) / (drawn.resamples + 1),
        prompts=len(prompts),
    )


def _distance(differences: np.ndarray) -> np.ndarray:
    half: np.ndarray = 0.5 * np.abs(differences).sum(axis=-1)
    return half
