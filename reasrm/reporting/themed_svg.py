"""Matplotlib figures as inline SVG that follows the page's colours, light or dark, byte for byte the same each time.

Matplotlib writes fixed colours. The figures are drawn in stand-in colours that stand for roles (ink, grid, one model),
and the stand-ins are replaced by CSS variables of the page afterwards. Text stays text, so it is selectable, scales
with the page's font, and nothing typed by a model is interpreted as a formula.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS_PER_INCH = 72
FONT = 11.5
"""Size of all text, points; a plot is shown at about one pixel per point or larger."""
BELOW = 38
"""Room for the ticks' labels and the axis' label, points."""
ABOVE = 6
LABEL_GAP = 8
"""Between a plot and the labels of its y axis, points."""
WIDER = 1.12
"""How much wider a reader's font may set a label than the outlines that are measured here."""


class Ink(Enum):
    """What a colour means on the page; the value is the stand-in that matplotlib is given."""

    TEXT = "#010101"
    MUTED = "#020202"
    GRID = "#030303"
    ALARM = "#040404"
    SERIES_0 = "#050500"
    SERIES_1 = "#050501"
    SERIES_2 = "#050502"
    SERIES_3 = "#050503"
    SERIES_4 = "#050504"
    SERIES_5 = "#050505"
    SERIES_6 = "#050506"
    SERIES_7 = "#050507"

    @property
    def css(self) -> str:
        """The CSS variable that takes its place (`page.css`)."""
        return f"var(--{self.name.lower().replace('_', '-')})"


SERIES = tuple(ink for ink in Ink if ink.name.startswith("SERIES"))
"""Colours of models and runs in the order of the ladder (Okabe and Ito's palette, safe for colour-blind readers)."""

DASHES: tuple[tuple[float, ...], ...] = (
    (1, 1.2),
    (4, 1, 1, 1),
    (6, 2),
    (3, 1.2),
    (1.5, 1),
    (),
    (8, 1.5, 2, 1.5),
    (5, 1, 1, 1, 1, 1),
)
"""Lengths of dashes and gaps by series, in line widths; empty for a full line: nothing is said by colour alone."""

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "text.color": Ink.TEXT.value,
    "axes.edgecolor": Ink.GRID.value,
    "axes.labelcolor": Ink.MUTED.value,
    "axes.labelsize": FONT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": Ink.GRID.value,
    "grid.linewidth": 0.6,
    "xtick.color": Ink.GRID.value,
    "ytick.color": Ink.GRID.value,
    "xtick.labelcolor": Ink.MUTED.value,
    "ytick.labelcolor": Ink.MUTED.value,
    "xtick.labelsize": FONT,
    "ytick.labelsize": FONT,
    "lines.linewidth": 1.6,
    "path.simplify": True,
    "path.simplify_threshold": 0.4,
}

_LEFT_OUT = r"<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>"
"""Comments, metadata, and a style that would apply to the whole page."""


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw in the page's style, whatever matplotlib's settings on this machine are; they are restored at the end."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)  # type: ignore[arg-type]  # matplotlib's stubs want each name as a literal
        yield


def figure(width: float, height: float, *, left: float, right: float) -> "tuple[Figure, Axes]":
    """A new figure of `width` x `height` points with one plot in it; call inside `plot_style`.

    Args:
        width: of the whole, points.
        height: of the whole, points.
        left: room for the labels of the rows, points.
        right: room beside the plot, points.
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH))
    drawn.subplots_adjust(left=left / width, right=1 - right / width, bottom=BELOW / height, top=1 - ABOVE / height)
    return drawn, drawn.subplots()


def text_width(text: str) -> float:
    """Width of `text` at the plots' size in points; of a wide font, so that a reader's own font fits as well."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0  # no outline to measure
    path = TextPath((0, 0), text, size=FONT, prop=FontProperties(family=str(_SETTINGS["font.family"])))
    return float(path.get_extents().width)


def fit_tick_labels(drawn: "Figure", axes: "Axes") -> None:
    """Give the labels of both axes room: those of the y axis on the left, the half of the last one of the x axis."""
    drawn.draw_without_rendering()  # this makes the labels
    if axes.yaxis.get_offset_text().get_text():
        axes.yaxis.set_major_formatter("{x:.3g}")  # a power of ten for all of them would stand outside
        drawn.draw_without_rendering()
    width = drawn.get_figwidth() * POINTS_PER_INCH
    widest = max((text_width(label.get_text()) for label in axes.get_yticklabels()), default=0.0)
    drawn.subplots_adjust(left=(LABEL_GAP + WIDER * widest) / width)
    first, last = axes.get_xlim()
    inner = width * axes.get_position().width
    beyond = [
        WIDER * text_width(label.get_text()) / 2 - inner * (last - tick) / (last - first)
        for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        if first <= tick <= last
    ]
    if (needed := max(beyond, default=0.0) / width) > 1 - axes.get_position().x1:
        drawn.subplots_adjust(right=1 - needed)


def themed_svg(drawn: "Figure", name: str, description: str) -> Markup:
    """The figure as an `<svg>` element; call inside `plot_style`.

    Args:
        drawn: the figure.
        name: unique on the page; keeps the ids of its parts apart from those of other figures.
        description: what the figure shows, for those who do not see it.
    """
    import matplotlib as mpl

    mpl.rcParams["svg.hashsalt"] = name
    text = io.StringIO()
    drawn.savefig(text, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")), transparent=True)
    return Markup(_inline(text.getvalue(), description))  # noqa: S704  matplotlib escapes what it is given


def _inline(svg: str, description: str) -> str:
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if size is None:
        raise AssertionError("matplotlib wrote no viewBox")
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    body = re.sub(_LEFT_OUT, "", body, flags=re.DOTALL)
    body = re.sub(r' id="(?:figure|axes|patch|text|line2d|matplotlib\.axis|xtick|ytick|LineCollection|FillBetween\w*'
                  r'|PolyCollection|PathCollection|legend)_\d+"', "", body)  # fmt: skip
    body = re.sub(r"font-family: ?[^;\"]*;? ?", "", body)
    body = re.sub(r"(font: ?)([\d.]+px) [^;\"]*", r"font-size: \2", body)
    body = re.sub(r">\s+<", "><", body).replace(" \n", " ").replace("\n", " ")
    body = body.replace(' transform="rotate(-0 ', ' transform="rotate(0 ')
    body = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", tag[0]), body)  # hundredths of a point
    for ink in Ink:
        body = body.replace(ink.value, ink.css)
    width, height = (round(float(value)) for value in size.groups())
    head = (
        f'<svg class="plot" role="img" aria-label="{escape(description)}" viewBox="0 0 {size[1]} {size[2]}" '
        f'width="{width}" height="{height}">'
    )
    return head + body.strip()
