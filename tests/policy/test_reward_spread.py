"""The spread of rewards within groups, and when it has collapsed."""

import pytest

from reasrm.policy.reward_spread import RewardSpread, collapse_cause, reward_spread


def test_the_spread_is_that_within_groups_and_not_between_them() -> None:
    assert reward_spread([[1.0, 1.0, 1.0], [5.0, 5.0]]) == RewardSpread(2, 0.0, 2)
    found = reward_spread([[0.0, 1.0], [7.0, 7.0], [0.1 + 0.2, 0.3]])
    assert found == (3, pytest.approx(0.5**0.5 / 3), 2)
    with pytest.raises(ValueError, match="no group"):
        reward_spread([])


def test_a_collapse_is_named_with_its_cause_and_figures() -> None:
    alive = reward_spread([[0.0, 1.0], [0.0, 0.0]])
    assert collapse_cause(alive, least_sd=0.01, most_without_signal=0.5) == ""
    assert "in 1 of 2 groups all answers have the same (50%; 40% are allowed)" in collapse_cause(alive, 0.01, 0.4)
    nearly = reward_spread([[0.5, 0.5005], [0.2, 0.2005]])
    assert "0.00035 on average over 2 groups, below 0.01" in collapse_cause(nearly, 0.01, 0.9)
