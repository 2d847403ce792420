"""Figures and long texts in the form that they have on the page."""

NO_FIGURE = "–"  # noqa: RUF001  a dash as long as a figure
"""Stands where there is no figure."""


def shortened(text: str, limit: int) -> str:
    """`text`, cut in its middle to at most about `limit` characters, saying how many were left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"


def percent(share: float) -> str:
    """A share of 1 in percent, with one digit."""
    return f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares in points of a hundred, always with its sign."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}"


def p_value(p: float) -> str:
    """A probability of a test, with three digits."""
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def interval(ci95: tuple[float, float]) -> str:
    """An interval of a difference, in points."""
    return f"[{points(ci95[0])}, {points(ci95[1])}]"
