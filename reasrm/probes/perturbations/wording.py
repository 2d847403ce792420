"""Other words and another order of sentences for the same content: reorder, paraphrase, rename.

All are rules without a model, so that nothing but the wording changes; where a rule finds nothing to change, the text
stays as it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set

from reasrm.probes.perturbations.answer_style import has_code
from reasrm.records.content_hash import unit_interval

_SENTENCE_END = re.compile(r"(?<=\w\.) (?=[A-Z])")
"""Behind a full stop only: a question and the sentence that answers it stay together."""
_NUMBERED = re.compile(r"^\s*\d+[.)]|\s\d+[:)]|\bsteps?\b", re.IGNORECASE | re.MULTILINE)


def reordered(content: str, connectives: Set[str], *key: str | int) -> str:
    """The sentences behind the first one rotated, by a hash of `key`; the first says what the answer is about.

    As it is: a text of several lines, with code, that speaks of steps or numbers them, or with a sentence that begins
    with one of `connectives` and so needs the one before it.
    """
    first, *others = _SENTENCE_END.split(content)
    begins = {re.split(r"\W", sentence, maxsplit=1)[0] for sentence in others}
    if len(others) < 2 or "\n" in content or has_code(content) or _NUMBERED.search(content) or begins & connectives:
        return content
    shift = _drawn(len(others) - 1, "reordered", *key) + 1
    return " ".join((first, *others[shift:], *others[:shift]))


def paraphrased(text: str, equal: Mapping[str, str]) -> str:
    """Each wording of the table replaced by its equal, in both directions and at once; a text with code as it is."""
    both = {other: one for one, other in equal.items()} | dict(equal)
    if not both or has_code(text):
        return text
    return _any_of(both).sub(lambda found: both[found[0]], text)


def renaming(texts: Sequence[str], groups: Sequence[Sequence[str]], *key: str | int) -> dict[str, str]:
    """Which names in `texts` become which: each the one so many places on in its group, by a hash of `key`.

    The groups go around, so two different names never become one, and a relation that goes around the group with them
    (points of the compass) stays true. A name beside another
    capitalised word may be that of somebody known, and its group is left alone.
    """
    said = {word for text in texts for word in re.findall(r"\w+", text)}
    changes: dict[str, str] = {}
    for number, group in enumerate(groups):
        found = said.intersection(group)
        if found and not _part_of_longer_name(texts, found):
            shift = _drawn(len(group) - 1, "renamed", number, *key) + 1
            changes |= {name: group[(place + shift) % len(group)] for place, name in enumerate(group)}
    return changes


def renamed(text: str, changes: Mapping[str, str]) -> str:
    """All names replaced at once, whole words only."""
    return _any_of(changes).sub(lambda found: changes[found[0]], text) if changes else text


def _part_of_longer_name(texts: Sequence[str], names: Iterable[str]) -> bool:
    any_name = "|".join(map(re.escape, names))
    longer = re.compile(rf"\b[A-Z]\w* (?:{any_name})\b|\b(?:{any_name}) [A-Z]")
    return any(longer.search(text) for text in texts)


def _any_of(words: Mapping[str, str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def _drawn(options: int, *key: str | int) -> int:
    return int(options * unit_interval(*key))
