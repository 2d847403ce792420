"""Heat maps diverge at chance."""

import pytest

from reasrm.reporting.charts import diverging


@pytest.mark.parametrize(
    ("accuracy", "colour"),
    [
        (0.5, "--hue: var(--above); --strength: 0%"),
        (0.335, "--hue: var(--below); --strength: 33%"),
        (0.0, "--hue: var(--below); --strength: 100%"),
        (0.75, "--hue: var(--above); --strength: 50%"),
        (1.0, "--hue: var(--above); --strength: 100%"),
    ],
)
def test_chance_is_neutral_and_both_sides_are_coloured(accuracy: float, colour: str) -> None:
    assert diverging(accuracy) == colour
