"""Dots lie where their figures are, inside the chart, with lines at round figures."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.reporting.dot_chart import ChartDot, Scale, scale_for

shares = st.floats(0, 1)


@given(st.lists(st.tuples(shares, shares, shares).map(sorted), max_size=9))
def test_every_dot_with_its_interval_is_inside(found: list[list[float]]) -> None:
    scale = scale_for([ChartDot(0, value, low, high) for low, value, high in found])
    places = [scale.place(share) for row in found for share in row]
    assert all(0 <= place <= 100 for place in places)
    assert scale.has_reference
    assert all(0 <= scale.place(tick) <= 100 for tick in scale.ticks)


def test_places_are_in_proportion() -> None:
    scale = Scale(0.4, 0.9)
    assert [scale.place(share) for share in (0.4, 0.5, 0.65, 0.9)] == [0.0, 20.0, 50.0, 100.0]


def test_a_wide_scale_has_fewer_lines_and_always_one_hundred() -> None:
    assert Scale(0.48, 0.99).ticks == (0.5, 0.6, 0.7, 0.8, 0.9)
    assert Scale(0.1, 1.02).ticks == (0.2, 0.4, 0.6, 0.8, 1.0)
    assert Scale(0.7, 1.02).ticks == (0.7, 0.8, 0.9, 1.0)
