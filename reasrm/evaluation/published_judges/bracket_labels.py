"""Verdicts as labels in double brackets (`[[A]]`): what each label says, which ones a prompt defines, and reading them.

A judge is told by its prompt which labels there are. Its alphabet is those: a `[[C]]` is a tie where the prompt offers
one, and no verdict where it does not, least of all the label before it. A label that is only mentioned is no verdict
either: one that is listed (`[[A]] or [[B]]`), explained (`"[[A]]" if assistant A is better`), denied (`not [[A]]`) or
quoted in a sentence (`"[[A]]", it says`). Where labels disagree, the last one counts only if it ends its line: what
comes behind a verdict may speak of the other label (`[[B]]. While [[A]] is fine, it lacks depth`).
"""

import re
import unicodedata

from reasrm.judging.quotations import MARKUP
from reasrm.judging.verdict import Unreadable, bracketed
from reasrm.records.comparison import Side

Alphabet = dict[str, Side | Unreadable]
"""What each label says, by the label in capital letters and without spaces."""

LABELS: Alphabet = {
    **dict.fromkeys(("A", "A>B", "A>>B", "B<A", "B<<A"), Side.A),
    **dict.fromkeys(("B", "B>A", "B>>A", "A<B", "A<<B"), Side.B),
    **dict.fromkeys(("C", "TIE", "DRAW", "A=B", "B=A"), Unreadable.TIE),
}
"""Labels that published prompts use: MT-Bench and RM-R1 (`[[A]]`, `[[C]]` for a tie), Arena-Hard (`[[A>>B]]`)."""
SIDES_ALONE: Alphabet = {"A": Side.A, "B": Side.B}
SIDES_OR_TIE: Alphabet = SIDES_ALONE | {"C": Unreadable.TIE}
"""Of MT-Bench's prompt for pairs; taken where a prompt's texts show no label."""

_WHO = r"(?:(?:assistant|model|response|answer|chatbot|output)\s{1,3})?"
_LABEL = re.compile(
    bracketed(rf"{_WHO}(?:[A-E\uff21-\uff25\uff41-\uff45]|tie|draw|[AB]\s?(?:[<>]{{1,2}}|={{1,2}})\s?[AB])"),
    re.IGNORECASE,
)
_ONLY_LABEL = re.compile(f"{MARKUP}{_LABEL.pattern}{MARKUP}", re.IGNORECASE)
_NOTHING = re.compile(MARKUP)
_SIGNS = r"[\s*_~`\"'“”‘’()]{0,8}"  # noqa: RUF001
_EXPLAINED = re.compile(
    rf"{_SIGNS}(?:if|when|where|means?|indicates?|denotes?|stands\s+for|for\s+(?:a\s+)?ties?|for\s+{_WHO}(?-i:[AB]))\b",
    re.IGNORECASE,
)
_LISTED = re.compile(rf"{_SIGNS}[,;/|]?{_SIGNS}(?:and/or|or|and|vs\.?)?{_SIGNS}", re.IGNORECASE)
_DENIED = re.compile(
    r"(?:\b(?:not|never|neither|nor|cannot|than|over|instead\s+of|against|else|otherwise)|n['’]t)"  # noqa: RUF001
    rf"(?:\s+(?:say|choose|pick|select|prefer|be|go\s+with|going\s+with|vote\s+for))?{_SIGNS}\Z",
    re.IGNORECASE,
)
MOST_CHARACTERS_BEFORE = 40
"""Before a label in its line, among which a word that denies it is looked for."""
_QUOTATION_SIGNS = tuple("\"'“”„‘’«»「」")  # noqa: RUF001
_GOES_ON = re.compile(rf"[{''.join(_QUOTATION_SIGNS)}][,;]?[^\S\n]+\w")
"""Behind a label in quotation signs: its sentence goes on, which a value in JSON does not."""


def alphabet_of(*texts: str) -> Alphabet:
    """The labels that a prompt's texts define; those of `SIDES_OR_TIE` if they show none that names a side."""
    shown = {_normal(found["label"]) for text in texts for found in _LABEL.finditer(text)}
    defined = {label: meaning for label, meaning in LABELS.items() if label in shown}
    return defined if any(isinstance(meaning, Side) for meaning in defined.values()) else SIDES_OR_TIE


def last_label(text: str, alphabet: Alphabet, *, cut: bool = False) -> Side | Unreadable:
    """What the last label of `text` says that is not only mentioned.

    In a reply that the token limit `cut`, the verdict may be still to come: a label in the middle of a line is none.
    """
    found = list(_LABEL.finditer(text))
    meant = [label for place, label in enumerate(found) if not _mentioned(text, found, place)]
    if not meant:
        return Unreadable.NO_ANSWER
    said = [alphabet.get(_normal(label["label"]), Unreadable.MALFORMED) for label in meant]
    disagree = any(one is not said[-1] for one in said)
    if (cut and not _stands_alone(text, meant[-1])) or (disagree and not _ends_line(text, meant[-1])):
        return Unreadable.NO_ANSWER
    return said[-1]


def only_label(text: str, alphabet: Alphabet) -> Side | Unreadable:
    """What the label says that `text` is."""
    found = _ONLY_LABEL.fullmatch(text)
    return Unreadable.MALFORMED if found is None else alphabet.get(_normal(found["label"]), Unreadable.MALFORMED)


def _normal(label: str) -> str:
    plain = unicodedata.normalize("NFKC", label)
    return re.sub(rf"^{_WHO}|\s|(?<==)=", "", plain, flags=re.IGNORECASE).upper()


def _stands_alone(text: str, label: re.Match[str]) -> bool:
    """Whether a label begins a line or ends the text."""
    line = text[text.rfind("\n", 0, label.start()) + 1 : label.start()]
    return bool(_NOTHING.fullmatch(line) or _NOTHING.fullmatch(text, label.end()))


def _ends_line(text: str, label: re.Match[str]) -> bool:
    return _NOTHING.fullmatch(text[label.end() :].partition("\n")[0]) is not None


def _mentioned(text: str, found: list[re.Match[str]], place: int) -> bool:
    """Whether the label at `place` is listed with another one, explained, quoted in a sentence or denied."""
    this = found[place]
    before = text[max(0, this.start() - MOST_CHARACTERS_BEFORE) : this.start()].rpartition("\n")[2]
    quoted = before[-1:] in _QUOTATION_SIGNS and _GOES_ON.match(text, this.end())
    if quoted or _EXPLAINED.match(text, this.end()) or _DENIED.search(before):
        return True
    pairs = ((found[left], found[left + 1]) for left in (place - 1, place) if 0 <= left < len(found) - 1)
    return any(
        _normal(one["label"]) != _normal(other["label"]) and _LISTED.fullmatch(text, one.end(), other.start())
        for one, other in pairs
    )
