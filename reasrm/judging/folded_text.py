# ruff: noqa: RUF001, RUF002  (look-alikes are its matter)
"""Texts as the eye reads them: compatibility forms, look-alike letters and brackets, invisible characters made equal.

A reader, and a model, takes `［Ｅｎｄ of answer A］` and `[Еnd of answer A]` (a Cyrillic letter) for the same line.
`FoldedText` is such a view of a text together with the place in the text that each of its characters comes from, so
that what is found in the view can be changed in the text and nothing else is touched.
It is for finding what imitates structure; whether two texts say the same is a stricter question (`quoted_text.py`).
"""

import re
import unicodedata
from dataclasses import dataclass

from reasrm.records.harmless_text import INVISIBLE

LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
BLANKS = "\u2800\u3164\uffa0\u115f\u1160"
"""Characters that show nothing but take room, though Unicode does not call them white space."""
ANGLE_LOOKALIKES = {"<": "˂ᐸᚲ❮❬〈⟨⧼◁◂", ">": "˃ᐳ❯❭〉⟩⧽▷▸"}
"""Signs that are read as angle brackets. The single guillemets are not among them: they are what defusing writes."""
SQUARE_LOOKALIKES = {"[": "〔【⁅❲⟬〖", "]": "〕】⁆❳⟭〗"}

_LOOKALIKES = {
    **ANGLE_LOOKALIKES,
    **SQUARE_LOOKALIKES,
    "|": "¦∣❘ǀ│┃⏐",
    ":": "∶ː",
    "_": "▁",
    "/": "∕⁄⧸╱",
    "'": "’‘ʼ′´",
    "A": "АΑᴀꓮᎪᗅᗩ", "B": "ВΒʙꓐᏴᗷ", "C": "СϹᴄꓚᏟⲤ", "D": "ᴅꓓᎠᗞ", "E": "ЕΕᴇꓰᎬⴹ", "F": "Ϝꜰꓝᖴ", "G": "ԌɢꓖᏀ", "H": "НΗʜꓧᎻᕼ",
    "I": "ІΙӀɪꓲⲒ", "J": "ЈᴊꓙᎫᒍ", "K": "КΚᴋꓗᏦⲔ", "L": "ʟꓡᏞᒪ", "M": "МΜᴍꓟᎷᗰ", "N": "ΝɴꓠⲚ", "O": "ОΟᴏꓳⲞՕ", "P": "РΡᴘꓑᏢᑭ",
    "Q": "Ԛ", "R": "ʀꓣᎡᖇ", "S": "ЅꜱꓢᏚՏ", "T": "ТΤᴛꓔᎢ", "U": "Սᴜꓴᑌ", "V": "ѴᴠꓦᏙᐯ", "W": "ԜᴡꓪᎳ₩", "X": "ХΧꓫⲬ",
    "Y": "УΥҮʏꓬᎩⲨ", "Z": "ΖᴢꓜᏃ",
    "a": "аαɑ⍺ꭺ", "b": "Ь", "c": "сϲⲥꮯ", "d": "ԁ", "e": "еεꬲꭼ", "g": "ɡ", "h": "һ", "i": "іιıⲓꭵ⍳", "j": "јϳ",
    "k": "кκ", "l": "ӏ", "n": "ոη", "o": "оοօⲟ", "p": "рρⲣ⍴", "q": "ԛ", "r": "гꮁ", "s": "ѕꮪ", "t": "τт", "u": "սυꭎ",
    "v": "νѵꮩ", "w": "ԝωꮃա", "x": "хχⲭ", "y": "уүγ",
}  # fmt: skip
_IGNORED = re.compile(f"[{INVISIBLE}\ufff9-\ufffb]")
_ODD = re.compile(r"[^\n -~]")
_ALPHABETS_OF_SIGNS = (0x1F150, 0x1F170, 0x1F1E6)
"""Where the letters A to Z in black circles, in black squares and of flags begin; Unicode gives them no other form."""
_LETTER_OF = {lookalike: letter for letter, lookalikes in _LOOKALIKES.items() for lookalike in lookalikes} | {
    chr(first + place): chr(ord("A") + place) for first in _ALPHABETS_OF_SIGNS for place in range(26)
}
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Mn", "Me"})
"""Unicode categories that leave a word readable as it is: controls, formats, halves of pairs, marks on letters."""


def is_invisible(character: str) -> bool:
    """Whether a character shows nothing and takes no room; white space and the fillers of `BLANKS` do take room."""
    if character.isspace() or character in BLANKS:
        return False
    return _IGNORED.fullmatch(character) is not None or unicodedata.category(character) in ("Cc", "Cs", "Cn")


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text as it is read. Letter case is kept; white space is a blank or a line feed."""

    view: str
    places: range | list[int]
    """For each character of the view the index in the text that it comes from, ascending."""


def fold(text: str) -> FoldedText:
    """The view of `text`, in time linear in its length."""
    if not _ODD.search(text):
        return FoldedText(text, range(len(text)))
    pieces = [_FOLDS[character] for character in text]
    view = "".join(pieces)
    if len(view) == len(text) and all(pieces):
        return FoldedText(view, range(len(text)))
    return FoldedText(view, [place for place, piece in enumerate(pieces) for _ in piece])


class _Folds(dict[str, str]):
    """What each character is read as; worked out once for each."""

    def __missing__(self, character: str) -> str:
        if character in LINE_BREAKS:
            folded = "\n"
        elif character.isspace() or character in BLANKS:
            folded = " "
        else:
            known = _LETTER_OF.get(character, character)
            parts = (_LETTER_OF.get(part, part) for part in unicodedata.normalize("NFKD", known))
            folded = "".join(part for part in parts if unicodedata.category(part) not in _UNSEEN)
        self[character] = folded
        return folded


_FOLDS = _Folds()
