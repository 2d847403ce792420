"""Chunks hold whole items in order, none much smaller than the others; equal replies are stored once."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.reporting.trace_browser import trace_texts
from reasrm.reporting.trace_browser.trace_texts import chunks
from tests.reporting.trace_browser.browser_run import Written


@given(st.lists(st.integers(0, 900_000), max_size=12))
def test_chunks_joined_are_the_items_and_only_the_last_is_small(sizes: list[int]) -> None:
    items = [{"n": number, "text": "x" * size} for number, size in enumerate(sizes)]
    found = list(chunks(iter(items)))
    assert [item for chunk in found for item in chunk] == items
    weights = [sum(len(item["text"]) + 1 for item in chunk) for chunk in found]
    assert all(weight >= trace_texts.CHUNK_CHARACTERS for weight in weights[:-1])
    assert all(weight < 2 * 900_000 for weight in weights)


def test_the_index_says_where_each_chunk_begins(browser_data: Written) -> None:
    starts = browser_data.index["chunks"]
    assert starts == [sum(map(len, browser_data.chunks[:number])) for number in range(len(browser_data.chunks))]


def test_equal_replies_of_an_item_in_one_order_are_stored_once(browser_data: Written) -> None:
    for entry in browser_data.entries:
        replies = ["".join(pieces[1::2]) for pieces in entry["replies"]]
        assert all(replies.count(text) <= 2 for text in replies), "once per order"
        used = {told["reply"] for told in [*entry["judged"], *entry["probed"]] if "reply" in told}
        assert used == set(range(len(replies)))
