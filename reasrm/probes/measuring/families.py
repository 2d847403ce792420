"""Many tests on one page: two judges compared measure by measure, and all tests adjusted as one family.

A page that shows a hundred tests at 5 % shows five effects where there are none. So all of its tests, the measures of
every model and the comparisons of models, are one family, and what counts is the false discovery rate (Benjamini and
Hochberg 1995): of the effects with q below 5 %, one in twenty is expected to be none.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measuring.question_values import QuestionValues
from reasrm.probes.statistics import mean_difference

Test = TypeVar("Test")


class ModelDifference(NamedTuple):
    """One measure of two judges, over the questions that both have."""

    probe: str
    first: float
    """Mean of the first judge over the shared questions, which may be fewer than its own measure counts."""
    second: float
    measure: Measure
    """First minus second: value, interval, p against 0; `left_out` counts questions that only one of the two has."""


def adjusted(p_values: Mapping[Test, float]) -> dict[Test, float]:
    """The q of each test: the smallest false discovery rate at which it would count as an effect."""
    if not p_values:
        return {}
    from scipy.stats import false_discovery_control

    return dict(zip(p_values, map(float, false_discovery_control(list(p_values.values()))), strict=True))


def model_differences(
    first: QuestionValues, second: QuestionValues, goods: Mapping[tuple[str, str], Good], seed: int
) -> list[ModelDifference]:
    """The first judge against the second in every measure that both have, paired by question.

    Args:
        first: what the first judge's questions came to.
        second: what the second judge's came to.
        goods: which direction speaks for a judge, by probe and name of the measure; `Good.NEITHER` if not there.
        seed: of the sign flips.
    """
    others = dict(second.by_measure())
    found = []
    for key, values in first.by_measure():
        other = others.get(key, {})
        shared = [question for question in values if question in other]
        if not shared:
            continue
        probe, name, variant = key
        both = [*values.values(), *other.values()]
        measure = mean_difference(
            {question: values[question] - other[question] for question in shared},
            max(1.0, max(both) - min(both)),
            seed,
            name=name,
            variant=variant,
            good=goods.get((probe, name), Good.NEITHER),
            units=len(shared),
            left_out=len(values.keys() ^ other.keys()),
        )
        mean, other_mean = (sum(one[question] for question in shared) / len(shared) for one in (values, other))
        found.append(ModelDifference(probe, mean, other_mean, measure))
    return found
