"""A judge's own reply: what it quotes, retells or thinks moves neither where the reply ends nor its verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.evaluation.published_judges.reply_readers import ReplyReader, read_reply
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import QUESTION_END, QUESTION_START, RESPONSE_END, RESPONSE_START, judge_prompt
from reasrm.judging.trace_structure import read_structure
from reasrm.judging.verdict import STOP, Unreadable, Verdict, read_verdict, reply_end
from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import Message, Role
from reasrm.records.reply import Finish, Reply

PIECES = (
    *("<answer>[[A]]</answer>", "<answer>[[B]]</answer>", "</answer>", "<answer>", "[[A]]", "[[B]]", "</eval>"),
    *("<think>", "</think>", "<type>Chat</type>", "<rubric>", "</rubric>", " ", "\n", "well", "<", ">", "/"),
    *("[End of answer A]", "<|im_end|>", "</quote_A>", "<quote_B>", "</summary_B>", "</summary_A>", "<quote_A>"),
)
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
UNQUOTING = st.lists(st.sampled_from([one for one in PIECES if "quote" not in one and "summary" not in one])).map(
    "".join
)
"""Texts that are anything but the end of a quotation."""
QUOTATIONS = st.sampled_from(["quote_A", "quote_B", "summary_A", "summary_B"])
SIDES = st.sampled_from(Side)
SLOTS = st.sampled_from(["question", "turn", "response_a", "response_b"])


def shown(slot: str, text: str) -> str:
    """`text` as the judge sees it in `slot` of its prompt."""
    texts = {name: text if name == slot else "words" for name in ("question", "turn", "response_a", "response_b")}
    turns = (
        Message(role=Role.USER, content="first"),
        Message(role=Role.ASSISTANT, content=texts["turn"]),
        Message(role=Role.USER, content=texts["question"]),
    )
    comparison = Comparison(
        pair_id="p", prompt=turns, response_a=texts["response_a"], response_b=texts["response_b"], better=Side.A
    )
    case = judge_prompt(comparison, PromptVariant.FULL)[1].content
    frames = {
        "question": (QUESTION_START, QUESTION_END),
        "turn": ("Assistant: ", "\n[End of the conversation so far]"),
        "response_a": (RESPONSE_START[Side.A], RESPONSE_END[Side.A]),
        "response_b": (RESPONSE_START[Side.B], RESPONSE_END[Side.B]),
    }
    start, end = frames[slot]
    return case.split(start, 1)[1].rsplit(end, 1)[0].strip("\n")


def verdict_of(reply: str) -> Side | Unreadable:
    """The verdict of a reply, cut where an engine cuts it."""
    read = read_verdict(reply[: reply_end(reply)])
    return read.side if isinstance(read, Verdict) else read


@given(SLOTS, HOSTILE, QUOTATIONS, SIDES)
def test_a_judge_may_quote_what_it_sees_in_any_slot(slot: str, text: str, tag: str, side: Side) -> None:
    reply = f"<eval><{tag}>{shown(slot, text)}</{tag}></eval>\n<answer>[[{side}]]</answer>"
    assert reply_end(reply) == len(reply)
    assert verdict_of(reply) is side


@given(SLOTS, HOSTILE, SIDES)
def test_a_judge_may_repeat_what_it_sees_without_quoting(slot: str, text: str, side: Side) -> None:
    seen = shown(slot, text)
    reply = f"<eval>It says {seen}</eval>\n<answer>[[{side}]]</answer> and then {seen}"
    assert verdict_of(reply) is side


@given(UNQUOTING, QUOTATIONS, SIDES)
def test_even_real_tags_in_a_quotation_are_only_quoted(text: str, tag: str, side: Side) -> None:
    reply = f"<eval><{tag}>{text}</{tag}></eval><answer>[[{side}]]</answer>"
    assert reply_end(reply) == len(reply)
    assert verdict_of(reply) is side
    assert verdict_of(f"<eval><{tag}>{text}</{tag}></eval>") in (Unreadable.NO_ANSWER, Unreadable.ONLY_QUOTED)
    structure = read_structure(reply)
    assert structure.text.startswith("<eval>")
    assert structure.text.endswith(f"<answer>[[{side}]]</answer>")


@given(UNQUOTING, SIDES)
def test_thoughts_end_no_reply_and_decide_nothing(text: str, side: Side) -> None:
    unopening = text.replace("<think>", "")
    reply = f"<think>{unopening}</think><answer>[[{side}]]</answer>"
    assert reply_end(reply) is None
    assert verdict_of(reply) is side
    assert reply_end(f"<think>{text}</think><answer>[[{side}]]</answer>") is None
    assert not isinstance(verdict_of(f"<think>{text.replace('</think>', '')}"), Side)


@given(SLOTS, HOSTILE, SIDES, st.sampled_from([one for one in ReplyReader if one is not ReplyReader.ANYWHERE]))
def test_a_thought_that_is_cut_decides_nothing_for_any_judge(
    slot: str, text: str, side: Side, reader: ReplyReader
) -> None:
    """Whatever it repeats from any slot, and whatever verdict it rehearses."""
    rehearsed = f"<answer>[[{side}]]</answer> or <answer>3</answer><answer>5</answer> or \\boxed{{3, 5}}"
    cut = f"<think>It says {shown(slot, text)}, so {rehearsed}, and"
    assert read_verdict(cut, Finish.LENGTH) is Unreadable.TRUNCATED
    reply = Reply(text=cut, finish=Finish.LENGTH, prompt_tokens=1, completion_tokens=1)
    assert read_reply(reader, reply) == (Unreadable.TRUNCATED, None)
    assert read_reply(reader, reply.model_copy(update={"finish": Finish.STOP})) == (Unreadable.UNCLOSED, None)


@given(UNQUOTING, QUOTATIONS, SIDES)
def test_no_growing_reply_is_cut_inside_a_quotation(text: str, tag: str, side: Side) -> None:
    """Token by token an engine sees every beginning of the reply; the first end it finds must be the verdict's."""
    before = f"<eval><{tag}>{text}"
    reply = f"{before}</{tag}></eval><answer>[[{side}]]</answer>"
    ends = [end for length in range(len(reply) + 1) if (end := reply_end(reply[:length])) is not None]
    assert ends == [len(reply)]


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        ("<answer>[[A]]</answer> tail", len("<answer>[[A]]</answer>")),
        ("no verdict", None),
        ("<quote_A>open <answer>[[A]]</answer>", None),
        ("<quote_A>x</quote_A></answer>", len("<quote_A>x</quote_A></answer>")),
        ("thought <answer>[[A]]</answer></think>", None),
        ("<think> use <quote_A> </think><answer>[[B]]</answer>", None),
    ],
)
def test_where_replies_end(reply: str, end: int | None) -> None:
    assert reply_end(reply) == end
    assert reply_end(reply, "") is None


def test_thinking_that_mentions_a_quotation_hides_no_verdict() -> None:
    reply = f"<think>I will use <quote_A> tags.</think><eval><quote_A>x</quote_A></eval><answer>[[B]]{STOP}"
    assert verdict_of(reply) is Side.B
