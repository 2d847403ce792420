"""The curves of a training that ended, as a picture that Prefect's UI shows: SVG inside Markdown.

The UI of Prefect 3.7.7 shows a data address in Markdown as a picture; in an image artifact it prints the address too.
"""

import base64
import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PLOTS = Path("plots/metrics")
"""Where DVCLive puts the values below a training's curves."""
CURVES = {"reward": "train/reward.tsv", "loss": "train/loss.tsv", "accuracy on dev pairs": "dev/accuracy.tsv"}
MOST_POINTS = 400
WIDTH, HEIGHT = 640, 180
LEFT, RIGHT, TOP, BOTTOM = 76, 16, 28, 28
INK, LINE, GRID = "#1c2733", "#0b6bcb", "#d5dbe1"


class Point(NamedTuple):
    """A value at a training step."""

    step: float
    value: float


def curves_markdown(root: Path, outputs: Iterable[str]) -> str:
    """One picture per curve of a training, with its first and last value in words; empty if there is none.

    Args:
        root: the project.
        outputs: what the stage wrote; the curves lie in one of these folders.
    """
    parts = []
    for folder in outputs:
        for title, name in CURVES.items():
            if points := read_points(root / folder / PLOTS / name):
                picture = base64.b64encode(curve_svg(title, points).encode()).decode()
                first, last = points[0], points[-1]
                words = f"{title}: {first.value:.3g} at step {first.step:g}, {last.value:.3g} at step {last.step:g}"
                parts.append(f"![{words}](data:image/svg+xml;base64,{picture})\n\n{words}")
    return "\n\n".join(parts)


def read_points(path: Path) -> list[Point]:
    """The finite values of a DVCLive file in order; none if it is not there or of another kind."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        names = [name for name in rows.fieldnames or () if name != "step"]
        if len(names) != 1:
            return []
        points = [Point(_number(row.get("step")), _number(row[names[0]])) for row in rows]
    return [point for point in points if all(map(math.isfinite, point))]


def curve_svg(title: str, points: list[Point]) -> str:
    """A line through `points` with its scale, on white, so that it can be read in a dark UI."""
    thin = points[:: math.ceil(len(points) / MOST_POINTS)]
    thin = thin if thin[-1] == points[-1] else [*thin, points[-1]]
    first, last = thin[0].step, thin[-1].step
    low, high = min(point.value for point in thin), max(point.value for point in thin)
    across, up = (last - first) or 1.0, (high - low) or 1.0
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def place(point: Point) -> str:
        x = LEFT + (point.step - first) / across * (right - LEFT)
        y = bottom - (point.value - low) / up * (bottom - TOP)
        return f"{x:.1f},{y:.1f}"

    end_x, end_y = place(thin[-1]).split(",")
    scale = "".join(
        f'<path d="M{LEFT} {y}H{right}" stroke="{GRID}"/><text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.3g}'
        f"</text>"
        for y, value in ((TOP, high), (bottom, low))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        f'font-size="12" fill="{INK}"><rect width="100%" height="100%" fill="white"/>{scale}'
        f'<text x="{LEFT}" y="17" font-weight="bold">{title}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 9}">{first:g}</text>'
        f'<text x="{right}" y="{HEIGHT - 9}" text-anchor="end">step {last:g}</text>'
        f'<polyline points="{" ".join(map(place, thin))}" fill="none" stroke="{LINE}" stroke-width="1.6"/>'
        f'<circle cx="{end_x}" cy="{end_y}" r="3" fill="{LINE}"/></svg>'
    )


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
