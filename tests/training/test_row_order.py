"""The order of rows: each row once per epoch, batches of similar length."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.training.row_order import batches_of_similar_length


@given(st.lists(st.integers(1, 99), min_size=1, max_size=300), st.integers(1, 40), st.integers(1, 3), st.integers(0, 9))
def test_every_epoch_has_each_row_once(lengths: list[int], batch: int, epochs: int, seed: int) -> None:
    order = batches_of_similar_length(lengths, batch, epochs, seed)
    size = len(lengths)
    assert [sorted(order[at : at + size]) for at in range(0, len(order), size)] == [list(range(size))] * epochs
    assert order == batches_of_similar_length(lengths, batch, epochs, seed)


def test_batches_hold_rows_of_similar_length() -> None:
    lengths = [(at * 37) % 100 for at in range(3200)]
    order = batches_of_similar_length(lengths, 32, 1, 0)
    spreads = [
        max(lengths[row] for row in order[at : at + 32]) - min(lengths[row] for row in order[at : at + 32])
        for at in range(0, 3200, 32)
    ]
    assert sum(spreads) / len(spreads) < 12
