"""Texts of attacks as settings, templates whose placeholders name the side that is to win, and queries with them."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from reasrm.probes.query import Condition, ProbeContext, ProbeItem, ProbeQuery
from reasrm.records.comparison import Side, show

PLACEHOLDERS = ("answer", "side", "other", "score_A", "score_B")
"""The attacked answer's own text; its letter and the other answer's; a score for each letter, 100 for its own, else 0.
"""
ANSWER = "{answer}"
"""What a template holds that keeps the attacked answer."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _with_known_placeholders(template: str) -> str:
    unknown = sorted({name for name in _PLACEHOLDER.findall(template) if name not in PLACEHOLDERS})
    if unknown:
        named = ", ".join(f"{{{name}}}" for name in unknown)
        raise ValueError(f"no such placeholder: {named}; there are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}")
    return template


AttackText = Annotated[str, AfterValidator(_with_known_placeholders)]
"""A template with some of `PLACEHOLDERS` in braces, or none of them."""
AttackName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
"""Lower case with underscores: it becomes a query's variant."""


def filled(template: str, winner: Side, answer: str) -> str:
    """`template` for an attack that wants `winner` to be picked, whose answer is `answer`.

    All at once, so that braces in the answer stay what they are.
    """
    scores = {f"score_{side}": "100" if side is winner else "0" for side in Side}
    values = {"answer": answer, "side": winner.value, "other": winner.other.value} | scores
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)


def comparable_orders(context: ProbeContext, item: ProbeItem) -> list[Side]:
    """Where the better answer stands in the orders of `item` that have a plain judgment to compare with."""
    return [side for side in Side if context.plain_of(item, side) is not None]


def attacked(
    context: ProbeContext, item: ProbeItem, variant: str, texts: Mapping[Side, str], condition: Condition
) -> Iterator[ProbeQuery]:
    """`item` with the text for its side in place of the losing answer, in each order that can be compared."""
    for better in comparable_orders(context, item):
        losing = better.other
        shown = show(item.pair, better).model_copy(update={f"response_{losing.lower()}": texts[losing]})
        yield ProbeQuery(item, variant, shown, condition)


def carried_by_better(context: ProbeContext, variant: str, template: str, condition: Condition) -> Iterator[ProbeQuery]:
    """Each item with `template` in the better answer, on its behalf; in one order, which alternates."""
    for place, item in enumerate(context.items):
        better = list(Side)[place % len(Side)]
        if better in comparable_orders(context, item):
            text = filled(template, better, item.pair.chosen)
            shown = show(item.pair, better).model_copy(update={f"response_{better.lower()}": text})
            yield ProbeQuery(item, variant, shown, condition)
