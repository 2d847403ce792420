"""Thoughts in a reply: every family's marks, one after the other, nested, unfinished, or only mentioned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.chat_templates.chat_template import opened_thought
from reasrm.judging.thought_marks import THOUGHT_MARKS, ThoughtMark, read_thoughts
from reasrm.judging.verdict import Unreadable, Verdict, after_thinking, forced_ending, read_verdict, reply_end
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish

MARKS = st.sampled_from(THOUGHT_MARKS)
BRACKETED = [mark for mark in THOUGHT_MARKS if mark.begun_by_prompt]
"""All but those that are known only at the beginning of a reply."""
PROSE = st.text(alphabet=st.characters(exclude_characters="<>[]◁▷`", exclude_categories=("Cs",)), max_size=20)
SIDES = st.sampled_from(Side)
RIGHT = "<answer>[[A]]</answer>"
REHEARSED = "If B were right I would write <answer>[[B]]</answer>, but"


def side_of(text: str, finish: Finish = Finish.STOP) -> Side | Unreadable:
    read = read_verdict(text, finish)
    return read.side if isinstance(read, Verdict) else read


@pytest.mark.parametrize("mark", THOUGHT_MARKS, ids=lambda mark: mark.start)
def test_a_thought_of_every_family_decides_nothing(mark: ThoughtMark) -> None:
    thought = f"{mark.start}So {REHEARSED}"
    assert side_of(thought, Finish.LENGTH) is Unreadable.TRUNCATED
    assert side_of(thought) is Unreadable.UNCLOSED
    assert side_of(f"{thought}{mark.closing}\n{RIGHT}") is Side.A
    assert side_of(f"{thought}{mark.closing}\nwell") is Unreadable.NO_ANSWER
    if mark.begun_by_prompt:
        assert side_of(f"So {REHEARSED}{mark.end}\n{RIGHT}") is Side.A
    assert reply_end(f"{thought}{mark.closing}\n{RIGHT} and on") is None
    assert side_of(f"{thought}{forced_ending(thought)}A]]</answer>") is Side.A


@pytest.mark.parametrize("mark", BRACKETED, ids=lambda mark: mark.start)
def test_any_further_thought_counts_as_the_first_does(mark: ThoughtMark) -> None:
    for first in BRACKETED:
        before = f"{first.start}short{first.closing}More to check.\n"
        assert side_of(f"{before}{mark.start}{REHEARSED}", Finish.LENGTH) is Unreadable.TRUNCATED
        assert side_of(f"{before}{RIGHT}{mark.start}{REHEARSED}") is Unreadable.UNCLOSED
        assert side_of(f"{before}{mark.start}{REHEARSED}{mark.closing}{RIGHT}") is Side.A


@given(st.lists(st.tuples(MARKS.filter(lambda mark: mark in BRACKETED), st.booleans(), PROSE), max_size=6), SIDES)
def test_a_reply_that_ends_inside_a_thought_has_no_verdict(
    thoughts: list[tuple[ThoughtMark, bool, str]], side: Side
) -> None:
    """Finished and unfinished thoughts in a row, the unfinished ones around all that follows."""
    text = "".join(f"{m.start}x{prose}{m.closing if closed else ''}" for m, closed, prose in thoughts)
    text += f"<answer>[[{side}]]</answer>"
    read = read_thoughts(text)
    assert isinstance(read_verdict(text), Verdict) == (not read.still_open)
    if thoughts and not thoughts[-1][1]:
        assert side_of(text) is Unreadable.UNCLOSED
    if all(closed for _, closed, _ in thoughts):
        assert side_of(text) is side


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<think>a <think>b</think> c <answer>[[B]]</answer>", Unreadable.UNCLOSED),
        ("<think>a <think>b</think> c</think><answer>[[A]]</answer>", Side.A),
        ("<think>\n<think>\na</think><answer>[[A]]</answer>", Side.A),
        ("<think>a <thinking>b</think><answer>[[A]]</answer>", Side.A),
        ("<thinking>a</think><answer>[[B]]</answer>", Unreadable.UNCLOSED),
        ("< Think >a</ THINK ><answer>[[A]]</answer>", Side.A),
        ('<thought signature="x">a</thought><answer>[[A]]</answer>', Side.A),
        ('<thought signature="x">a<answer>[[B]]</answer>', Unreadable.UNCLOSED),
        ("I will use `<think>` tags. <answer>[[A]]</answer>", Side.A),
        ("<think>I end with `</think>`, then <answer>[[B]]</answer>", Unreadable.UNCLOSED),
        ("I think <that> and <think about it>. <answer>[[A]]</answer>", Side.A),
        ("<quote_A><think></quote_A><answer>[[A]]</answer>", Side.A),
        ("<quote_A>[THINK] <|channel|>analysis</quote_A><answer>[[A]]</answer>", Side.A),
        ("<think>a</think> b </thinking> c <answer>[[A]]</answer>", Side.A),
        ("<|channel|>final<|message|><answer>[[A]]</answer>", Side.A),
        ("<|channel|>analysis<|message|>a<|channel|>commentary<|message|><answer>[[B]]</answer>", Unreadable.UNCLOSED),
        ("<|channel|>analysis<|message|>a<|channel|>analysis<|message|>b<|channel|>final<|message|>" + RIGHT, Side.A),
        ("<|channel|>analysis<|message|>a<|channel|>final <|constrain|>json<|message|>" + RIGHT, Side.A),
        ("analysisWe see <answer>[[B]]</answer>assistantfinal<answer>[[A]]</answer>", Side.A),
        ("analysisWe see <answer>[[B]]</answer>", Unreadable.UNCLOSED),
        ("<answer>[[A]]</answer> It ends with assistantfinal.", Side.A),
        ("Here's my thought process: <answer>[[B]]</answer>", Unreadable.UNCLOSED),
        ("Well. Here is my thought process: so. <answer>[[A]]</answer>", Side.A),
        ("analysis: A is right. <answer>[[A]]</answer>", Side.A),
    ],
)
def test_what_stands_where(text: str, read: Side | Unreadable) -> None:
    assert side_of(text) is read


@pytest.mark.parametrize("mark", BRACKETED, ids=lambda mark: mark.start)
def test_a_template_that_ends_its_prompt_with_a_start_opens_the_thought(mark: ThoughtMark) -> None:
    assert opened_thought(f"<|assistant|>{mark.start}\n") == mark.start
    assert opened_thought(f"<|assistant|>{mark.start}\n\n{mark.end}\n\n") == ""
    assert opened_thought(f"<|assistant|>{mark.start} so") == ""


def test_a_prompt_may_end_with_nothing() -> None:
    assert [opened_thought(prompt) for prompt in ("", "\n", "<|assistant|>", "analysis")] == [""] * 4


@given(st.lists(st.sampled_from([part for mark in THOUGHT_MARKS for part in (mark.start, mark.end, "a", "\n")])))
def test_any_sequence_of_marks_is_read_and_its_ending_closes_it(parts: list[str]) -> None:
    text = "".join(parts)
    start = after_thinking(text)
    assert start is None or 0 <= start <= len(text)
    assert after_thinking(text + forced_ending(text)) is not None
