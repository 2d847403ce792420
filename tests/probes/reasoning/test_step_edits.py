"""What is corrupted in a step, what stays, and controls that keep the meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.trace_steps import Piece, Section
from reasrm.probes.reasoning.step_edits import Kind, corrupted, paraphrased, with_words_of

RINGS = (("yes", "no"), ("is not", "is"), ("better", "worse"))
EVALUATION, SOLUTION, RUBRIC = Section.EVALUATION, Section.SOLUTION, Section.RUBRIC


@pytest.mark.parametrize(
    ("section", "kind", "text", "expected"),
    [
        (EVALUATION, Kind.WORDS, "Short: yes, 5; kind: No.", "Short: no, 5; kind: Yes."),
        (EVALUATION, Kind.WORDS, "<quote_A>yes, no</quote_A> is it.", "<quote_A>yes, no</quote_A> is not it."),
        (EVALUATION, Kind.WORDS, "This is not better.", "This is better."),
        (SOLUTION, Kind.WORDS, "yes and yes give yes", "yes and yes give no"),
        (EVALUATION, Kind.NUMBERS, " So A has 70, B has 50.", " So A has 50, B has 70."),
        (SOLUTION, Kind.NUMBERS, "step 2: add 3 = 5", "step 2: add 3 = 8"),
        (RUBRIC, Kind.NUMBERS, " kind words 30", " kind words 50"),
        (EVALUATION, Kind.NUMBERS, "It took 1.5 hours.", "It took 2.5 hours."),
        (EVALUATION, Kind.SIDES, "<quote_A>B</quote_A> so A beats B.", "<quote_B>B</quote_B> so B beats A."),
        (EVALUATION, Kind.SIDES, "A good answer, as A's is.", "A good answer, as B's is."),
        (EVALUATION, Kind.SIDES, "A solves it. A clearly wins.", "B solves it. B clearly wins."),
    ],
)
def test_corruptions(section: Section, kind: Kind, text: str, expected: str) -> None:
    others = [Piece("weight 50", RUBRIC), Piece("so it is 8", SOLUTION), Piece("7", None)]
    edit = corrupted([Piece(text, section), *others], 0, [kind], RINGS)
    assert edit == (kind, expected)


def test_the_first_kind_that_changes_anything_is_taken_and_nothing_is_made_up() -> None:
    kinds = [Kind.WORDS, Kind.NUMBERS, Kind.SIDES]
    assert corrupted([Piece("A has 5", EVALUATION)], 0, kinds, RINGS) == (Kind.NUMBERS, "A has 6")
    assert corrupted([Piece("It ends.", EVALUATION)], 0, kinds, RINGS) is None


QUOTED = ["<quote_A>", "</quote_A>", "<quote_B>", "</quote_B>", "."]
EXCHANGED = {Kind.SIDES: ["A", "B", "wins", "yes"], Kind.WORDS: ["yes", "no", "No", "a"]}


@given(st.data())
def test_sides_and_pairs_exchanged_twice_are_as_before(data: st.DataObject) -> None:
    for kind, words in EXCHANGED.items():
        text = " ".join(data.draw(st.lists(st.sampled_from(words + QUOTED))))
        once = corrupted([Piece(text, EVALUATION)], 0, [kind], RINGS[:1])
        if once is not None:
            assert once.text != text
            assert corrupted([Piece(once.text, EVALUATION)], 0, [kind], RINGS[:1]) == (kind, text)


def test_a_paraphrase_says_the_same_and_leaves_quotations_alone() -> None:
    synonyms = (("because", "since"),)
    quoted = Piece("<quote_A>because of red and blue</quote_A>, because", EVALUATION)
    assert paraphrased(quoted, synonyms) == "<quote_A>because of red and blue</quote_A>, since"
    assert paraphrased(Piece("swap red and blue", SOLUTION), synonyms) == "swap blue and red"
    assert paraphrased(Piece("it is so", SOLUTION), synonyms) is None


def test_foreign_words_stand_between_a_steps_own_edges() -> None:
    step = Piece("\n Step 1: add 2;", SOLUTION)
    assert with_words_of(step, Piece(" turn left.", SOLUTION)) == "\n turn left;"
    assert with_words_of(step, Piece("Step 1: add 2", SOLUTION)) is None
