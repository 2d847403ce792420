"""Reading verdicts: the last answer, outside thinking and quotations, or the reason why there is none."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.verdict import Unreadable, Verdict, drawing_end, forced_ending, read_verdict, reply_end
from reasrm.judging.visible_text import visible
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish

OUTPUTS = Path(__file__).resolve().parents[3] / "shared/data/judge_outputs/rm_r1_32b.jsonl"
PROSE = st.text(alphabet=st.characters(exclude_characters="<>[]◁▷"), max_size=60)
SIDES = st.sampled_from(Side)


def side_of(text: str, finish: Finish = Finish.STOP) -> Side | Unreadable:
    read = read_verdict(text, finish)
    return read.side if isinstance(read, Verdict) else read


@given(PROSE, PROSE, SIDES)
def test_prose_around_the_tag_changes_nothing(before: str, after: str, side: Side) -> None:
    assert side_of(f"{before}<answer>[[{side}]]</answer>{after}") is side


@given(PROSE, SIDES, SIDES)
def test_the_last_answer_counts(between: str, first: Side, last: Side) -> None:
    assert side_of(f"<answer>[[{first}]]</answer>{between}<answer>[[{last}]]</answer>") is last


@given(PROSE, SIDES, SIDES, st.sampled_from(["quote_A", "quote_B", "summary_A", "summary_B"]))
def test_a_quoted_answer_never_counts(prose: str, quoted: Side, side: Side, tag: str) -> None:
    quotation = f"<{tag}>{prose}<answer>[[{quoted}]]</answer></{tag}>"
    assert side_of(f"<eval>{quotation}</eval><answer>[[{side}]]</answer>") is side
    assert side_of(f"<answer>[[{side}]]</answer><eval>{quotation}</eval>") is side
    assert side_of(f"<eval>{quotation}</eval>") is Unreadable.ONLY_QUOTED


@given(PROSE, SIDES, SIDES)
def test_thinking_never_counts(prose: str, thought: Side, side: Side) -> None:
    thinking = f"{prose} so <answer>[[{thought}]]</answer> or [[{side}]]"
    assert side_of(f"<think>{thinking}</think><answer>[[{side}]]</answer>") is side
    assert side_of(f"{thinking}</think><answer>[[{side}]]</answer>") is side
    assert side_of(f"<think>{thinking}") is Unreadable.UNCLOSED
    assert side_of(f"{thinking}</think> well") is Unreadable.NO_ANSWER


@given(st.text(max_size=40), st.sampled_from(Finish))
def test_reading_never_fails_and_never_guesses(text: str, finish: Finish) -> None:
    read = read_verdict(text, finish)
    if isinstance(read, Verdict):
        assert f"[[{read.side}]]" in text[read.start :]


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        ("", Finish.STOP, Unreadable.EMPTY),
        (" \n", Finish.STOP, Unreadable.EMPTY),
        ("", Finish.LENGTH, Unreadable.TRUNCATED),
        ("I will not.", Finish.REFUSED, Unreadable.REFUSED),
        ("<answer>[[A]]</answer>", Finish.REFUSED, Unreadable.REFUSED),
        ("A is better", Finish.STOP, Unreadable.NO_ANSWER),
        ("[[A]]", Finish.STOP, Unreadable.NO_ANSWER),
        ("<eval>on and on", Finish.LENGTH, Unreadable.TRUNCATED),
        ("<answer>[[A]]", Finish.STOP, Unreadable.UNCLOSED),
        ("<answer>[[A]]", Finish.LENGTH, Unreadable.TRUNCATED),
        ("<answer>A</answer>", Finish.STOP, Unreadable.MALFORMED),
        ("<answer>[[A]] or [[B]]</answer>", Finish.STOP, Unreadable.MALFORMED),
        ("<answer>[[C]]</answer>", Finish.STOP, Unreadable.MALFORMED),
        ("<answer>[[A]]</answer><answer></answer>", Finish.STOP, Unreadable.MALFORMED),
        ("<quote_A>never closed <answer>[[A]]</answer>", Finish.STOP, Unreadable.ONLY_QUOTED),
    ],
)
def test_each_reason(text: str, finish: Finish, reason: Unreadable) -> None:
    assert side_of(text, finish) is reason


@pytest.mark.parametrize(
    "text",
    [
        "<answer>\n [[B]] \n</answer>",
        "<answer>**[[B]]**</answer>",
        "<answer>**[[B]]**.</answer>",
        "**<answer>[[B]]</answer>**",
        "<answer>`[[B]]`</answer>",
        '<answer>"[[B]]"</answer>',
        "<answer>[[ **B** ]]</answer>",
        "<answer><b>[[B]]</b></answer>",
        "<answer>\\[\\[B\\]\\]</answer>",
        "<Answer>[[b]]</ANSWER>",
        "< answer >[[B]]</ answer\n>",
        "<answer>\ufeff[[B]]\u200b</answer>",
        "<answer>\u00a0[\u2060[B\u200d]]</answer>",
        "<answer>［［Ｂ］］</answer>",
        "<answer>【【B】】</answer>",
        "<answer>[ [B] ]</answer>",
        "<answer>[**[B]**]</answer>",
        "<answer>\\boxed{[[B]]}</answer>",
        "<answer>$[[\\text{B}]]$</answer>",
        "<answer>«[[B]]».</answer>",
        "<answer>「[[B]]」。</answer>",
        "<answer>([[B]])!</answer>",
        "<answer><p>[[B]]</p><br/></answer>",
        "<answer>\n```\n[[B]]\n```\n</answer>",
        "| verdict | <answer>[[B]]</answer> |",
    ],
)
def test_how_a_verdict_is_written_says_nothing(text: str) -> None:
    read = read_verdict(f"well {text} and on")
    assert isinstance(read, Verdict)
    assert read.side is Side.B
    assert reply_end(f"well {text} and on") == read.end


INVISIBLE = st.sampled_from(["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\ufe0f"])
REPLIES = st.sampled_from(
    [
        "<eval>so</eval><answer>[[A]]</answer>",
        "<think>no <answer>[[B]]</answer></think>\n<answer>[[A]]</answer>",
        "<think>no <answer>[[B]]</answer>",
        "<quote_A><answer>[[B]]</answer></quote_A> x",
        "<eval><quote_A>x</quote_B></eval>\n<answer>[[B]]</answer> tail",
        "<answer>[[A]] or [[B]]</answer>",
    ]
)


@given(REPLIES, st.data())
def test_invisible_characters_change_neither_verdict_nor_its_place(text: str, data: st.DataObject) -> None:
    at = data.draw(st.lists(st.integers(0, len(text)), max_size=5))
    written = "".join(
        "".join(data.draw(INVISIBLE) for _ in range(at.count(place))) + text[place : place + 1]
        for place in range(len(text) + 1)
    )
    read, plain = read_verdict(written), read_verdict(text)
    assert side_of(written) is side_of(text)
    if isinstance(read, Verdict) and isinstance(plain, Verdict):
        assert visible(written[read.start : read.end]).text == text[plain.start : plain.end]
        assert written[read.letter] == text[plain.letter] == read.side
    end, plain_end = reply_end(written), reply_end(text)
    assert (end is None) == (plain_end is None)
    assert end is None or visible(written[:end]).text == text[:plain_end]


WRITTEN = st.lists(
    st.sampled_from(
        [
            *(
                "<think>",
                "</think>",
                "[THINK]",
                "[/THINK]",
                "<|channel|>analysis<|message|>",
                "<|channel>thought\n",
                "so ",
            ),
            *("<quote_A>", "</quote_A>", "<quote_B>", "</quote_B>", "<eval>", "</eval>", "<answer>[[", "<ans", "</th"),
            *("A]]</answer>", "\n", "not", "[[A]] or", "`", "\\boxed{", "**"),
        ]
    ),
    max_size=9,
).map("".join)


@given(WRITTEN, SIDES)
def test_a_forced_verdict_is_read_whatever_was_written_before(text: str, side: Side) -> None:
    forced = forced_ending(text) + f"{side}]]</answer>"
    read = read_verdict(forced)
    assert isinstance(read, Verdict)
    assert (read.side, read.end, forced[read.letter]) == (side, len(forced), side)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        *("<think>", "<think>a</think>", "<think><thinking>", "</seed:think>", "<quote_A>", "<quote_A><quote_B>", "[["),
        *(
            "</quote_A><quote_A>",
            "<quote_A>x</eval>",
            "<answer>",
            "<answer>[[A]]</answer>",
            "<",
            "< ",
            "\\",
            "_*",
            "\u200ba",
        ),
        *("<|channel|>x", "<think a", "<answer>[[", "\n<answer>", "<b>", "`<think>`", "[*", "<answer>[*", "\\text"),
    ],
)
def test_a_long_reply_is_read_in_the_time_that_its_length_takes(unit: str) -> None:
    """A time that grew with the square would be minutes; with room for a busy machine."""
    text = "<answer>" + unit * (200_000 // len(unit))
    began = time.process_time()
    read_verdict(text)
    reply_end(text)
    forced_ending(text)
    assert time.process_time() - began < 3


@pytest.mark.skipif(not OUTPUTS.exists(), reason="../shared/data is not here")
def test_real_outputs_agree_with_the_published_result() -> None:
    """184 outputs of two published 32B judges; the one disagreement is a reply that loops without ever answering."""
    disagreements = []
    rows = [json.loads(line) for line in OUTPUTS.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        for place, (output, in_b, result) in enumerate(_outputs(row)):
            read = side_of(output)
            right = read is (Side.B if in_b else Side.A)
            if right != bool(result):
                disagreements.append((number, place, read, in_b, result))
    assert len(rows) == 184
    assert len(disagreements) <= 1, disagreements


def _outputs(row: dict[str, object]) -> list[tuple[str, bool, int]]:
    """Text, whether the better answer was B, and the published result of each output of a row."""
    columns = [row[key] if isinstance(row[key], list) else [row[key]] for key in ("output", "chosen_in_b", "result")]
    return list(zip(*columns, strict=True))  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("text", "drawn", "whole"),
    [
        ("<answer>[[A]]</answer> so", "<answer>[[A]]</answer>", "<answer>[[A]]</answer>"),
        ("<answer>[[A]]</answer></think>", "<answer>[[A]]</answer>", None),
        ("<think><answer>[[A]]</answer></think><answer>[[B]]</answer>", None, None),
        ("<quote_A></answer></quote_A>x</answer>y", "<quote_A></answer></quote_A>x</answer>",
         "<quote_A></answer></quote_A>x</answer>"),
    ],
)  # fmt: skip
def test_a_drawn_reply_ends_before_what_would_have_come(text: str, drawn: str | None, whole: str | None) -> None:
    ends = drawing_end(text), reply_end(text)
    assert ends == tuple(None if one is None else len(one) for one in (drawn, whole))
