"""Batches do not depend on the number of devices, and what cannot be divided is refused with numbers that fit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.training.batch_sizes import accumulation, require_whole_groups

size = st.integers(1, 96)


@given(size, st.none() | size, st.integers(1, 12))
def test_the_parts_make_the_batch_or_every_number_that_is_named_would(
    batch: int, micro: int | None, processes: int
) -> None:
    try:
        passes = accumulation(batch, micro, processes)
    except ValueError as error:
        named_batches = re.search(r"batch_size ([\d or]+) would fit", str(error))
        assert named_batches
        for other in named_batches[1].split(" or "):
            assert accumulation(int(other), micro, processes)
        named_micro = re.search(r"or micro_batch_size ([\d, ]+) or null", str(error))
        for other in named_micro[1].split(", ") if named_micro else []:
            assert accumulation(batch, int(other), processes)
        return
    assert batch % (passes * processes) == 0
    assert passes * processes * (micro or batch // processes) == batch


@given(size, st.integers(1, 8), st.integers(2, 16))
def test_groups_may_lie_in_several_passes_but_are_whole(batch: int, steps: int, replies: int) -> None:
    try:
        require_whole_groups(batch, steps, replies)
    except ValueError as error:
        assert batch * steps % replies
        found = re.search(r"batch_size ([\d or]+) would fit", str(error))
        for other in found[1].split(" or ") if found else []:
            require_whole_groups(int(other), steps, replies)
        found = re.search(r"replies_per_prompt ([\d, ]+)$", str(error))
        for other in found[1].split(", ") if found else []:
            require_whole_groups(batch, steps, int(other))
        return
    assert batch * steps % replies == 0


@pytest.mark.parametrize(
    ("batch", "micro", "processes", "message"),
    [
        (20, 8, 2, r"batch_size \(20\) must be a multiple of micro_batch_size \(8\) x launch\.processes \(2\): "
            r"batch_size 16 or 32 would fit, or micro_batch_size 5, 2, 1 or null$"),
        (9, None, 2, r"batch_size \(9\) must be a multiple of launch\.processes \(2\): batch_size 8 or 10 would fit$"),
        (16, 32, 1, r"micro_batch_size \(32\): batch_size 32 would fit, or micro_batch_size 16, 8, 4, 2, 1 or null"),
    ],
)  # fmt: skip
def test_the_error_names_what_fits(batch: int, micro: int | None, processes: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        accumulation(batch, micro, processes)
