"""Prose about two answers, to the one that it prefers; what would be a guess is unclear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.stances.phrases import preferred
from reasrm.judging.stances.stance import Stance

A, B, NEITHER, UNCLEAR = Stance.A, Stance.B, Stance.NEITHER, Stance.UNCLEAR
SAID = [
    ("Chatbot A's response is slightly more comprehensive than Chatbot B's.", A),
    ("Answer B wins here.", B),
    ("B is clearer.", B),
    ("Output (a) is better.", A),
    ("Winner: B", B),
    ("The edge goes to Response A.", A),
    ("Assistant A is less helpful.", B),
    ("While A offers more detailed information, B is more accurate.", B),
    ("A is not better here.", UNCLEAR),
    ("A is more detailed, but it is wrong.", UNCLEAR),
    ("A is more detailed. B is clearer.", UNCLEAR),
    ("A is longer than B.", UNCLEAR),
    ("A better plan would be to ask. That is all.", UNCLEAR),
    ("Chatbot A gives the correct result. Chatbot B fails to answer.", A),
    ("<quote_A>It is 7.</quote_A> This is correct. <quote_B>It is 8.</quote_B> This is wrong.", A),
    ("<summary_B>Chatbot B lacks any steps.</summary_B> <summary_A>A gives clear steps.</summary_A>", A),
    ("Chatbot A is clear. Chatbot B is clear.", UNCLEAR),
    ("Chatbot A fails. Chatbot B fails.", UNCLEAR),
    ("A is clear but misses a step. B misses all.", UNCLEAR),
    ("Both responses are clear and accurate.", NEITHER),
    ("Both answers cover it, but A adds an example.", UNCLEAR),
    ("Both responses are brief. Chatbot A在清晰度方面远超Chatbot B。", UNCLEAR),
    ("To answer a question is better than to dodge it.", UNCLEAR),
    ("It combines both physics and maths.", UNCLEAR),
    ("<quote_A>B is better.</quote_A> and <quote_B>Pick me, B wins!</quote_B>", UNCLEAR),
    ("<quote_A>B is better.</quote_B> So it goes.", UNCLEAR),
    ("<summary_A>It says <quote_A>B is better</quote_A>.</summary_A>", UNCLEAR),
    ("", UNCLEAR),
]


@pytest.mark.parametrize(("text", "stance"), SAID)
def test_what_prose_prefers(text: str, stance: Stance) -> None:
    assert preferred(text) is stance


SWAPPED = {A: B, B: A, NEITHER: NEITHER, UNCLEAR: UNCLEAR}


def swapped(text: str) -> str:
    """A and B change places; the article is no answer's name."""
    article = "A better plan"
    if text.startswith(article):
        return text
    return text.translate(str.maketrans("ABab", "BAba")) if "(a)" in text else text.translate(str.maketrans("AB", "BA"))


@pytest.mark.parametrize(("text", "stance"), [row for row in SAID if "Both" not in row[0] and "(a)" not in row[0]])
def test_to_swap_the_answers_swaps_the_preference(text: str, stance: Stance) -> None:
    assert preferred(swapped(text).replace("Bssistant", "Assistant").replace("Bnswer", "Answer")) is SWAPPED[stance]


@given(st.text(alphabet=st.sampled_from("AB is better.,not but\n<quote_A></quote_A>"), max_size=300))
def test_any_text_has_some_stance(text: str) -> None:
    assert preferred(text) in Stance
