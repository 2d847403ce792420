"""Scores: numbers that are meant as scores, in whatever way judges write them; anything unclear is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.evaluation.published_judges.reply_readers import ReplyReader, read_ratings, read_reply
from reasrm.evaluation.published_judges.written_scores import read_scores
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply

SCORES = st.decimals(0, 10, places=1).map(lambda score: f"{score.normalize():f}")


def values(text: str, count: int) -> tuple[float, ...] | None:
    read = read_scores(text, count)
    return None if read is None else read.values


@pytest.mark.parametrize(
    "text",
    [
        *("7 9", "7, 9", "7,9", "7; 9", "7 | 9", "7\n9", "7 and 9", "7, and 9", "7 vs. 9", "7, 9.", "(7, 9)", "[7, 9]"),
        *("**7**, **9**", "`7`, `9`", "7.0 9.0", "7/10, 9/10", "7 / 10 and 9 / 10", "7 out of 10, 9 out of 10"),
        *("7 (out of 10), 9 (out of 10)", "70e-1 9e0", "7 points, 9 points", "7 stars; 9 stars"),
        *("A: 7, B: 9", "B: 9, A: 7", "A 7, B 9", "A=7 B=9", "A (7), B (9)", "Assistant A: 7\nAssistant B: 9"),
        *("Response 1: 7, Response 2: 9", "Score 1: 7; Score 2: 9", "1: 7, 2: 9", "first: 7, second: 9"),
        *("Scores: 7, 9", "Score: 7, Score: 9", "Assistant 1's score: 7, Assistant 2's score: 9", "７，９"),
        *('{"A": 7, "B": 9}', '{"score_a": 7, "score_b": 9}', "Response A is 7 and Response B is 9", "7、9"),
        *(r"\text{A: }7, \text{B: }9", r"\frac{7}{10}, \frac{9}{10}", r"\textbf{7}, \textbf{9}", r"7,\ 9", "$7, 9$"),
    ],
)
def test_two_clear_scores(text: str) -> None:
    assert values(text, 2) == (7.0, 9.0)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (".9 .10", (0.9, 0.1)),
        ("−3, −5", (-3.0, -5.0)),
        ("-3 -5", (-3.0, -5.0)),
        ("3, -5", (3.0, -5.0)),
        ("7,5 8,5", (7.5, 8.5)),
        ("7,5; 8,5", (7.5, 8.5)),
        ("7.5,8.5", (7.5, 8.5)),
        ("70%, 90%", (70.0, 90.0)),
        ("1 2", (1.0, 2.0)),
        ("0, 1", (0.0, 1.0)),
    ],
)
def test_signs_and_decimals(text: str, read: tuple[float, float]) -> None:
    assert values(text, 2) == read


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Response 1 is better than Response 2",
            "Answer 2",
            "1 is better than 2",
            "ten, nine",
            "N/A",
            "A: 7, B: nine",
        ),
        *("7-8", "7–8", "7 - 8", "7 -8", "7 to 8", "7~8", "7..8", "7 or 8", "7:9", "7 > 8", "7+ 8", "~7 8"),
        *("7/10", "8/6", "7/10, 9", "4/5, 9/10", "7 and 9 out of 10", "70%, 9", "11/10, 12/10", "7/10/2026 3"),
        *("7", "7 8 9", "A: 7, A: 9", "A: 7, 9", "1. 7\n2. 9", "7.5.1 8", "7,5,8,5", "1,000 2,000", "9,100", "000 111"),
        *("nan 1", "inf 2", "1e999 2", "7² 8", "½ 1", "", " ", "I give 7 and 9 because", "Version 2 is 7"),
    ],
)
def test_anything_unclear_is_no_pair_of_scores(text: str) -> None:
    assert values(text, 2) is None
    written = Reply(text=f"<answer>{text}</answer>", finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)
    assert read_reply(ReplyReader.ANSWER_SCORES, written) == (Unreadable.BAD_SCORE, None)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        *(
            ("7", 7.0),
            ("7.", 7.0),
            ("**7**", 7.0),
            ("Score: 7", 7.0),
            ("7/10", 7.0),
            ("7 out of 10", 7.0),
            ("[[7]]", 7.0),
        ),
        *((".5", 0.5), ("7,5", 7.5), ("−3", -3.0), ("85%", 85.0), ("Rating: 8/10", 8.0), ("8 points", 8.0)),
        *(("7, 5", None), ("7-8", None), ("1,000", None), ("Response 1", None), ("7th", None), ("2 is better", None)),
    ],
)
def test_a_rating_alone(text: str, read: float | None) -> None:
    assert values(text, 1) == (None if read is None else (read,))


def rated(a: str, b: str) -> object:
    texts = [rf"so \boxed{{{one}}}" for one in (a, b)]
    replies = [Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1) for text in texts]
    return read_ratings(ReplyReader.BOXED_SCORES, replies)


def test_ratings_out_of_something_else_are_not_compared() -> None:
    assert rated("7/10", "9/10") == (Side.B, (7.0, 9.0))
    assert rated("4/5", "7/10") == (Unreadable.BAD_SCORE, None)
    assert rated("7/10", "9") == (Unreadable.BAD_SCORE, None)


@pytest.mark.parametrize(
    ("reader", "text", "finish", "read"),
    [
        (ReplyReader.ANSWER_SCORES, "<Answer>8</ANSWER> <answer>**6**</answer>", Finish.STOP, (Side.A, (8.0, 6.0))),
        (ReplyReader.ANSWER_SCORES, "<answer>8</answer><answer>6", Finish.STOP, (Unreadable.UNCLOSED, None)),
        (ReplyReader.ANSWER_SCORES, "<answer>8</answer><answer>6", Finish.LENGTH, (Unreadable.TRUNCATED, None)),
        (
            ReplyReader.ANSWER_SCORES,
            "<answer>8 6</answer><answer>7 6</answer>",
            Finish.STOP,
            (Unreadable.BAD_SCORE, None),
        ),
        (ReplyReader.ANSWER_SCORES, "[THINK]9[/THINK]<answer>\u200b8 6</answer>", Finish.STOP, (Side.A, (8.0, 6.0))),
        (ReplyReader.ANSWER_SCORES, "<answer>8.</answer>\n<answer>6.\n</answer>", Finish.STOP, (Side.A, (8.0, 6.0))),
        (ReplyReader.ANSWER_SCORES, r"<answer>\boxed{8}</answer><answer>6</answer>", Finish.STOP, (Side.A, (8.0, 6.0))),
        (ReplyReader.BOXED_SCORES, r"\boxed{7, 5} or \boxed{6,", Finish.STOP, (Unreadable.UNCLOSED, None)),
        (ReplyReader.BOXED_SCORES, r"\boxed{7, 5} or \boxed{6,", Finish.LENGTH, (Unreadable.TRUNCATED, None)),
        (
            ReplyReader.BOXED_SCORES,
            r"\boxed {\text{A: }\frac{7}{10}, \text{B: }\frac{9}{10}}",
            Finish.STOP,
            (Side.B, (7.0, 9.0)),
        ),
    ],
)
def test_where_scores_stand(reader: ReplyReader, text: str, finish: Finish, read: object) -> None:
    assert read_reply(reader, Reply(text=text, finish=finish, prompt_tokens=1, completion_tokens=1)) == read


@given(
    SCORES,
    SCORES,
    st.sampled_from(["{0} {1}", "{0}, {1}", "A: {0}; B: {1}", "**{0}**/10 and **{1}**/10", "B={1}, A={0}"]),
)
def test_written_scores_are_read_back(a: str, b: str, form: str) -> None:
    assert values(form.format(a, b), 2) == (float(a), float(b))


@given(st.text(alphabet="0123456789.,-/% ABab:=()out f\n", max_size=30) | st.text(max_size=30), st.integers(1, 2))
def test_any_text_gives_as_many_finite_numbers_as_asked_for_or_none(text: str, count: int) -> None:
    read = read_scores(text, count)
    assert read is None or (len(read.values) == count and all(abs(one) < float("inf") for one in read.values))
