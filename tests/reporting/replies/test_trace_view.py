"""A reply in pieces: nothing lost, quotations marked by where they are found, the verdict that counts marked."""

from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.trace_structure import read_structure
from reasrm.records.reply import Finish, Reply
from reasrm.reporting.replies.trace_view import Segment, SegmentKind, quote_kind, segments


def pieces(text: str, a: str = "the moon is far", b: str = "cheese, all of it") -> tuple[Segment, ...]:
    return segments(Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1), a, b)


def kinds(text: str) -> list[SegmentKind]:
    return [piece.kind for piece in pieces(text) if piece.kind not in (SegmentKind.TAG, SegmentKind.TEXT)]


def test_quotations_are_found_missing_or_in_the_other_answer() -> None:
    text = (
        "<eval><quote_A>Moon  is</quote_A> <quote_B>moon is</quote_B> <quote_A>never said</quote_A></eval>"
        "<answer>[[A]]</answer>"
    )
    assert kinds(text) == [
        SegmentKind.FOUND, SegmentKind.OTHER_ANSWER, SegmentKind.MISSING, SegmentKind.VERDICT,
    ]  # fmt: skip


def test_labels_say_it_in_words() -> None:
    labels = [piece.label for piece in pieces("<quote_B>moon</quote_B><quote_B>x y z</quote_B>") if piece.label]
    assert labels == ["not in B, but in A", "in neither answer"]


def test_only_the_verdict_that_counts_is_marked() -> None:
    found = pieces("<quote_A><answer>[[B]]</answer></quote_A> so <answer>[[A]]</answer>")
    assert [piece.text for piece in found if piece.kind is SegmentKind.VERDICT] == ["<answer>[[A]]</answer>"]


def test_an_unreadable_reply_has_no_verdict_piece() -> None:
    assert SegmentKind.VERDICT not in kinds("I prefer A.")


TAGS = ["<quote_A>", "</quote_A>", "<quote_B>", "</quote_B>", "<answer>[[A]]</answer>", "<rubric>", "moon", " ", "<"]


@given(st.lists(st.one_of(st.sampled_from(TAGS), st.text(max_size=5))).map("".join))
def test_no_character_is_lost(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


def test_parts_begin_on_lines_of_their_own_once() -> None:
    starts = [piece.text for piece in pieces("<type>Chat</type><rubric>x</rubric>\n<eval></eval>") if piece.starts_part]
    assert starts == ["<rubric>"]


def test_a_quotation_without_its_closing_tag_is_looked_up_too() -> None:
    assert kinds("<eval><quote_A> never said</eval><answer>[[A]]</answer>") == [
        SegmentKind.MISSING, SegmentKind.VERDICT,
    ]  # fmt: skip


def test_what_a_thought_quotes_is_not_looked_up() -> None:
    assert kinds("<think><quote_A>never said</quote_A></think><answer>[[A]]</answer>") == [SegmentKind.VERDICT]


QUOTED = (SegmentKind.FOUND, SegmentKind.OTHER_ANSWER, SegmentKind.MISSING)


@given(st.lists(st.one_of(st.sampled_from(TAGS), st.text(max_size=5))).map("".join))
def test_the_marked_quotations_are_those_that_measures_count(text: str) -> None:
    marked = [(piece.text, piece.kind) for piece in pieces(text) if piece.kind in QUOTED]
    counted = read_structure(text).quotes
    answers = ("the moon is far", "cheese, all of it")
    assert [(quote.text.strip(), quote_kind(quote, *answers)) for quote in counted] == [
        (words.strip(), kind) for words, kind in marked
    ]
