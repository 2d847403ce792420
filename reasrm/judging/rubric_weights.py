"""The weights that a rubric gives its criteria, read as weights and not as any number that happens to stand there.

A weight is written behind a criterion's name, or in front of it: `Accuracy (60%)`, `Accuracy: 60`, `60 points for
style`, `weight: 60`, `60/100`, a cell of a table. Rules, in this order:

- Numbers that count or label are none: those of list items, `criterion 2`, the 100 of `out of 100`, a total.
- A table gives the cells of the column that is headed as weights, else the last cell of each row that is a number.
- A line of nothing but names and numbers of one form gives them all: `joke 50 praise 30`, `Help 62.5%, Truth 37.5%`.
- Any other line gives one: first what is marked as a weight (percent, brackets, `weight`, a number alone behind a
  colon), at the end of a clause before elsewhere; only if nothing is marked a bare number at an end.
- A line under an item that has a weight explains that item. A rubric in one line is taken clause by clause.
- Decimal fractions that add up to 1 are hundredths.

What is unclear is no weight: a range, or two numbers in one place, and then the rubric has none.
"""

import re
import unicodedata
from dataclasses import dataclass

WHOLE = 100.0
_JUSTIFICATION = re.compile(r"<justify>.*?(?:</justify>|\Z)", re.DOTALL)
_NUMBER = r"(?<![\w.,])(?<!\w-)(?:\d{1,4}(?:\.\d+)?|\.\d+)"
_OUT_OF = r"(?:/|\bout of\b|\bof\b)\s*(?:100|10|20|50|5|1)\b(?!\s*/)"
_UNIT = rf"(?:%|percent\b|per cent\b|{_OUT_OF}(?:\s*(?:points?|pts?))?|points?\b|pts?\b|marks?\b|parts?\b)"
_VALUE = re.compile(rf"(?P<number>{_NUMBER})(?:\s*(?P<unit>{_UNIT}))?(?![\w]|[.,]\d)", re.IGNORECASE)
_RANGE = re.compile(rf"{_NUMBER}\s*%?\s*(?:-+|–|—|\bto\b|\.\.)\s*\d+(?:\.\d+)?\s*(?:%|\)|\]|points|$)", re.IGNORECASE)  # noqa: RUF001
_WEIGHT_WORD = re.compile(
    r"\bweigh(?:t|ts|ted|ting|s)?\b[\s:=*_\-—]*(?:\b(?:of|is|at|as)\b)?[\s:=*_(\-—]*$", re.IGNORECASE
)
_LABEL = re.compile(
    r"(?:\b(?:criterion|criteria|item|step|aspect|dimension|point|part|no\.?|number|level)|#)\s*$", re.IGNORECASE
)
_DENOMINATOR = re.compile(r"(?:\bout of|\bsum to|\badds? up to|\bup to|\bat least|\bat most|\bover)\s*$", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:sub)?totals?\b|\bsums?\b|\badds? up\b|\baltogether\b|\boverall\b|^[\s=]*$", re.IGNORECASE)
_ITEM = re.compile(r"^(?P<indent>[ \t]*)(?P<bullet>[-*+•◦–—]\s+)?(?:[*_]*\(?(?P<ordinal>\d{1,2})\s*[.):](?!\d)[*_]*)?")  # noqa: RUF001
_INLINE_ORDINAL = re.compile(r"(?:(?<=\s)|^)\(?(\d{1,2})[.)]\s+(?=[^\W\d_*]|\*)")
_CLAUSE_END = re.compile(r"[:;?!]|\.(?=\s|$)|,(?=\s)|\s[-–—]+\s|—")  # noqa: RUF001
_PAIRS = re.compile(r"[^\W\d_]")
_DRESS = " \t*_`()[]{}.:;,=-–—|~\"'"  # noqa: RUF001
_CLOSERS = re.compile(r"[ \t*_`)\]}]{0,20}")
NEAR = 60
"""Characters before and behind a number that may say what it is."""
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A number of a line that may be a weight."""

    value: float
    marked: bool
    """Percent, brackets, the word weight: something says that it is one."""
    fraction: bool
    """Written as a part of one."""
    form: str
    start: int
    end: int


class _UnclearError(Exception):
    """Two readings are possible."""


def rubric_weights(rubric: str) -> tuple[float, ...]:
    """The weights that a rubric gives its criteria, in their order; none where they are unclear."""
    text = unicodedata.normalize("NFKC", without_justification(rubric))
    lines = _broken_at_ordinals(text).splitlines()
    rows = [line for line in lines if line.count("|") > 1]
    try:
        found = _of_table(rows) if len(rows) > 1 else _of_lines(lines)
    except _UnclearError:
        return ()
    values = [candidate.value for candidate in found]
    if found and all(candidate.fraction for candidate in found) and abs(sum(values) - 1) < 0.005:
        values = [value * WHOLE for value in values]
    return tuple(round(value, _DECIMALS) for value in values)


def without_justification(rubric: str) -> str:
    """The rubric alone; its justification repeats the weights."""
    return _JUSTIFICATION.sub("", rubric)


def _broken_at_ordinals(text: str) -> str:
    """Each item on a line of its own, where `1. … 2. …` stand on one line."""
    places = list(_INLINE_ORDINAL.finditer(text))
    if len(places) < 2 or [int(found.group(1)) for found in places] != list(range(1, len(places) + 1)):
        return text
    for found in reversed(places):
        text = text[: found.start()] + "\n" + text[found.start() :]
    return text


def _of_table(rows: list[str]) -> list[_Candidate]:
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
    heads = [place for place, cell in enumerate(cells[0]) if re.search(r"weigh|%|points|share|percent", cell, re.I)]
    found = []
    for row in cells[1:] if heads else cells:
        shown = [row[place] for place in heads[:1] if place < len(row)] if heads else row
        numbers = [one for cell in shown for one in _candidates(cell) if not cell.strip(_DRESS + "%0123456789/")]
        if numbers and not _is_total(" ".join(row), numbers[-1]):
            found.append(numbers[-1])
    return found


def _of_lines(lines: list[str]) -> list[_Candidate]:
    items = [(len(item["indent"].expandtabs(4)), line[item.end() :]) for line, item in _items(lines)]
    numbered = [text for _, text in items if any(_candidates(text))]
    if len(numbered) == 1:
        sequence = _sequence(numbered[0])
        return sequence or [one for clause in _clauses(numbered[0]) if (one := _of_line(clause)) is not None]
    found: list[_Candidate] = []
    above: list[int] = []
    """Indents of the items with a weight that the line may belong to."""
    for indent, text in items:
        above = [one for one in above if one < indent]
        if above:
            continue
        of_line = _sequence(text) or [one for one in [_of_line(text)] if one is not None]
        found += of_line
        above += [indent] if of_line else []
    return found


def _items(lines: list[str]) -> list[tuple[str, re.Match[str]]]:
    """Lines that say something, with their list mark; numbers that do not count 1, 2, 3 … are no list mark."""
    items = [(line, found) for line in lines if line.strip() and (found := _ITEM.match(line))]
    ordinals = [int(found["ordinal"]) for _, found in items if found["ordinal"]]
    counted, expected = True, 1
    for ordinal in ordinals:
        counted = counted and ordinal in (1, expected)
        expected = ordinal + 1
    if counted:
        return items
    return [(line, found) for line in lines if line.strip() and (found := re.match(r"(?P<indent>[ \t]*)", line))]


def _clauses(line: str) -> list[str]:
    """The parts of a line that each may name a criterion."""
    return re.split(r"[;,](?=\s)|\.(?=\s)|\band\b|\n", line)


def _sequence(line: str) -> list[_Candidate]:
    """The numbers of a line that is nothing but names and numbers of one form, two at least."""
    numbers = [one for one in _candidates(line) if not _is_total(line[_clause_start(line, one) : one.start], one)]
    if len(numbers) < 2 or len({one.form for one in numbers}) > 1:
        return []
    names = [line[left : right.start] for left, right in zip([0, *(one.end for one in numbers)], numbers, strict=False)]
    behind = line[numbers[-1].end :].strip(_DRESS)
    if not names[0].strip(_DRESS) and behind:  # 60 accuracy, 40 style
        names = [*names[1:], behind]
        behind = ""
    plain = all(
        _PAIRS.search(name) and len(name) <= 60 and not re.search(r"[:.?!](?=\s+\S+\s)", name) for name in names
    )
    return numbers if plain and (not behind or _TOTAL.search(behind)) else []


def _clause_start(line: str, candidate: _Candidate) -> int:
    near = max(candidate.start - NEAR, 0)
    return max(near, *(line.rfind(sign, near, candidate.start) + 1 for sign in ",;(|"))


def _of_line(line: str) -> _Candidate | None:
    """The one weight of a line."""
    numbers = [one for one in _candidates(line) if not _is_total(line[max(one.start - NEAR, 0) : one.end + NEAR], one)]
    begins = len(line) - len(line.lstrip(_DRESS))

    def closes(one: _Candidate) -> bool:
        rest = _CLOSERS.match(line, one.end)
        last = one.end if rest is None else rest.end()
        return last == len(line) or any(_CLAUSE_END.match(line, place) for place in range(one.end, last + 1))

    tests = (
        lambda one: one.marked and closes(one),
        lambda one: one.marked and one.start <= begins,
        lambda one: one.marked,
        closes,
        lambda one: one.start <= begins,
    )
    return next((one for test in tests for one in numbers if test(one)), None)


def _candidates(line: str) -> list[_Candidate]:
    """The numbers of a line that neither label nor limit something.

    Raises:
        _UnclearError: a number that is marked as a weight is one end of a range, or one of two in a bracket.
    """
    _refuse_unclear(line)
    ends = len(line.rstrip(_DRESS))
    return [_candidate(line, found, ends) for found in _VALUE.finditer(line) if not _labels(line, found.start())]


def _labels(line: str, start: int) -> bool:
    before = line[max(start - NEAR, 0) : start]
    return _LABEL.search(before) is not None or _DENOMINATOR.search(before) is not None


def _candidate(line: str, found: re.Match[str], ends: int) -> _Candidate:
    number, unit = float(found["number"]), (found["unit"] or "").lower()
    scale = re.search(r"(\d+)", unit)
    if scale and float(scale.group(1)) != WHOLE:
        number *= WHOLE / float(scale.group(1))
    before, behind = line[max(found.start() - NEAR, 0) : found.start()], line[found.end() : found.end() + NEAR]
    bracketed = re.search(r"[(\[][\s*_]*$", before) is not None and re.match(r"[\s*_]*[)\]]", behind) is not None
    alone = re.search(r"(?:[:=|]|\s[-–—])[\s*_]*$", before) is not None and found.end() >= ends  # noqa: RUF001
    weighed = _WEIGHT_WORD.search(before) is not None
    form = (
        "percent" if "%" in unit or "per" in unit else "bracket" if bracketed else "of" if scale else unit[:2] or "bare"
    )
    form += before.rstrip(" *_([")[-1:] if before.rstrip(" *_([")[-1:] in (":", "=") else ""
    says = unit.startswith("per") or (unit != "" and not unit.startswith(("p", "m")))
    marked = says or bracketed or alone or weighed
    return _Candidate(number, marked, "." in found["number"] and not unit, form, found.start(), found.end())


def _refuse_unclear(line: str) -> None:
    if any("%" in found.group() or found.group()[-1] in ")]" for found in _RANGE.finditer(line)):
        raise _UnclearError
    for bracket in re.findall(r"[(\[]([^()\[\]]*)[)\]]", line):
        values = {found["number"] for found in _VALUE.finditer(bracket) if found["unit"]}
        if len(values) > 1 or re.match(r"\s*[-−]\d", bracket):  # noqa: RUF001
            raise _UnclearError


def _is_total(words: str, candidate: _Candidate) -> bool:
    """Whether a number is what the others add up to."""
    whole = candidate.value in (WHOLE, 1.0)
    return whole and _TOTAL.search(re.sub(r"[\d%.()\[\]*_|]", " ", words)) is not None
