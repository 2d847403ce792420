"""All tests of the measures file adjusted for each other (Benjamini-Hochberg), in two families by what they ask.

One family asks whether these very trainings differ (over prompts), the other whether other trainings would. Each keeps
its own rate of false discoveries.
"""

from collections.abc import Iterator
from typing import Any

from reasrm.policy.measures.measures_file import PolicyMeasures
from reasrm.probes.measuring.families import adjusted

FAMILIES = (("p", "q"), ("p_trainings", "q_trainings"))
"""What a test holds: its p, and where the adjusted one goes."""


def with_adjusted_tests(found: PolicyMeasures) -> PolicyMeasures:
    """The same with every q, and how many tests there are over prompts."""
    written = found.model_dump()
    sizes = []
    for p, q in FAMILIES:
        tests = [one for one in _tests(written) if one.get(p) is not None]
        settled = adjusted({number: one[p] for number, one in enumerate(tests)})
        for number, one in enumerate(tests):
            one[q] = settled[number]
        sizes.append(len(tests))
    return PolicyMeasures.model_validate({**written, "tests": sizes[0], "tests_trainings": sizes[1]})


def _tests(written: Any) -> Iterator[dict[str, Any]]:
    """Every part that holds a test, outermost only, in the order of the file: the parts of a test are none."""
    if isinstance(written, dict):
        if FAMILIES[0][0] in written:
            yield written
            return
        for part in written.values():
            yield from _tests(part)
    elif isinstance(written, list | tuple):
        for part in written:
            yield from _tests(part)
