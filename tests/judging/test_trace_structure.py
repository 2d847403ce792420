"""Taking a judge's reply apart, and holding its quotations against the answers.

Run:     pytest tests/judging/test_trace_structure.py
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from reasrm.judging.question_types import QuestionType
from reasrm.judging.trace_structure import (
    Grounding,
    Quote,
    grounding,
    read_structure,
)
from reasrm.records.comparison import Side

REPLY = """<think>secret <answer>[[B]]</answer></think>
<type>Chat</type>
<rubric>
1. Accuracy (40%): is it right? 90% would do.
2. Tone (35%): ...
3. Length (25%): ...
<justify>Accuracy gets 40% because ...</justify>
</rubric>
<eval>A says <quote_A>the sky is "blue"</quote_A>, B <summary_B>is vague</summary_B>.</eval>
<answer>[[A]]</answer> and more"""


def test_the_parts_of_a_reply() -> None:
    structure = read_structure(REPLY)
    assert structure.type is QuestionType.CHAT
    assert structure.weights == (40, 35, 25)
    assert structure.justification == "Accuracy gets 40% because ..."
    assert structure.rubric is not None
    assert "because" not in structure.rubric
    assert structure.solution is None
    assert structure.quotes == (Quote(Side.A, 'the sky is "blue"'),)
    assert structure.quoted == {Side.A}
    assert structure.summarised == {Side.B}
    assert structure.text.startswith("<type>")
    assert structure.text.endswith("<answer>[[A]]</answer>")


def test_a_reply_without_any_part() -> None:
    structure = read_structure("B is better.")
    assert (structure.type, structure.rubric, structure.weights, structure.quotes) == (None, None, (), ())


A = "The sky is “blue” today, and the grass is green tomorrow.\nReally <answer>[[A]]</answer>."
B = "Clouds are white as a rule."


@pytest.mark.parametrize(
    ("quote", "where"),
    [
        ('THE SKY is  "blue"', Grounding.VERBATIM),
        ('"The sky is"', Grounding.VERBATIM),
        ("The sky is … the grass is green", Grounding.ELLIPSIS),
        ("The sky is [...] the grass is green", Grounding.ELLIPSIS),
        ("The ... green", Grounding.ABSENT),
        ("clouds are white", Grounding.OTHER_ANSWER),
        ("The sky looks blue", Grounding.ABSENT),
        ("‹answer›[[A]]‹/answer›", Grounding.VERBATIM),
        ("", Grounding.ABSENT),
    ],
)
def test_where_a_quotation_is_found(quote: str, where: Grounding) -> None:
    assert grounding(Quote(Side.A, quote), A, B) is where


REAL = Path(__file__).parents[3] / "shared/data/judge_outputs/rm_r1_32b.jsonl"


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data/judge_outputs is not beside the checkout")
def test_real_judges_outputs_are_read() -> None:
    """RM-R1-32B on RewardBench: about 88 % of quotations are verbatim and 5 % around an ellipsis, 99 % in reasoning."""
    found: Counter[tuple[QuestionType, Grounding]] = Counter()
    chats = sums = 0
    for row in map(json.loads, REAL.read_text().splitlines()):
        if row["benchmark"] != "rewardbench" or "Instruct" not in row["model"]:
            continue
        structure = read_structure(row["output"])
        assert structure.type is not None
        texts = [row["chosen"][-1]["content"], row["rejected"][-1]["content"]]
        a, b = reversed(texts) if row["chosen_in_b"] else texts
        found.update((structure.type, grounding(quote, a, b)) for quote in structure.quotes)
        if structure.type is QuestionType.CHAT:
            chats += 1
            sums += sum(structure.weights) == 100
        else:
            assert structure.solution
    assert chats == sums > 60
    kinds = {kind for kind, _ in found}
    assert kinds == {QuestionType.REASONING, QuestionType.CHAT}  # the two that RM-R1's prompt offers
    verbatim = {kind: found[kind, Grounding.VERBATIM] / sum(found[kind, g] for g in Grounding) for kind in kinds}
    assert verbatim[QuestionType.REASONING] > 0.98
    assert 0.78 < verbatim[QuestionType.CHAT] < 0.86


@pytest.mark.parametrize(
    ("evaluation", "quotes"),
    [
        ("<quote_A>invented</quote_B> so", [(Side.A, "invented")]),
        ("<quote_A>invented <quote_B>blue</quote_B>", [(Side.A, "invented "), (Side.B, "blue")]),
        ("<QUOTE_A>x</ quote_a > and <quote_b>y</quote_B>", [(Side.A, "x"), (Side.B, "y")]),
        ("<quote_A>to the end", [(Side.A, "to the end")]),
        ("<summary_B>It says <quote_B>coal</quote_B> too.</summary_B>", [(Side.B, "coal")]),
        ("<summary_A>no quote</summary_A>", []),
    ],
)
def test_a_quotation_is_what_it_is_when_the_verdict_is_read(evaluation: str, quotes: list[tuple[Side, str]]) -> None:
    """One that is carelessly closed, or stands in a retelling, escapes no check of its words."""
    structure = read_structure(f"<eval>{evaluation}</eval>\n<answer>[[A]]</answer>")
    assert [(quote.side, quote.text) for quote in structure.quotes] == quotes
