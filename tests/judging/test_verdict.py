"""Reading verdicts: the last answer, outside thinking and quotations, or the reason why there is none."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.verdict import Unreadable, Verdict, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish

OUTPUTS = Path(__file__).resolve().parents[3] / "shared/data/judge_outputs/rm_r1_32b.jsonl"
PROSE = st.text(alphabet=st.characters(blacklist_characters="<>"), max_size=60)
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


def test_white_space_in_the_tag_is_ignored() -> None:
    assert side_of("<answer>\n [[B]] \n</answer>") is Side.B


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
