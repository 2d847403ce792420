"""Cutting sorted prompts into batches: limits, order, and what makes a resumed run equal to an uninterrupted one."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.inference.engine import batches_by_tokens

LENGTHS = st.lists(st.integers(1, 60), max_size=40).map(sorted)


@given(LENGTHS, st.integers(1, 9), st.integers(1, 200))
def test_batches_cover_all_in_order_within_limits(lengths: list[int], most: int, tokens: int) -> None:
    batches = batches_by_tokens(lengths, most, tokens)
    assert [place for batch in batches for place in batch] == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= most
        assert len(batch) == 1 or len(batch) * lengths[batch[-1]] <= tokens


@given(LENGTHS, st.integers(1, 9), st.integers(1, 200), st.data())
def test_without_some_whole_batches_the_others_stay(
    lengths: list[int], most: int, tokens: int, data: st.DataObject
) -> None:
    batches = batches_by_tokens(lengths, most, tokens)
    kept = [batch for batch in batches if data.draw(st.booleans())]
    rest = [lengths[place] for batch in kept for place in batch]
    again = batches_by_tokens(rest, most, tokens)
    assert [len(batch) for batch in again] == [len(batch) for batch in kept]


@given(LENGTHS, st.integers(1, 400), st.integers(0, 90), st.data())
def test_a_batch_holds_no_more_than_its_cache_with_the_longest_replies(
    lengths: list[int], cache: int, reply: int, data: st.DataObject
) -> None:
    batches = batches_by_tokens(lengths, 99, 9999, cache, reply)
    assert [place for batch in batches for place in batch] == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * (lengths[batch[-1]] + reply) <= cache
    kept = [batch for batch in batches if data.draw(st.booleans())]
    rest = [lengths[place] for batch in kept for place in batch]
    assert [len(batch) for batch in batches_by_tokens(rest, 99, 9999, cache, reply)] == [len(one) for one in kept]
