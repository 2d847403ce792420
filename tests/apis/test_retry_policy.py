"""What is sent again, and after how long."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.retry_policy import LONGEST_BACKOFF, backoff_seconds


@given(st.integers(1, 60))
def test_backoff_is_jittered_and_bounded(failures: int) -> None:
    assert 0 <= backoff_seconds(failures) <= min(LONGEST_BACKOFF, 0.5 * 2 ** (failures - 1))
