"""Cutting a trace into steps loses nothing, cuts no quotation, and finds criteria, lines and sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.trace_steps import Section, joined_to, trace_pieces

PARTS = st.sampled_from(
    [
        "<rubric>",
        "</rubric>",
        "<eval>",
        "</ eval >",
        "<solution>",
        "<quote_A>",
        "</quote_A>",
        "<justify>",
        "</justify>",
        "<think>",
        "</think>",
        "<type>Chat</type>",
        "<answer>[[",
        "one, 50, two 30%,",
        "Yes. No!",
        ";",
        "\n",
        " ",
        "1.",
        "\x00",
        "\u200b",
        "words and words",
    ]
)
TRACES = st.lists(st.one_of(PARTS, st.text(max_size=4)), max_size=25).map("".join)


@given(TRACES)
def test_no_character_is_lost(trace: str) -> None:
    assert "".join(piece.text for piece in trace_pieces(trace)) == trace


@given(TRACES, st.integers(1, 6))
def test_joining_steps_changes_no_character_and_no_section(trace: str, most: int) -> None:
    pieces = trace_pieces(trace)
    joined = joined_to(pieces, most)
    assert "".join(piece.text for piece in joined) == trace
    for section in (None, *Section):
        assert "".join(p.text for p in joined if p.section is section) == "".join(
            p.text for p in pieces if p.section is section
        )
    steps = [sum(piece.section is not None for piece in some) for some in (pieces, joined)]
    assert steps[1] == min(steps) if steps[0] <= most else most <= steps[1] <= steps[0]


@pytest.mark.parametrize(
    ("trace", "steps"),
    [
        (
            "<type>Chat</type><rubric> a fact 50, kind words 30<justify> the client wants a fact</justify></rubric>"
            "<eval><quote_A> Is it? Yes. No.</quote_A> a fact: no, 0; kind words: yes, 30. So A has 30.</eval>",
            [
                ("rubric", " a fact 50,"),
                ("rubric", " kind words 30"),
                ("rubric", " the client wants a fact"),
                ("evaluation", "<quote_A> Is it? Yes. No.</quote_A> a fact: no, 0; kind words: yes, 30."),
                ("evaluation", " So A has 30."),
            ],
        ),
        (
            "<think>\nHm. 3.5 is more.\n</think>\n<solution>\n1. Add 2.\n2. Then 5; done.\n</solution>\n"
            "A wins. <answer>",
            [
                ("thought", "\nHm."),
                ("thought", " 3.5 is more.\n"),
                ("solution", "\n1. Add 2."),
                ("solution", "\n2. Then 5;"),
                ("solution", " done.\n"),
                ("free", "\nA wins. "),
            ],
        ),
        ("<answer>[[", []),
    ],
)
def test_steps(trace: str, steps: list[tuple[str, str]]) -> None:
    assert [(one.section.value, one.text) for one in trace_pieces(trace) if one.section] == steps
