"""Does gold fall while the proxy rises? Tested on prompts that did not choose the check that is compared.

The best check of a curve is best partly by chance, so the last one lies below it even where nothing falls. So half of
the prompts, drawn by a hash, choose the check with the highest gold before the last; on the other half the last check
is compared with it. What counts as shown is both: gold is lower and the proxy higher, each at the level of the file's
adjusted tests (the larger of the two p enters the family, as in an intersection-union test).
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from reasrm.policy.measures.answer_measures import SHARE
from reasrm.policy.measures.seeded_figures import Bootstrap, PolicyChange, PromptMeans, change
from reasrm.records.content_hash import content_hash

SeedMeans = Mapping[int, PromptMeans]
"""By seed."""


class OverOptimisation(BaseModel):
    """The last check against the best earlier one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    best_step: int
    """The check before the last with the highest gold on the prompts that choose."""
    last_step: int
    gold: PolicyChange
    """Last minus best, on the other prompts."""
    proxy: PolicyChange | None
    """The same of the proxy; None for an arm without a judge."""
    p: float | None
    """Of both together: the larger one; None without a proxy."""
    p_trainings: float | None
    """The same over other trainings; None of one seed."""
    q: float | None = None
    """p adjusted for all of the file."""
    q_trainings: float | None = None
    """The same of `p_trainings`."""

    @property
    def opposed(self) -> bool:
        """Whether gold is lower and the proxy higher, by chance or not."""
        return self.proxy is not None and self.gold.value < 0 < self.proxy.value


def over_optimisation(
    gold: Mapping[int, SeedMeans], proxy: Mapping[int, SeedMeans], drawn: Bootstrap
) -> OverOptimisation | None:
    """Compare the last check with the best one before it; None where there are too few checks or prompts.

    Args:
        gold: by step, of the checks that all seeds have.
        proxy: the same.
        drawn: how prompts are drawn.
    """
    steps = sorted(gold)
    if len(steps) < 2:
        return None
    chooses = _half(gold[steps[0]], drawn.seed)
    best = max(steps[:-1], key=lambda step: (_mean(gold[step], chooses), -step))
    compared = {
        name: change(_others(one[steps[-1]], chooses), _others(one[best], chooses), SHARE, drawn)
        for name, one in (("gold", gold), ("proxy", proxy))
    }
    if compared["gold"] is None:
        return None
    fell, rose = compared["gold"], compared["proxy"]
    pairs = [(fell.p, rose.p), (fell.p_trainings, rose.p_trainings)] if rose is not None else [(None, None)] * 2
    p, p_trainings = (None if one is None or other is None else max(one, other) for one, other in pairs)
    return OverOptimisation(best_step=best, last_step=steps[-1], gold=fell, proxy=rose, p=p, p_trainings=p_trainings)


def _half(seeds: SeedMeans, seed: int) -> frozenset[str]:
    """Every second prompt in the order of a hash."""
    prompts = sorted({prompt for one in seeds.values() for prompt in one}, key=lambda one: content_hash([seed, one]))
    return frozenset(prompts[::2])


def _mean(seeds: SeedMeans, prompts: frozenset[str]) -> float:
    values: Sequence[float] = [value for one in seeds.values() for prompt, value in one.items() if prompt in prompts]
    return sum(values) / len(values) if values else 0.0


def _others(seeds: SeedMeans, prompts: frozenset[str]) -> dict[int, dict[str, float]]:
    return {
        seed: {prompt: value for prompt, value in one.items() if prompt not in prompts} for seed, one in seeds.items()
    }
