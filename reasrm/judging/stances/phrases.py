"""Prose about two answers, to the one that it prefers: by comparatives, else by praise of one and blame of the other.

Conservative: what speaks for both, is conceded (`While B is longer, …`), denied (`is not better`) or taken back (`B is
clearer but wrong`) decides nothing. The words are lists; what they miss stays unclear.

- A comparative with an answer as its subject prefers it (`A is more accurate`, `B wins`), or the other if it is one of
  blame (`A is less clear`, `B is worse`).
- Without one: praise of one answer alone and blame of the other alone prefers the praised one. A sentence that names no
  answer goes on about the one before.
- Else statements about both, or neither, and about no answer alone, hold them alike.
"""

import re
from collections import Counter

from reasrm.judging.quotations import quotations, whole_quotations
from reasrm.judging.stances.stance import Stance
from reasrm.records.comparison import Side

_NOUN = r"(?:chat\s?bot|assistant|answer|response|model|option|output|candidate|reply|solution)"
_OF_SIDE = (
    r"(?:['\u2019]s\s+(?:own\s+)?(?:[a-z]+\s+)?(?:response|answer|solution|version|approach|implementation|explanation|"
    r"code|output|reply|summary|reasoning|evaluation)s?)?"
)
_NAMED = re.compile(
    rf"\b{_NOUN}\s*\(?((?-i:[AB]))(?![A-Za-z0-9])\)?{_OF_SIDE}|\b{_NOUN}\s*\(([ab])\){_OF_SIDE}", re.IGNORECASE
)
_BARE = re.compile(
    rf"(?<![\w'\u2019§-])([AB])(?:{_OF_SIDE})(?=\s+[a-z]+s\b|\s+(?:has|is|was|does|did)\b|['\u2019]s\b|\s*[,.;:)!]|\s*$)"
)
_SIGN = re.compile(r"§([AB])")
_QUOTED = re.compile(r"<\s{0,8}quote_([AB])", re.IGNORECASE)
_RETOLD = re.compile(r"</?summary_([AB])>", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|;\s")
_CONCEDED = re.compile(r"^\W*(?:while|although|though|even though|despite|even if)\b[^,]*,?", re.IGNORECASE)
_CLAUSE = re.compile(r",?\s+(?:while|whereas|but|although|though|however)\b,?\s*", re.IGNORECASE)
_BUT = re.compile(r"\b(?:but|though|although|however)\b", re.IGNORECASE)
_ADVERBS = r"(?:(?:much|far|slightly|somewhat|marginally|significantly|clearly|considerably|notably|also|generally|overall|still|arguably|even|a bit|a little|bit)\s+)*"  # noqa: E501
_PRAISE_WORDS = (
    "accurate accurately comprehensive comprehensively detailed helpful relevant informative complete completely "
    "thorough thoroughly concise clear clearly direct directly appropriate appropriately balanced useful specific "
    "practical engaging natural organized structured precise precisely efficient efficiently correct correctly "
    "faithful faithfully professional professionally respectful nuanced effective effectively creative coherent "
    "readable logical responsible responsibly ethical empathetic depth actionable robust consistent focused realistic "
    "truthful honest educational substantive explicit explicitly polite safe factual insightful valuable well"
)
_BLAME_WORDS = (
    "verbose confusing repetitive vague generic wordy incorrect problematic superficial limited misleading "
    "irrelevant inaccurate convoluted"
)
_BETTER = (
    r"(?:better|superior|preferable|preferred|stronger|clearer|closer|safer|richer|deeper|fuller|smoother|warmer|"
    rf"ahead|the winner|more\s+(?:\w+ly\s+)?(?:{'|'.join(_PRAISE_WORDS.split())}))\b"
)
_WORSE = rf"(?:worse|inferior|weaker|less\s+\w+|falls short|more\s+(?:{'|'.join(_BLAME_WORDS.split())}))\b"
_DENIED = re.compile(r"\b(?:not|no|nor|neither|never|hardly|without)\b|n['\u2019]t\b", re.IGNORECASE)
_SUBJECT = re.compile(
    rf"§([AB])(?P<between>(?:(?!§)[^.:]){{0,80}}?)\b{_ADVERBS}(?:(?P<better>{_BETTER})|(?P<worse>{_WORSE}))",
    re.IGNORECASE,
)
_WINS = re.compile(
    r"§([AB])\s+(?:\w+ly\s+)?(?:wins|outperforms|surpasses|excels|edges out|stands out|has the edge)\b", re.I
)
_NAMED_WINNER = re.compile(
    r"\b(?:winner|advantage|edge|preference|prefer|favou?rs?|favou?ring|favou?r of|better|preferred|chosen)"
    r"\s*(?:answer|response)?\s*(?:here|goes|is|to|for|:|=|→|\s)*\s*§([AB])(?!\s*(?:and|or|/|,)\s*§)",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    rf"\b(?:{'|'.join(_PRAISE_WORDS.split())}|right|rightly|good|excellent|strong|successfully|fully|addresses|agrees|matches)\b",
    re.IGNORECASE,
)
_BLAME = re.compile(
    rf"\b(?:{'|'.join(_BLAME_WORDS.split())}|fail(?:s|ed|ing)?|incorrectly|inaccurately|wrong|wrongly|false|falsely|errors?|"
    r"mistakes?|mistaken|cannot|lacks?|lacking|missing|misses|missed|ignores?|omits?|off-topic|inadequate|incomplete|"
    r"insufficient|unhelpful|unclear|contradicts?|unnecessary|unnecessarily|flawed|flaws?|issues?|"
    r"poor|poorly|less|worse|differs)\b",
    re.IGNORECASE,
)
_DENIED_PRAISE = re.compile(r"(?:\b(?:not|never|no|(?:is|does|did|do|are)n['\u2019]t)\b)(?:\s+\w+){0,4}", re.IGNORECASE)
_ALIKE = re.compile(
    rf"\b(?:both|neither)\s+(?:of\s+)?(?:the\s+)?(?:{_NOUN}s?\b|§)|§[AB]\s+and\s+§[AB]\s+(?:are|do|perform)\s+(?:both|equally)|"
    r"\b(?:a tie|tied|on par|equally (?:good|well|bad))\b",
    re.IGNORECASE,
)
_OF_BOTH = re.compile(r"\b(?:both|neither)\b", re.IGNORECASE)


def preferred(text: str) -> Stance:
    """The answer that some sentences of an evaluation prefer."""
    sentences = [one for one in _SENTENCE.split(signed(text)) if one.strip()]
    compared = [side for one in sentences for side in _compared(_CONCEDED.sub("", one))]
    if compared:
        return Stance(compared[0].value) if len(set(compared)) == 1 else Stance.UNCLEAR
    praised, blamed = _praise_and_blame(sentences)
    for side in Side:
        if praised[side] and not blamed[side] and blamed[side.other] and not praised[side.other]:
            return Stance(side.value)
    alike = all(_OF_BOTH.search(one) and not _BUT.search(one) for one in sentences if _SIGN.search(one))
    return Stance.NEITHER if alike and any(_ALIKE.search(one) for one in sentences) else Stance.UNCLEAR


def signed(text: str) -> str:
    """`text` with each name of an answer as `§A` or `§B`, and quotations left out but for whose they are."""
    unquoted = _without_quotations(text)
    plain = _RETOLD.sub(lambda found: f" §{found[1].upper()} " if found[0][1] != "/" else " ", unquoted)
    plain = _NAMED.sub(lambda found: f"§{(found[1] or found[2]).upper()}", plain.replace("*", "").replace("_", " "))
    return re.sub(r"§([AB])(?:\s+§\1)+", r"§\1", _BARE.sub(r"§\1", plain))


def _without_quotations(text: str) -> str:
    """`text` with the name of an answer for each quotation of it, those inside a retelling too."""
    parts, end = [], 0
    for since, until in sorted({*quotations(text, strict=False, ended=True), *whole_quotations(text)}):
        if since >= end and (quoted := _QUOTED.match(text, since)):
            parts += [text[end:since], f" §{quoted[1].upper()} "]
            end = until
    return "".join((*parts, text[end:]))


def _compared(sentence: str) -> list[Side]:
    """The sides that comparatives of a sentence prefer; one that the sentence takes back prefers none."""
    found: list[Side] = []
    for one in _SUBJECT.finditer(sentence):
        behind = sentence[one.end() :].partition("§")[0]
        against = (_BLAME, _DENIED) if one["better"] else (_PRAISE,)
        taken_back = any(pattern.search(behind) for pattern in (_BUT, *against))
        if not taken_back and not _DENIED.search(one["between"]) and not _CLAUSE.search(one["between"]):
            side = Side(one[1])
            found.append(side if one["better"] else side.other)
    return found + [Side(one[1]) for pattern in (_WINS, _NAMED_WINNER) for one in pattern.finditer(sentence)]


def _praise_and_blame(sentences: list[str]) -> tuple[Counter[Side], Counter[Side]]:
    praised: Counter[Side] = Counter()
    blamed: Counter[Side] = Counter()
    about: Side | None = None
    for clause in (one for sentence in sentences for one in _CLAUSE.split(sentence)):
        named = {Side(side) for side in _SIGN.findall(clause)}
        if len(named) > 1 or _OF_BOTH.search(clause):
            about = None
            continue
        about = named.pop() if named else about
        if about is None:
            continue
        denied = len(_DENIED_PRAISE.findall(clause))
        blamed[about] += denied + len(_BLAME.findall(_DENIED_PRAISE.sub(" ", clause)))
        praised[about] += len(_PRAISE.findall(_DENIED_PRAISE.sub(" ", clause)))
    return praised, blamed
