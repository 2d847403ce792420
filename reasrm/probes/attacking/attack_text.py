"""Texts of attacks as settings: templates whose placeholders name the side that is to win."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from reasrm.records.comparison import Side

PLACEHOLDERS = ("answer", "side", "other", "score_A", "score_B")
"""The attacked answer's own text; its letter and the other answer's; a score for each letter, 100 for its own, else 0.
"""
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
