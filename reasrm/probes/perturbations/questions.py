"""Other questions for the same answers: renumbered, cut, and another item's."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from reasrm.probes.query import ProbeItem
from reasrm.records.content_hash import unit_interval
from reasrm.records.pair import Message, PreferencePair

_NUMBER = r"^[ \t]*\d+[.)]\s|(?<![\w.])(\d+)(?![\w:]|\.\d)"
"""A number by itself is its group; not the label of a step (`2:`; `2)` and `2.` at the beginning of a line), nor a part
of a word or of a decimal number."""
_CLAUSE_END = re.compile(r"(?<=[.!?])(?=\s)|;(?=\s)")
_SPACE = re.compile(r"\s+")

PART_LABELS = ("subset", "domain", "category")
"""Labels of a pair that name the part of its benchmark."""


def with_question(prompt: Sequence[Message], question: str) -> tuple[Message, ...]:
    """The conversation with another last turn."""
    return (*prompt[:-1], prompt[-1].model_copy(update={"content": question}))


def renumbered(question: str, digits: str, kept: Sequence[str], *key: str | int) -> str:
    """Every number changed, digit by digit to another one of `digits`, by a hash; not within the passages `kept`.

    Args:
        question: the text.
        digits: at least three different ones; a number of several digits never begins with 0.
        kept: passages in which numbers stay as they are.
        key: of the hash.
    """
    pattern = "|".join((*map(re.escape, kept), _NUMBER))

    def changed(found: re.Match[str]) -> str:
        return _other(found[1], digits, found.start(), *key) if found[1] else found[0]

    return re.sub(pattern, changed, question, flags=re.MULTILINE)


def halves(question: str) -> tuple[str, str] | None:
    """The question cut in two, as near to its middle as it can be; None for a single word.

    Cut behind a sentence or in front of a semicolon, or between words where there is neither. No character is
    changed or lost.
    """
    text = question.rstrip()
    clauses, spaces = (
        [at for found in one.finditer(text) if text[: (at := found.start())].strip()] for one in (_CLAUSE_END, _SPACE)
    )
    candidates = clauses or spaces
    if not candidates:
        return None
    at = min(candidates, key=lambda place: abs(place - len(question) / 2))
    return question[:at], question[at:]


class OppositeQuestions:
    """Finds the question to which the worse of two answers is the better one.

    Some item has the same two contents the other way round. Its question in place of this one turns the label while
    both answers stay as they are, letter by letter.
    """

    def __init__(self, pairs: Iterable[PreferencePair], content_of: Callable[[str], str], seed: int) -> None:
        """Look among `pairs`; `content_of` takes the style off an answer."""
        self._content_of = content_of
        self._seed = seed
        self._prompts: dict[tuple[str, str], set[tuple[Message, ...]]] = defaultdict(set)
        for pair in pairs:
            self._prompts[content_of(pair.chosen), content_of(pair.rejected)].add(pair.prompt)

    def prompt_for(self, pair: PreferencePair) -> tuple[Message, ...]:
        """One of those questions, by hash, with the turns before it; the pair's own where there is none.

        A question to which each of the answers is somewhere the better one says nothing, so it is never taken.
        """
        better, worse = self._content_of(pair.chosen), self._content_of(pair.rejected)
        found = self._prompts.get((worse, better), set()) - self._prompts.get((better, worse), set())
        return _by_hash(found, "opposite", self._seed, pair.id) or pair.prompt


def another_prompt(item: ProbeItem, pool: Iterable[ProbeItem], seed: int) -> tuple[Message, ...] | None:
    """The conversation of another item of the same kind, by hash; None if there is none.

    Kinds are families, or the benchmark's own parts where rows name no family: a question from elsewhere would fit
    neither answer, whatever it asks.
    """
    prompts = {one.pair.prompt for one in pool if _kind(one) == _kind(item)}
    others = [prompt for prompt in prompts if prompt[-1].content != item.pair.question]
    return _by_hash(others, "shuffled", seed, item.pair.id)


def _kind(item: ProbeItem) -> str:
    labels = item.pair.labels
    return item.family or next((labels[key] for key in PART_LABELS if key in labels), item.benchmark)


def _by_hash(prompts: Iterable[tuple[Message, ...]], *key: str | int) -> tuple[Message, ...] | None:
    return min(prompts, key=lambda one: unit_interval(*key, *(turn.content for turn in one)), default=None)


def _other(number: str, digits: str, *key: str | int) -> str:
    found = []
    for place, digit in enumerate(number):
        leads = place == 0 and len(number) > 1
        free = [one for one in digits if one != digit and not (leads and one == "0")]
        found.append(free[int(len(free) * unit_interval("renumbered", place, *key))])
    return "".join(found)
