"""Plots: the same bytes each time, the page's colours only, and nothing in a label is interpreted."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.reporting.curves import REINFORCEMENT, Curve
from reasrm.reporting.dot_chart import SHAPES
from reasrm.reporting.plots import curve_plot, is_noisy, moving_mean
from reasrm.reporting.themed_svg import DASHES, SERIES, plot_style, text_width

HOSTILE = '</svg><script>alert(1)</script>$\\frac{1}{0}$"onload="x\u202e'


def a_curve(run: str = "grpo-full") -> str:
    curve = Curve(run, "reward", tuple(range(40)), tuple(step / 40 for step in range(40)))
    with plot_style():
        return str(curve_plot("reward", REINFORCEMENT[0], [curve], {run: 5}))


def test_the_same_plot_is_the_same_bytes() -> None:
    assert a_curve() == a_curve()


def test_plots_take_their_colours_from_the_page_and_refer_to_nothing_outside() -> None:
    svg = a_curve()
    assert not re.search(r"#[0-9a-f]{6}\b(?!\")", svg)
    assert not re.search(r"https?:|<style|<metadata", svg)
    assert set(re.findall(r"url\((.)", svg)) <= {"#"}
    assert "var(--series-5)" in svg


def test_labels_are_text_whatever_they_contain() -> None:
    svg = a_curve(HOSTILE)
    parser = Tags()
    parser.feed(svg)
    assert "script" not in parser.tags
    assert parser.tags.count("svg") == 1
    assert not any(name.startswith("on") for name in parser.attributes)
    assert "\u202e" not in svg


def test_the_description_says_the_figures() -> None:
    assert "grpo-full from 0 at step 0 to 0.975 at step 39" in a_curve()


def test_every_series_differs_in_more_than_colour() -> None:
    assert len(set(DASHES)) == len(set(SHAPES)) == len(SERIES)


def test_the_labels_of_both_axes_have_room_in_a_font_that_is_a_tenth_wider() -> None:
    steps = tuple(range(0, 6001, 500))
    curve = Curve("run", "loss", steps, tuple(0.0008 * step / 6000 for step in steps))
    with plot_style():
        svg = curve_plot("loss", REINFORCEMENT[0], [curve], {"run": 0})
        size = float(re.findall(r'viewBox="0 0 ([\d.]+)', svg)[0])
        found = re.findall(r'<text style="([^"]*)" x="([\d.]+)"[^>]*>([\d.]+)</text>', svg)
        assert {"6000", "0.0008"} <= {label for _, _, label in found}
        for style, x, label in found:
            width, at = 1.1 * text_width(label), float(x)
            assert "end" in style or at + width / 2 <= size, label
            assert "middle" in style or at - width >= 0, label


def test_tiny_values_are_written_out_and_not_as_a_power_of_ten_above_the_plot() -> None:
    curve = Curve("run", "loss", tuple(range(5)), tuple(1e-7 * step for step in range(5)))
    with plot_style():
        svg = curve_plot("loss", REINFORCEMENT[0], [curve], {"run": 0})
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert "2e-07" in labels
    assert "1e-7" not in labels


@pytest.mark.parametrize("points", [1, 2, 29, 30, 500])
def test_curves_of_any_length_are_drawn(points: int) -> None:
    curve = Curve("run", "loss", tuple(range(points)), tuple(float(step % 7) for step in range(points)))
    with plot_style():
        assert "<path" in curve_plot("loss", REINFORCEMENT[-1], [curve], {"run": 0})


@given(st.lists(st.floats(-100, 100), min_size=1), st.integers(1, 20))
def test_a_moving_mean_stays_within_the_values(values: list[float], window: int) -> None:
    means = moving_mean(values, window)
    assert len(means) == len(values)
    assert all(min(values) - 1e-6 <= mean <= max(values) + 1e-6 for mean in means)


def test_limits_are_named_where_their_line_is() -> None:
    curve = Curve("grpo-full", "frac_reward_zero_std", (1.0, 2.0), (0.5, 0.8))
    panel = next(one for one in REINFORCEMENT if one.warn_above == 0.9)
    with plot_style():
        assert "usual limit 0.9" in curve_plot("limit", panel, [curve], {"grpo-full": 5})


def test_a_moving_mean_is_drawn_where_steps_go_up_and_down() -> None:
    falling = [1 / step for step in range(1, 60)]
    assert not is_noisy(falling)
    assert is_noisy([value + (step % 2) / 2 for step, value in enumerate(falling)])
    assert not is_noisy([0.0, 1.0, 0.0])


class Tags(HTMLParser):
    """Collects what a browser would make of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
