"""Making text under judgement harmless: what imitates our delimiters, tags or chat tokens is defused, visibly.

The prompt's structure is made of bracketed delimiter lines, protocol tags and the chat template's own tokens. An answer
that contains one of them could end its own frame, forge a verdict, or open a turn. Here their brackets are replaced by
look-alikes that no parser of ours and no tokenizer takes for the real thing; every other character stays as it is, so
that quotes of ordinary text remain exact. The rules:

- An imitation is looked for in the text as it is read (`folded_text.py`): compatibility forms, look-alike letters and
  brackets, invisible characters and marks on letters hide nothing.
- A delimiter or a tag is known by its beginning. Whatever stands in it, other brackets too, it counts as soon as any
  bracket could close it; where its words are those of our own frames, or it is a tag without a word before it, even if
  none does: the next frame's bracket would.
- A chat token is known by its pattern (`chat_marks.py`), between two brackets that belong together.
- A bare `[[A]]` stays. Only a verdict inside `<answer>` counts for our own judges, and that tag is defused; published
  judges, some of which are read by bare brackets, are shown texts as they are; and it is the form of wiki links and
  matrices.

Linear in the text's length: each bracket is looked at once. Applying it twice changes nothing more: which brackets
belong together does not depend on those that were replaced.
"""

import re
from collections.abc import Iterator

from reasrm.judging.chat_marks import WRONG_WAY_ROUND, is_angle_mark, is_square_mark
from reasrm.judging.folded_text import FoldedText, fold

PROTOCOL_TAGS = (
    "type", "rubric", "justify", "solution", "eval", "answer", "think",
    "quote_A", "quote_B", "summary_A", "summary_B",
)  # fmt: skip

SAFE_BRACKET = {"<": "‹", ">": "›", "[": "⟦", "]": "⟧"}  # noqa: RUF001
"""What defusing writes for each bracket."""
SAFE_COLON = "꞉"  # noqa: RUF001

_TAG_NAME = rf"(?:{'|'.join(PROTOCOL_TAGS)})\b"
_TAG = re.compile(rf"<\s*/?\s*{_TAG_NAME}", re.IGNORECASE)
_LONE_TAG = re.compile(rf"(?<![\w)\]])</?{_TAG_NAME}", re.IGNORECASE)
"""A tag, also where nothing closes it; behind a word it may be a comparison or a type parameter."""
_GAP = r"[\s_\-.:]*"
_FRAMED = r"(?:client|answer|response|assistant|chatbot|question|conversation|earlier|judge|instruction|prompt|context)"
_DELIMITER = re.compile(
    r"\[\s*(?:the\s+)?(?:start|end|begin|beginning)\s*of\b|\[\s*client'?s?\s+question", re.IGNORECASE
)
_OWN_DELIMITER = re.compile(
    rf"\[[\s=#*/_\-]*(?:the{_GAP})?(?:start|end|begin(?:ning)?|close|finish){_GAP}(?:of)?{_GAP}(?:the|final|my)?{_GAP}{_FRAMED}",
    re.IGNORECASE,
)
_ANGLES = re.compile(r"[<>\n]")
_SQUARES = re.compile(r"[\[\]]")
_SPEAKER = re.compile(
    r"^[ >*#_\-•\"']*(?:client|assistant|system|user|human)(?:[\s*_\"']*):", re.IGNORECASE | re.MULTILINE
)


def defuse(text: str) -> str:
    """Return `text` with imitations of tags, chat tokens and delimiter lines made harmless."""
    if text.isascii() and not any(bracket in text for bracket in "<[]"):  # most texts hold none, and that is seen fast
        return text
    folded = fold(text)
    view = folded.view
    places = _angles_to_replace(view) | _squares_to_replace(view)
    return _replaced(text, folded, {place: SAFE_BRACKET[view[place]] for place in places})


def defuse_turn(text: str) -> str:
    """Like `defuse`, and no line of the turn can pass for another speaker's: `Assistant:` gets a look-alike colon."""
    folded = fold(text := defuse(text))
    colons = {found.end() - 1: SAFE_COLON for found in _SPEAKER.finditer(folded.view)}
    return _replaced(text, folded, colons)


def _replaced(text: str, folded: FoldedText, signs: dict[int, str]) -> str:
    """`text` with the characters behind these places of its view replaced."""
    if not signs:
        return text
    characters = list(text)
    for place, sign in signs.items():
        characters[folded.places[place]] = sign
    return "".join(characters)


def _angles_to_replace(view: str) -> set[int]:
    last_close = view.rfind(">")
    places = {found.start() for found in _TAG.finditer(view) if found.start() < last_close}
    places |= {found.start() for found in _LONE_TAG.finditer(view)}
    for opened, closed, one_line in _pairs(view, _ANGLES, "<", last_close):
        if opened in places or is_angle_mark(view, opened, closed, one_line):
            places |= {opened, closed}
    return places


def _squares_to_replace(view: str) -> set[int]:
    last_close = view.rfind("]")
    places = {found.start() for found in _DELIMITER.finditer(view) if found.start() < last_close}
    places |= {found.start() for found in _OWN_DELIMITER.finditer(view)}
    for opened, closed, _ in _pairs(view, _SQUARES, "[", last_close):
        if opened in places or is_square_mark(view, opened, closed):
            places |= {opened, closed}
    for found in WRONG_WAY_ROUND.finditer(view):
        places |= {place for place in range(*found.span()) if view[place] in SAFE_BRACKET}
    return places


def _pairs(view: str, brackets: re.Pattern[str], opening: str, last_close: int) -> Iterator[tuple[int, int, bool]]:
    """The brackets that belong together, and whether both stand on one line."""
    line, open_ones = 0, []
    for found in brackets.finditer(view, 0, last_close + 1):
        if found.group() == "\n":
            line += 1
        elif found.group() == opening:
            open_ones.append((found.start(), line))
        elif open_ones:
            opened, its_line = open_ones.pop()
            yield opened, found.start(), line == its_line
