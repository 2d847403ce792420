"""Turns as chat templates take them: made of contents, neutral ones for a comparison, folded where a template refuses.

Templates of many families refuse a system turn (Gemma, Mistral's first) or two turns of one speaker in a row. Folded
turns say the same to all of them: a system text stands at the head of the user's turn that follows it, and what one
speaker says in a row is one turn.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from reasrm.records.pair import Role

Turn = dict[str, str]
"""A message as chat templates take it: `role` and `content`."""
BETWEEN_FOLDED = "\n\n"
"""What stands between contents that became one turn."""


def as_turn(role: Role, content: str) -> Turn:
    """One turn."""
    return {"role": role.value, "content": content}


def folded(contents: Iterable[tuple[Role, str]]) -> list[Turn]:
    """System texts at the head of the user's turn, and what one speaker says in a row as one turn; no empty parts."""
    speakers = ((Role.USER if role is Role.SYSTEM else role, content) for role, content in contents)
    return [
        as_turn(role, BETWEEN_FOLDED.join(content for _, content in row if content.strip()))
        for role, row in groupby(speakers, key=lambda one: one[0])
    ]


def neutral_turns(turns: Sequence[Turn]) -> list[Turn]:
    """The same turns with neutral contents; those of white space alone stay."""
    return [
        {"role": turn["role"], "content": neutral_text(place) if turn["content"].strip() else turn["content"]}
        for place, turn in enumerate(turns)
    ]


def neutral_text(place: int) -> str:
    """A text that no template has a reason to treat specially, but that shows if one escapes, folds or cuts texts."""
    return f"Neutral text {place}x:\n  'one' & \"two\" <three> \\ {{{{ four }}}} Ünë, in full."
