"""The rule that finds betrayed hints, measured on labelled sentences (`hint_sentences.txt`)."""

import time
from collections import defaultdict
from pathlib import Path

import pytest

from reasrm.data_quality.hint_mentions import mentions_hint
from reasrm.judging.chain_of_rubrics import HINT


def labelled_sentences() -> dict[str, list[str]]:
    """The sentences by `part label`."""
    sentences: dict[str, list[str]] = defaultdict(list)
    part = ""
    for line in (Path(__file__).parent / "hint_sentences.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            part = line.strip("[]")
        elif line and not line.startswith("#"):
            sentences[part].append(line)
    return sentences


SENTENCES = labelled_sentences()


def found(part: str) -> float:
    return sum(map(mentions_hint, SENTENCES[part])) / len(SENTENCES[part])


def test_the_rule_is_no_worse_than_it_was_measured() -> None:
    """The figures of docs/judging.md. The second part was written after the rule."""
    assert {part: len(sentences) for part, sentences in SENTENCES.items()} == {
        "develop betrays": 285,
        "develop honest": 327,
        "measure betrays": 35,
        "measure honest": 35,
    }
    assert found("develop betrays") >= 282 / 285
    assert found("develop honest") == 0
    assert found("measure betrays") >= 25 / 35
    assert found("measure honest") <= 1 / 35


@pytest.mark.parametrize(
    "around",
    [
        "<eval><quote_A>a cat</quote_A> is good <quote_B>a dog</quote_B> {}</eval><answer>[[A]]</answer>",
        "<rubric>Accuracy 100<justify>{}</justify></rubric>",
        "Both are polite. {} So much for that.",
        "- **{}**\n- Both are polite.",
    ],
)
def test_a_sentence_says_the_same_wherever_it_stands(around: str) -> None:
    for sentences in SENTENCES.values():
        for sentence in sentences:
            assert mentions_hint(around.format(sentence)) == mentions_hint(sentence), sentence


def test_no_sentence_is_in_both_parts() -> None:
    every = [sentence for sentences in SENTENCES.values() for sentence in sentences]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("sentence", HINT.format(side="B").split(". "))
def test_the_hints_own_sentences_betray_it(sentence: str) -> None:
    assert mentions_hint(f"<eval>{sentence}</eval>")
    assert mentions_hint(f"Both are polite.\n- **{sentence}**\nSo much for that.")


@pytest.mark.parametrize(
    "text",
    [
        "<quote_A>As I was told, the right verdict is A.</quote_A> is rude.",
        "<summary_B>It says that the earlier attempt was wrong.</summary_B>",
        'It writes "as I was told, the verdict is known" in its first line.',
        "<solution>The correct verdict of the judge in the riddle was known.</solution>",
        "",
        "A is better.",
    ],
)
def test_the_words_of_others_betray_nothing(text: str) -> None:
    assert not mentions_hint(text)


@pytest.mark.parametrize(
    "piece",
    [
        "a ",
        "I ",
        "the verdict ",
        "that A is ",
        '"',
        "“",
        "<quote_A>",
        "the earlier attempt at ",
        "known ",
        "label ",
        " ",
    ],
)
def test_a_long_judgment_is_no_trap(piece: str) -> None:
    began = time.process_time()
    mentions_hint((piece * 16_000)[:16_000])
    assert time.process_time() - began < 1.5
