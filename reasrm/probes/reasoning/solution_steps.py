"""Whether the steps that a judge wrote in its solution are right, where the question is one whose steps are known.

Known are those of the miniature's three reasoning families (`miniature.reasoning_families`), which can be solved by
rule. Of any other question nothing is known, so nothing is said.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reasrm.miniature.reasoning_families import SolutionStep, family_of, solve
from reasrm.probes.measure import Good, Measure
from reasrm.probes.query import ProbeContext, ProbeItem
from reasrm.probes.statistics import Unit, share

STEP_DEFINITIONS: Mapping[str, str] = {
    "steps_right": "share of the steps written in a solution whose number, operation and result are those of the right "
    "solution; only of questions of the miniature's world, which can be solved by rule. Who solves only easy questions "
    "has few to get wrong.",
    "worked_out": "share of replies to such questions whose solution has every step, and each of them right; a reply "
    "without a solution has none.",
}

_STEP = re.compile(r"\bstep (\d+): *([^;→]*?) *→ *([^;\s]*)", re.IGNORECASE)
_BEGINS = re.compile(r"\bstep \d+:", re.IGNORECASE)


class CheckedSolution(NamedTuple):
    """A written solution beside the right one."""

    right: tuple[bool, ...]
    """Of each written step, whether number, operation and result are those of the right solution."""
    whole: bool
    """Whether every step is there, once and in order, and right."""


def known_solution(question: str) -> tuple[SolutionStep, ...]:
    """The right steps of a question; none of a question that cannot be solved by rule."""
    if family_of(question) is None:
        return ()
    try:
        return solve(question)
    except (KeyError, ValueError):
        return ()


def checked(written: str, solution: Sequence[SolutionStep]) -> CheckedSolution:
    """The steps of the text `written` beside those of `solution`; one that cannot be read is not right."""
    steps = [SolutionStep(int(number), operation, result) for number, operation, result in _STEP.findall(written)]
    unread = len(_BEGINS.findall(written)) - len(steps)
    right = tuple(one in solution for one in steps) + (False,) * unread
    return CheckedSolution(right, steps == list(solution) and not unread)


def steps_right(context: ProbeContext, solutions: Iterable[tuple[ProbeItem, str | None]]) -> Iterator[Measure]:
    """`STEP_DEFINITIONS` of what replies wrote as the solution, whether or not they came to a verdict."""
    known = [(item, text or "", steps) for item, text in solutions if (steps := known_solution(item.pair.question))]
    found = [(item.question, checked(text, steps)) for item, text, steps in known]
    written = (Unit(question, float(right)) for question, solution in found for right in solution.right)
    yield from share(context, "steps_right", written, good=Good.HIGHER)
    whole = (Unit(question, float(solution.whole)) for question, solution in found)
    yield from share(context, "worked_out", whole, good=Good.HIGHER)
