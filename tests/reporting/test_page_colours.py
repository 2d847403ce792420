"""Contrast of the page's colours in both themes, by the rule of WCAG 2.2 (1.4.3 and 1.4.11)."""

import re

import pytest

from reasrm.reporting.page import TEMPLATES
from reasrm.reporting.themed_svg import SERIES

CSS = (TEMPLATES / "page.css").read_text(encoding="utf-8")


def theme(number: int) -> dict[str, str]:
    """The colour variables of the light (0) and dark (1) theme."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[number]))


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "alarm", "good"])
@pytest.mark.parametrize("ground", ["page", "surface", "sunk"])
def test_text_can_be_read(number: int, ink: str, ground: str) -> None:
    colours = theme(number)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("number", [0, 1])
def test_text_on_the_strongest_cells_and_on_the_verdict_can_be_read(number: int) -> None:
    colours = theme(number)
    assert contrast(colours["text"], colours["above"]) >= 4.5
    assert contrast(colours["text"], colours["below"]) >= 4.5
    assert contrast(colours["text"], colours["mark"]) >= 4.5


@pytest.mark.parametrize("number", [0, 1])
def test_lines_and_dots_stand_out(number: int) -> None:
    colours = theme(number)
    assert all(contrast(colours[f"series-{at}"], colours["surface"]) >= 3 for at in range(len(SERIES)))


def test_both_themes_define_the_same_colours() -> None:
    assert theme(0).keys() == theme(1).keys()
