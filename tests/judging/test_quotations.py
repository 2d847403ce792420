"""Quotations in replies, well and carelessly closed, as a reader of the whole reply and as a cutter sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.quotations import blanked, open_quotation, quotations, whole_quotations
from reasrm.judging.verdict import Unreadable, Verdict, read_verdict, reply_end
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish

TAGS = st.sampled_from(["quote_A", "quote_B", "summary_A", "summary_B"])
PIECES = ["<eval>", "</eval>", "<answer>", "</answer>", "[[A]]", "[[B]]", "\n", "x ", "</rubric>", "<type>", "</think>"]
INSIDE = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
SIDES = st.sampled_from(Side)


def side_of(text: str, finish: Finish = Finish.STOP) -> Side | Unreadable:
    read = read_verdict(text, finish)
    return read.side if isinstance(read, Verdict) else read


@pytest.mark.parametrize(
    "careless",
    [
        "<eval><quote_A>text of A</quote_B> is wrong. </eval>\n",
        "<eval><quote_A>text of A is wrong. </eval>\n",
        "<eval><quote_A>text of A</summary_A> is wrong. </eval>",
        "<eval><quote_A>text of A is wrong. <quote_B>text of B</quote_B> </eval>",
        "<eval><quote_A>text of A <summary_B>B</summary_B> so ",
        "<rubric><quote_A>text</rubric> ",
        "<quote_A>text <type>Chat</type> ",
        "<eval><QUOTE_A>text</quote_b> is wrong. </EVAL>",
        "<quote_A>text of A is wrong.\n",
        "<quote_A>text of A\n<answer>[[B]]</answer>\n",
        "<quote_A>text of A is wrong.\n  **",
        "<eval><quote_A>text of A</quote> is wrong. </eval> ",
        "<eval><quote_A>text of A<quote_A> is wrong, <quote_A>this too</quote_A> </eval> ",
        "I use <quote_A> for A and <quote_B> for B. <eval><quote_A>x</quote_A><quote_B>y</quote_B></eval> ",
    ],
)
def test_a_clear_verdict_behind_a_carelessly_closed_quotation_counts(careless: str) -> None:
    end = "**" if careless.endswith("**") else ""
    for side in Side:
        assert side_of(f"{careless}<answer>[[{side}]]</answer>{end}") is side


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<quote_A>x</quote_B> is bad", "As I said: <quote_A>y</quote_A>"),
        ("<quote_A>x</quote_B> is bad", "<summary_A>y</summary_A> and <quote_A>z</quote_A>"),
        ("<quote_A>x is bad", "<quote_A>y</quote_A>"),
        ("<quote_B>x</quote_B> <summary_B>y</quote_B> ", "<summary_B>z</summary_B>"),
        ("<summary_A>It says <quote_A>x</quote_A></summary_B>", "<summary_A>again</summary_A>"),
    ],
)
def test_a_later_quotation_does_not_reach_back_over_a_verdict(before: str, after: str) -> None:
    for side in Side:
        assert side_of(f"<eval>{before}</eval>\n<answer>[[{side}]]</answer>\n{after}") is side


@pytest.mark.parametrize(
    ("text", "finish"),
    [
        ("<quote_A>so <quote_A> and <answer>[[A]]</answer></quote_A>", Finish.STOP),
        ("<quote_A>so <answer>[[A]]</answer> and <quote_A>x</quote_A>", Finish.STOP),
        ("<quote_A>so <quote_B>x</quote_B> <answer>[[A]]</answer></quote_A>", Finish.STOP),
        ("<quote_A>so <answer>[[A]]</answer></quote_A>", Finish.STOP),
        ("<quote_A>so </eval>\n<answer>[[A]]</answer></quote_A>", Finish.STOP),
        ("<quote_A>never closed <answer>[[A]]</answer>", Finish.STOP),
        ("<quote_A>never closed\n<answer>[[A]]</answer> and on", Finish.STOP),
        ("<quote_A>never closed\n<answer>[[A]]</answer>", Finish.LENGTH),
    ],
)
def test_what_may_be_quoted_is_no_verdict(text: str, finish: Finish) -> None:
    assert side_of(text, finish) is (Unreadable.ONLY_QUOTED if finish is Finish.STOP else Unreadable.TRUNCATED)


@given(INSIDE, TAGS, SIDES)
def test_what_stands_in_a_closed_quotation_never_changes_the_verdict(inside: str, tag: str, side: Side) -> None:
    quotation = f"<{tag}>{inside}</{tag}>"
    assert side_of(f"<eval>{quotation}</eval><answer>[[{side}]]</answer>") is side
    assert side_of(f"<answer>[[{side}]]</answer> as said {quotation}") is side
    assert not isinstance(side_of(quotation), Side)


@given(st.lists(st.sampled_from([*PIECES, "<quote_A>", "</quote_A>", "<quote_B>", "</summary_A>"]), max_size=12))
def test_a_reply_is_cut_only_where_its_own_closing_tags_leave_no_quotation_open(parts: list[str]) -> None:
    text = "".join(parts)
    for end in {reply_end(text[:length]) for length in range(len(text) + 1)} - {None}:
        assert end is not None
        assert open_quotation(text[:end], 0) is None


def test_spans_are_in_order_and_blanking_keeps_every_place() -> None:
    text = "a<quote_A>b</quote_A>c<quote_B>d</eval>e<quote_A>f"
    assert [text[slice(*span)] for span in quotations(text, strict=False)] == [
        "<quote_A>b</quote_A>",
        "<quote_B>d",
        "<quote_A>f",
    ]
    assert [text[slice(*span)] for span in quotations(text, strict=True)] == [
        "<quote_A>b</quote_A>",
        "<quote_B>d</eval>e<quote_A>f",
    ]
    assert open_quotation(text, 0) == "quote_B"
    assert open_quotation(text[:22], 0) is None
    assert blanked("0123456", [(4, 6), (1, 5)], "_") == "0_____6"
    mentioned = "use <quote_A> well <quote_A>x</quote_A>"
    assert [mentioned[slice(*span)] for span in whole_quotations(mentioned)] == ["<quote_A>x</quote_A>"]
