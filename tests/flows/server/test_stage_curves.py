"""Curves as pictures in Markdown, from DVCLive's files."""

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

from flows.server.stage_curves import MOST_POINTS, curves_markdown, read_points

SVG = "{http://www.w3.org/2000/svg}"


def write(root: Path, name: str, values: list[str]) -> None:
    path = root / "data/curves/sft/plots/metrics" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{step}\t{value}" for step, value in enumerate(values, 1)]
    path.write_text("\n".join([f"step\t{path.stem}", *rows]) + "\n")


def pictures(markdown: str) -> list[ElementTree.Element]:
    found = re.findall(r"\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", markdown)
    return [ElementTree.fromstring(base64.b64decode(one)) for one in found]


def test_each_curve_that_there_is_becomes_a_picture_within_bounds(tmp_path: Path) -> None:
    write(tmp_path, "train/loss", [str(10 / step) for step in range(1, 5001)])
    write(tmp_path, "dev/accuracy", ["0.5", "0.75"])
    markdown = curves_markdown(tmp_path, ["data/checkpoints/sft", "data/curves/sft"])
    assert "loss: 10 at step 1, 0.002 at step 5000" in markdown
    assert "accuracy on dev pairs: 0.5 at step 1, 0.75 at step 2" in markdown
    loss, accuracy = pictures(markdown)
    line = loss.find(f"{SVG}polyline")
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert 100 < len(points) <= MOST_POINTS + 1
    width, height = float(loss.attrib["width"]), float(loss.attrib["height"])
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    assert points[0][1] < points[-1][1]  # downwards on a page
    assert points == sorted(points)
    assert accuracy.find(f"{SVG}polyline") is not None


def test_no_curves_no_page(tmp_path: Path) -> None:
    assert curves_markdown(tmp_path, ["data/curves/sft"]) == ""


def test_values_that_are_no_number_and_foreign_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "train/loss", ["nan", "2", "inf", "x", "1"])
    path = tmp_path / "data/curves/sft/plots/metrics/train/loss.tsv"
    assert [point.value for point in read_points(path)] == [2, 1]
    path.write_text("a\tb\tc\n1\t2\t3\n")
    assert read_points(path) == []
    path.write_text("")
    assert read_points(path) == []


def test_a_single_value_is_a_picture_too(tmp_path: Path) -> None:
    write(tmp_path, "train/reward", ["0.5"])
    assert len(pictures(curves_markdown(tmp_path, ["data/curves/sft"]))) == 1
