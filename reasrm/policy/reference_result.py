r"""The final result of a solution in free text, and whether two results are the same.

A solution marks its result: the last `\boxed{...}`, else the last line `#### 42` (GSM8K) or `answer is 42`. Only a
marked result becomes a reference, since the last number of just any text is mostly none. Of an answer that marks
nothing the last number is taken.

Numbers are compared by value, exactly: `0.50`, `1/2` and `\frac{1}{2}` are the same. A percent sign, a currency sign
and commas between thousands are left out, as in the grader of MATH (arXiv 2103.03874). All else is compared as it is
written, without spaces and LaTeX's marks of layout. No algebra is done, so a right result in another form (`x+1` for
`1+x`) counts as wrong: shares of right answers are rather too low.
"""

import re
from fractions import Fraction

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:/[1-9]\d*)?|[-+]?\.\d+"
_WHOLE_NUMBER = re.compile(_NUMBER)
_FREE_NUMBER = re.compile(rf"(?<![\w.])(?:{_NUMBER})")
_MARKED_NUMBER = re.compile(
    rf"^####[ \t]*\$?({_NUMBER})[ \t]*%?[ \t]*$|\banswer is:?[\s$*(\\]*({_NUMBER})", re.IGNORECASE | re.MULTILINE
)
_BOX = re.compile(r"\\f?boxed\s*\{")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*([1-9]\d*)\s*\}")
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_LAYOUT = re.compile(r"\\left(?![a-z])|\\right(?![a-z])|\\[!,;: ]|\\?%|\\?\$|\^\\circ|\s")


def marked_result(text: str) -> str | None:
    """The result that a solution marks as its own; None if it marks none."""
    if (boxed := _last_boxed(text)) is not None:
        return boxed
    marked = list(_MARKED_NUMBER.finditer(_plain(text)))
    return next(filter(None, marked[-1].groups())) if marked else None


def final_result(text: str) -> str | None:
    """The marked result, else the last number; None if there is no number either."""
    if (marked := marked_result(text)) is not None:
        return marked
    numbers = _FREE_NUMBER.findall(_plain(text))
    return str(numbers[-1]) if numbers else None


def same_result(one: str, other: str) -> bool:
    """Whether two results are the same number, or the same text."""
    first, second = _written(one), _written(other)
    values = _value(first), _value(second)
    return first == second if None in values else values[0] == values[1]


def _last_boxed(text: str) -> str | None:
    """What is in the last box, which must say something; None if there is no box or it is never closed."""
    boxes = list(_BOX.finditer(text))
    if not boxes:
        return None
    start = boxes[-1].end()
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[start:place].strip() or None
    return None


def _plain(text: str) -> str:
    """Fractions in one line, and the minus sign as it is on a keyboard."""
    return _FRACTION.sub(r"\1/\2", text.replace("\u2212", "-"))


def _written(result: str) -> str:
    return _LAYOUT.sub("", _WRAPPED.sub(r"\1", _plain(result))).rstrip(".")


def _value(written: str) -> Fraction | None:
    """The number that `written` is as a whole; None if it is none."""
    if _WHOLE_NUMBER.fullmatch(written) is None:
        return None
    above, _, below = written.replace(",", "").partition("/")
    return Fraction(above) / Fraction(below or 1)
