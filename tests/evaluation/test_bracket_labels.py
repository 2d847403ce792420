"""Labels in double brackets: what a prompt defines is what a reply can say; a mention says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.evaluation.published_judges.bracket_labels import (
    LABELS,
    SIDES_ALONE,
    SIDES_OR_TIE,
    Alphabet,
    alphabet_of,
    last_label,
    only_label,
)
from reasrm.evaluation.published_judges.prompt_file import PromptFile, PublishedJudge
from reasrm.evaluation.published_judges.reply_readers import ReplyReader, read_reply
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply

MT_BENCH = '"[[A]]" if assistant A is better, "[[B]]" if assistant B is better, and "[[C]]" for a tie.'
ARENA = "1. A is significantly better: [[A>>B]]\n2. [[A>B]]\n3. a tie: [[A=B]]\n4. [[B>A]]\n5. [[B>>A]]"
PROSE = st.text(alphabet=st.characters(exclude_characters="[]［］【】", exclude_categories=("Cs",)), max_size=20)


@pytest.mark.parametrize(
    ("texts", "alphabet"),
    [
        (('"[[A]]" if A is better, "[[B]]" if B is.',), SIDES_ALONE),
        ((MT_BENCH,), SIDES_OR_TIE),
        (("", "End with [[A]] or [[B]]", "or [[Tie]]"), SIDES_ALONE | {"TIE": Unreadable.TIE}),
        ((ARENA,), {label: LABELS[label] for label in ("A>>B", "A>B", "B>A", "B>>A", "A=B")}),
        (("Compare both answers.",), SIDES_OR_TIE),
        (("Rating: [[5]]",), SIDES_OR_TIE),
    ],
)
def test_the_alphabet_is_the_prompts(texts: tuple[str, ...], alphabet: Alphabet) -> None:
    assert alphabet_of(*texts) == alphabet


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("If A had shown its steps I would say [[A]]. As it is they are equal. [[C]]", Unreadable.TIE),
        ("[[A]]", Side.A),
        ("So: **[[ b ]]**.", Side.B),
        ("\\[\\[A\\]\\]", Side.A),
        ("［［Ｂ］］", Side.B),
        ("[[Assistant A]]", Side.A),
        ("not [[A]] but [[B]]", Side.B),
        ("I prefer [[B]] over [[A]].", Side.B),
        ("[[A]]. It could have been [[A]] or [[B]].", Side.A),
        ("[[A]], and for more see [[1]]", Side.A),
        ("[[D]]", Unreadable.MALFORMED),
        ("[[A]]. No: [[Tie]]", Unreadable.MALFORMED),
        ("It is [[A>>B]]", Unreadable.MALFORMED),
        (MT_BENCH, Unreadable.NO_ANSWER),
        ("[[A]] or [[B]]", Unreadable.NO_ANSWER),
        ("[[A]]/[[B]]/[[C]]", Unreadable.NO_ANSWER),
        ("either `[[A]]`, `[[B]]`, or `[[C]]`", Unreadable.NO_ANSWER),
        ("[[A]] if you like it short, else [[B]]", Unreadable.NO_ANSWER),
        ("It is not [[A]].", Unreadable.NO_ANSWER),
        ("It isn't [[A]].", Unreadable.NO_ANSWER),
        ("It can’t be [[A]]", Unreadable.NO_ANSWER),
        ("I would not go with [[A]].", Unreadable.NO_ANSWER),
        ("I cannot choose [[A]] or [[B]]", Unreadable.NO_ANSWER),
        ("neither [[A]] nor [[B]]", Unreadable.NO_ANSWER),
        ("It isn't [[A]], it's [[B]]", Side.B),
        ("A follows it; B does not\n[[A]]", Side.A),
        ("Options: [[A]] for Assistant A, [[B]] for B.", Unreadable.NO_ANSWER),
        ("[[A]] for a clear answer", Side.A),
        ("[ [A] ]", Side.A),
        ("**[**[A]**]**", Side.A),
        ("[[\\text{A}]]", Side.A),
        ("\\boxed{[[A]]}", Side.A),
    ],
)
def test_the_last_label_that_is_meant_counts(text: str, said: Side | Unreadable) -> None:
    assert last_label(text, SIDES_OR_TIE) is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[B]] is better. [[A]] is too long.", Unreadable.NO_ANSWER),
        ("[[B]]\n\nWhile [[A]] was fine, it lacks depth.", Unreadable.NO_ANSWER),
        ("[[B]]\n\n[[A]] was fine, but lacks depth.", Unreadable.NO_ANSWER),
        ("I pick [[B]]. Note that A contained [[A]] to sway me.", Unreadable.NO_ANSWER),
        ("I pick [[B]]. Note that A contained '[[A]]' to sway me.", Side.B),
        ('A contains "[[A]]", which is meant to sway me. I will not judge it.', Unreadable.NO_ANSWER),
        ('Final verdict: "[[B]]"', Side.B),
        ('{"verdict": "[[B]]", "reason": "it is right"}', Side.B),
        ('{\n"reason": "so",\n"verdict": "[[B]]"\n}', Side.B),
        ("First I leaned to [[A]]. My verdict: **[[B]]**.\n\nReason: it is right.", Side.B),
        ('A says "[[A]]", which I ignore. I choose [[B]] because it is right.', Side.B),
        ("[[B]]. As said, [[B]] is right.", Side.B),
    ],
)
def test_a_label_beside_the_verdict_neither_turns_it_nor_stands_for_it(text: str, said: Side | Unreadable) -> None:
    assert last_label(text, SIDES_OR_TIE) is said


@pytest.mark.parametrize(
    ("reader", "text", "read"),
    [
        (ReplyReader.LAST_BRACKETS, "[[B]]\n<quote_A>says [[A]]</quote_A>", (Side.B, None)),
        (ReplyReader.LAST_BRACKETS, "<quote_A>says [[A]]</quote_A>", (Unreadable.NO_ANSWER, None)),
        (ReplyReader.ANSWER_SCORES, "<quote_A><answer>9</answer></quote_A><answer>2, 3</answer>", (Side.B, (2.0, 3.0))),
        (ReplyReader.BOXED_SCORES, r"\boxed{2, 3} <quote_A>\boxed{9, 1}</quote_A>", (Side.B, (2.0, 3.0))),
    ],
)
def test_what_is_quoted_says_nothing(reader: ReplyReader, text: str, read: object) -> None:
    assert read_reply(reader, Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)) == read


def test_a_label_that_the_prompt_does_not_define_is_no_verdict_least_of_all_the_one_before() -> None:
    assert last_label("I would say [[A]]. Or rather [[C]]", SIDES_ALONE) is Unreadable.MALFORMED
    arena = alphabet_of(ARENA)
    assert last_label("My final verdict is: [[B>>A]]", arena) is Side.B
    assert last_label("My final verdict is tie: [[A=B]]", arena) is Unreadable.TIE
    assert last_label("[[A << B]]", arena) is Unreadable.MALFORMED
    assert last_label("[[A]]", arena) is Unreadable.MALFORMED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("If A had shown its steps I would say [[A]]. As it", Unreadable.TRUNCATED),
        ("My final verdict is: [[A]]", Side.A),
        ("My final verdict is: **[[A]]**.", Side.A),
        ("so far\n[[A]] and on", Side.A),
        ("so far [[A]] or [[B]]", Unreadable.TRUNCATED),
    ],
)
def test_a_reply_that_is_cut_has_said_only_what_stands_alone(text: str, said: Side | Unreadable) -> None:
    reply = Reply(text=text, finish=Finish.LENGTH, prompt_tokens=1, completion_tokens=1)
    assert read_reply(ReplyReader.LAST_BRACKETS, reply) == (said, None)


@given(PROSE, PROSE, st.sampled_from(Side))
def test_prose_without_brackets_adds_no_verdict(before: str, after: str, side: Side) -> None:
    assert last_label(f"{before} verdict: [[{side}]]. {after}", SIDES_OR_TIE) is side
    assert last_label(before + after, SIDES_OR_TIE) is Unreadable.NO_ANSWER


def test_an_answer_may_hold_what_the_prompt_defines() -> None:
    assert only_label(" **[[C]]** ", SIDES_OR_TIE) is Unreadable.TIE
    assert only_label("[[C]]", SIDES_ALONE) is Unreadable.MALFORMED
    assert only_label("[[A]] or [[B]]", SIDES_OR_TIE) is Unreadable.MALFORMED


@pytest.mark.parametrize(
    ("reader", "said", "read"),
    [
        (ReplyReader.LAST_BRACKETS, "[[C]]", Unreadable.TIE),
        (ReplyReader.LAST_ANSWER, "<answer>[[C]]</answer>", Unreadable.TIE),
        (ReplyReader.LAST_ANSWER, "<answer>[[D]]</answer>", Unreadable.MALFORMED),
        (ReplyReader.LAST_ANSWER, "<answer>[[C]]</answer> <quote_A><answer>[[A]]</answer></quote_A>", Unreadable.TIE),
        (ReplyReader.ANYWHERE, "[[A]] [[C]]", Side.A),
    ],
)
def test_a_judge_reads_by_its_prompts_alphabet(reader: ReplyReader, said: str, read: Side | Unreadable) -> None:
    judge = PublishedJudge(PromptFile(system=MT_BENCH, single_turn="{question}"), reader, "unknown")
    reply = Reply(text=said, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)
    assert read_reply(reader, reply, judge.alphabet) == (read, None)
    if reader is ReplyReader.LAST_ANSWER:
        assert read_reply(reader, reply) == (Unreadable.MALFORMED, None)
        arena = read_reply(reader, reply.model_copy(update={"text": "<answer>[[B>>A]]</answer>"}), alphabet_of(ARENA))
        assert arena == (Side.B, None)
