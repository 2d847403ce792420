"""All tests of the measures file as one family: every p adjusted for all of them (Benjamini-Hochberg)."""

from collections.abc import Iterator
from typing import Any

from reasrm.policy.measures.measures_file import PolicyMeasures
from reasrm.probes.measuring.families import adjusted

P, Q = "p", "q"
"""What a test holds; the parts of a test are none of their own."""


def with_adjusted_tests(found: PolicyMeasures) -> PolicyMeasures:
    """The same with every q, and how many tests there are."""
    written = found.model_dump()
    tests = dict(enumerate(_tests(written)))
    q = adjusted({number: one[P] for number, one in tests.items()})
    for number, one in tests.items():
        one[Q] = q[number]
    return PolicyMeasures.model_validate({**written, "tests": len(tests)})


def _tests(written: Any) -> Iterator[dict[str, Any]]:
    """Every part that has a p, outermost only, in the order of the file."""
    if isinstance(written, dict):
        if P in written and Q in written:
            if written[P] is not None:
                yield written
            return
        for part in written.values():
            yield from _tests(part)
    elif isinstance(written, list | tuple):
        for part in written:
            yield from _tests(part)
