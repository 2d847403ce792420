"""What counts as the same words, and what does not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.quoted_text import SHORTEST_PART, comparable, found_in_parts, found_whole
from reasrm.judging.untrusted_text import defuse

TRUE = [
    ("Le café créme est bon.", "café créme"),
    ("say hel\u200blo world", "hello world"),
    ("it's “fine” — really…", "it's 'fine' - really..."),
    ("**Bold** and *it* `code` text", "Bold and it code text"),
    ("1. Foo\n2. Bar baz\n", "Foo Bar baz"),
    ("1. **Foo**: x\n2. Bar", "1. Foo: x 2. Bar"),
    ("- a thing\n- b thing", "a thing b thing"),
    ("- a thing\n- b thing", "- a thing - b thing"),
    ("Fish &amp; chips &lt;b&gt;", "Fish & chips <b>"),
    ("so \\(x^2\\) is", "so x^2 is"),
    ("so $x^{2}$ is", "so x² is"),
    ("see [the docs](http://a.b/c) now", "see the docs now"),
    ("## Title\ntext", "Title text"),
    ("## ** it is south **", "## **"),
    ("## ** it is south **", "##"),
    ("## ** it is south **", "south"),
    ("snake_case and __init__", "snake_case and __init__"),
    ("<p>Hello <b>you</b></p>", "Hello you"),
    ("line one\nline two", "line one line two"),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
    ("I'm", "I’m"),
    ("ﬁne ＡＢＣ", "fine ABC"),
    ("x‑ray well–known", "x-ray well-known"),
    ("> quoted\n> more", "quoted more"),
    ("soft\u00adhyphen", "softhyphen"),
    ("zwj \u202aleft\u202c", "zwj left"),
    ("<answer>x</answer>", "‹answer›x‹/answer›"),
    ("你好世界", "好世"),
    ("The *quick* brown", "the quick brown"),
    ("一**粗体**文字", "粗体文字"),
    ("word — word", "word—word"),
    ("`a` and ```py\nx = 1\n```", "x = 1"),
    ("a * b = c", "a * b"),
    ("2*3=6", "2*3"),
    ("10² m", "10² m"),
    ("\\frac{1}{2} of", "1/2 of"),
    ("½ of", "1/2 of"),
    ('He said "hi"', "He said 'hi'"),
    ("H<sub>2</sub>O", "H₂O"),
    ("E=mc<sup>2</sup>", "E=mc²"),
    ("i) one\nii) two", "one two"),
    ("costs $5 and $6", "costs $5 and $6"),
    ("Don't\u00a0go", "don't go"),
    ("ÀÉ", "àé"),
    ("naïve", "nai\u0308ve"),
    ("Straße", "STRASSE"),
    ("It is 5.", "It is 5"),
    ("a\r\nb", "a b"),
    ("\\*star\\*", "*star*"),
    ("~~old~~ new", "old new"),
    ("- [x] done thing", "done thing"),
    ("&quot;Hi&quot; &#39;x&#39;", "\"Hi\" 'x'"),
]
"""Answers, and quotations that say what they say."""

FALSE = [
    ("costs 15 dollars", "5 dollars"),
    ("costs 50", "costs 5"),
    ("is 3.14", "is 3"),
    ("it is 0.5", "5"),
    ("unable to help", "able to help"),
    ("is 10² m", "is 102 m"),
    ("is 102", "is 10²"),
    ("2*3", "23"),
    ("the cable", "ab"),
    ("resume", "résumé"),
    ("a is not b", "a is b"),
    ("1. Paris", "7. Paris"),
    ("costs $5", "costs $6"),
    ("-5 degrees", "5 degrees"),
    ("1,000 people", "000 people"),
    ("snake_case", "snakecase"),
    ("2½", "21/2"),
    ("x_1", "x1"),
    ("The cat", "The dog"),
    ("with", "it"),
    ("safe", "unsafe"),
    ("10<sup>2</sup>", "102"),
    ("well", ""),
    ("abc", "..."),
]
"""Answers, and quotations that say something else."""


@pytest.mark.parametrize(("answer", "quote"), TRUE)
def test_signs_and_markup_make_no_quotation_false(answer: str, quote: str) -> None:
    assert found_whole(quote, answer)
    assert found_whole(quote, f"Well, {answer} And so on.") or answer[0] in "#>-|123456789i`"
    assert found_whole(quote, f"Well,\n\n{answer}\n\nAnd so on.")


@pytest.mark.parametrize(("answer", "quote"), FALSE)
def test_other_words_and_numbers_stay_other(answer: str, quote: str) -> None:
    assert not found_whole(quote, answer)
    assert not found_in_parts(quote, answer)


ANSWER = "The sky is blue today, and the grass is **green** tomorrow. 天空是蓝色的，草地是绿色的。"


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("The sky is blue … the grass is green", True),
        ("The sky is blue [...] the grass is green", True),
        ("The sky is blue . . . the grass is green", True),
        ("The sky is blue...", True),
        ("... the grass is green tomorrow", True),
        ("天空是 … 草地是", True),
        ("the grass is green … The sky is blue", False),
        ("The sky is blue … the grass is brown", False),
        ("The sky is blue … blue today", False),
        ("The sky is blue … is", False),
        ("The ... green", False),
        ("The sky is blue the grass is green", False),
        ("...", False),
    ],
)
def test_parts_around_an_ellipsis_stand_in_their_order(quote: str, found: bool) -> None:
    assert found_in_parts(quote, ANSWER) is found


def test_each_part_needs_some_characters() -> None:
    assert found_in_parts(
        "a" * SHORTEST_PART + "..." + "b" * SHORTEST_PART, "a" * SHORTEST_PART + " " + "b" * SHORTEST_PART
    )
    assert not found_in_parts("a" * SHORTEST_PART + "...bb", "a" * SHORTEST_PART + " bb")


WORDS = st.lists(
    st.sampled_from(
        ["one", "Two", "3", "**four**", "`five`", "café", "x²", "ten – eleven", "it’s", "\n- six", "ﬁ", "天"]
    ),
    min_size=1,
)


@given(WORDS, st.data())
def test_any_words_of_an_answer_are_a_true_quotation_of_it_as_it_is_and_as_it_was_shown(
    words: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    piece = " ".join(words[start : data.draw(st.integers(start + 1, len(words)))])
    answer = " ".join(words)
    assert found_whole(piece, answer)
    assert found_whole(defuse(piece), answer)


@given(st.text(), st.text())
def test_a_whole_answer_quotes_itself_and_nothing_quotes_nothing(text: str, other: str) -> None:
    assert found_whole(text, text) == bool(comparable(text))
    assert not found_whole("", other)


@pytest.mark.parametrize(
    "piece",
    [
        "-",
        "| - ",
        "*",
        "$a ",
        "[a](",
        "<b ",
        " ",
        "\n",
        "> ",
        "`",
        "\\frac{",
        "1. ",
        "'",
        " . . .",
        "\u200b",
        "**a** ",
        "&lt;",
    ],
)
def test_time_is_linear_in_the_length(piece: str) -> None:
    text = (piece * 60_000)[:60_000]
    began = time.process_time()
    assert not found_whole("other words", text)
    found_in_parts(f"some words {text[:8000]} ... other words", text)
    assert time.process_time() - began < 1.5
