"""How the plot files look, and how a figure becomes an SVG and a PDF of the same bytes each time.

White ground, the page's light colours and its dashes and shapes by model, text of eight points at the size of a paper's
column. A file stands alone: a PDF holds its fonts (TrueType, subset), an SVG the outlines of its letters.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reasrm.records.harmless_text import harmless, one_line
from reasrm.reporting.themed_svg import DASHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN, WIDE = 3.5, 5.5
"""Widths of a figure in inches: one column of two, and a page's text."""
TEXT, MUTED, GRID = "#1c2127", "#59626e", "#d9dbde"
ALARM = "#b3261e"
ABOVE, BELOW = "#6caee6", "#f0a35e"
"""Either side of chance in heat maps."""
COLORS = ("#6b7280", "#9a6700", "#0072b2", "#00805d", "#b04f86", "#c24e00", "#6d4bb8", "#4d7a00")
"""Of models by series: the page's on its light ground."""
MARKERS = "o^DvsPhd"
"""Of models by series: nothing is said by colour alone."""
LONGEST_NAME = 40
"""Characters of a name that has its place in a figure."""
FIGURE_DIGITS = 5
"""Of a place in a figure, in parts of its width or height: thousandths of a point."""
FONT = "DejaVu Sans"
"""Comes with matplotlib, so that every machine draws the same."""

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "text.parse_math": False,
    "font.family": FONT,
    "font.size": 8,
    "text.color": TEXT,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": TEXT,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": TEXT,
    "ytick.labelcolor": TEXT,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 5.2,
}


class PlotFile(NamedTuple):
    """One chart, to be saved under its name as SVG and as PDF."""

    name: str
    """Of the chart; its files are named after it."""
    caption: str
    """What it shows, in a sentence or two."""
    figure: "Figure"


class SeriesStyle(NamedTuple):
    """How one model is drawn in every file."""

    color: str
    marker: str
    dashes: Any
    """As matplotlib takes a line's style."""


def series_style(series: int) -> SeriesStyle:
    """The style of the model at place `series` of the ladder; it begins again after the last."""
    dashes = DASHES[series % len(DASHES)]
    return SeriesStyle(COLORS[series % len(COLORS)], MARKERS[series % len(MARKERS)], (0, dashes) if dashes else "-")


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw and save in this style, whatever matplotlib's settings on this machine are; they are restored at the end."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)  # type: ignore[arg-type]  # matplotlib's stubs want each name as a literal
        yield


def figure(width: float, height: float) -> "tuple[Figure, Axes]":
    """A new figure of `width` x `height` inches with one plot in it."""
    drawn, axes = figure_of(width, height, 1)
    return drawn, axes[0]


def figure_of(width: float, height: float, rows: int, shares: Sequence[float] = ()) -> "tuple[Figure, list[Axes]]":
    """A new figure with plots below one another, of equal height or of these `shares` of it."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width, height), layout="constrained")
    axes = drawn.subplots(rows, 1, squeeze=False, height_ratios=list(shares) or None)
    return drawn, [row[0] for row in axes]


def shown(text: str, limit: int = LONGEST_NAME) -> str:
    """A text of data or models as a figure may hold it: on one line, harmless, without letters that the font lacks."""
    known = _letters()
    line = one_line(harmless(text), limit)
    return "".join(letter if ord(letter) in known else f"⟦U+{ord(letter):04X}⟧" for letter in line)


@cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap()) | {ord("⟦"), ord("⟧")}


def _settle(drawn: "Figure") -> None:
    """Find the places of the plots once for all files, and round them.

    matplotlib's solver finds them anew in each process, in another order, so that their last bits differ; the names of
    clipped regions in an SVG are hashes of all bits.
    """
    drawn.draw_without_rendering()
    drawn.set_layout_engine("none")
    for axes in drawn.axes:
        axes.set_position(tuple(round(part, FIGURE_DIGITS) for part in axes.get_position().bounds))


def save(plot: PlotFile, folder: Path) -> None:
    """Write `plot` to `folder` as SVG and as PDF, the same bytes each time; call inside `paper_style`."""
    import matplotlib as mpl

    mpl.rcParams["svg.hashsalt"] = plot.name
    _settle(plot.figure)
    undated: dict[str, dict[str, Any]] = {
        "svg": {"Title": plot.caption, "Creator": None, "Date": None},
        "pdf": {"Title": plot.caption, "Creator": None, "Producer": None, "CreationDate": None},
    }
    for ending, metadata in undated.items():
        plot.figure.savefig(folder / f"{plot.name}.{ending}", metadata=metadata)
