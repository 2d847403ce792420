"""What the reasons of a reply come to: criteria with weights, the judge's own result, totals, the conclusion."""

import json
from collections import Counter
from pathlib import Path

import pytest

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.stances.criteria import criteria, mentions, segments
from reasrm.judging.stances.reading import StanceSource, criterion_stances, listed_sums, stances, stated_totals
from reasrm.judging.stances.stance import Stance
from reasrm.judging.trace_structure import read_structure
from reasrm.judging.verdict import Unreadable, read_verdict
from reasrm.miniature.traces import careful_analysis, layout_analysis
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.comparison import Side, show

REAL = Path(__file__).resolve().parents[4] / "shared/data/judge_outputs/rm_r1_32b.jsonl"
RUBRIC = """1. Accuracy of facts (50%): is it right?
2. Clarity (30%): is it easy to read?
3. **Tone** (20%)"""
EVALUATION = """Comparing the two:
1. Accuracy of facts:
<quote_A>It is 7.</quote_A> This is correct. <quote_B>It is 8.</quote_B> This is wrong.

2. Clarity: Chatbot B is slightly clearer.

**Tone**
Both responses are polite.

Overall, Chatbot A is better."""


def reply(evaluation: str, rubric: str = RUBRIC, solution: str = "") -> str:
    work = f"<solution>{solution}</solution>" if solution else f"<rubric>{rubric}</rubric>"
    return f"{work}<eval>{evaluation}</eval><answer>[[A]]</answer>"


def found(text: str) -> dict[str, str]:
    return {reading.value: stance.value for reading, stance in stances(read_structure(text)).items()}


def test_criteria_are_weighed() -> None:
    structure = read_structure(reply(EVALUATION))
    assert [(one.criterion.name, one.criterion.weight, one.stance) for one in criterion_stances(structure)] == [
        ("accuracy of facts", 50, Stance.A),
        ("clarity", 30, Stance.B),
        ("tone", 20, Stance.NEITHER),
    ]
    assert found(reply(EVALUATION)) == {"criteria": "A", "conclusion": "A"}


def test_a_criterion_that_is_unclear_decides_nothing_and_undecides_what_it_could_turn() -> None:
    """50 for A, 30 for B, 20 unclear: 20 ahead are not more than 20 that are open."""
    open_tone = EVALUATION.replace("Both responses are polite.", "Of note are the greetings.")
    assert found(reply(open_tone))["criteria"] == "unclear"
    assert found(reply(open_tone, RUBRIC.replace("50", "55").replace("20", "15")))["criteria"] == "A"
    assert found(reply(EVALUATION, RUBRIC.replace("50", "30").replace("20", "40")))["criteria"] == "neither"


@pytest.mark.parametrize(
    ("evaluation", "criterion"),
    [
        ("A: 7/10, B: 5/10", "A"),
        ("Answer A has 3, Answer B has 8.", "B"),
        ("<quote_A>x</quote_A> accuracy: no. <quote_B>y</quote_B> accuracy: yes.", "B"),
        ("Answer A:\naccuracy: yes\nAnswer B:\naccuracy: yes", "neither"),
        ("<quote_A>x</quote_A> accuracy: yes, accuracy: no. <quote_B>y</quote_B> accuracy: yes.", "unclear"),
    ],
)
def test_a_criterion_may_be_scored_or_listed(evaluation: str, criterion: str) -> None:
    (one,) = criterion_stances(read_structure(reply(evaluation, "Accuracy (100%)")))
    assert one.stance.value == criterion


@pytest.mark.parametrize(
    ("evaluation", "totals"),
    [
        ("So A has 80, B has 50.", (80, 50)),
        ("1. Style: A: 3/5, B: 4/5\n2. Facts: A: 5/5, B: 1/5\nTotal: A: 8, B: 5", (8, 5)),
        ("Answer A: 7/10\nAnswer B: 6.5/10", (7, 6.5)),
        ("1. Style: A: 3/5, B: 4/5\n2. Facts: A: 5/5, B: 1/5", None),
        ("<quote_A> 1</quote_A>, mine → 4: differs.<quote_B> 4</quote_B>, mine → 4: agrees.", None),
        ("A lists 4 steps and B lists 7.", None),
    ],
)
def test_totals_are_taken_where_they_are_called_so(evaluation: str, totals: tuple[float, float] | None) -> None:
    assert stated_totals(evaluation) == totals


@pytest.mark.parametrize(
    ("evaluation", "result"),
    [
        ("<quote_A>7</quote_A>, mine → 7: agrees.<quote_B>8</quote_B>, mine → 7: differs.", "A"),
        ("<quote_A>8</quote_A>, mine → 7: differs.<quote_B>9</quote_B>, mine → 7: differs.", "neither"),
        ("Chatbot A gave an incorrect answer. Chatbot B gave the correct answer.", "B"),
        ("Chatbot A is correct at first. Chatbot A is wrong in the end. Chatbot B is wrong.", "unclear"),
        ("Chatbot A is not correct. Chatbot B says eight.", "unclear"),
    ],
)
def test_answers_are_held_against_the_result(evaluation: str, result: str) -> None:
    assert found(reply(evaluation, solution="3 + 4 = 7"))["result"] == result


@pytest.mark.parametrize(
    "rubric",
    ["joke 50, praise 30, a fact 20", "- joke: 50\n- praise: 30\n- a fact: 20", "50% joke; 30% praise; 20% a fact"],
)
def test_criteria_have_names_in_any_form(rubric: str) -> None:
    assert [tuple(one) for one in criteria(rubric)] == [("joke", 50), ("praise", 30), ("a fact", 20)]


def test_weights_that_belong_to_no_single_name_give_no_criteria() -> None:
    assert criteria("Accuracy matters most.") == ()
    assert criteria("joke 50, joke 50") == ()


def test_a_criterion_ends_at_any_next_heading() -> None:
    text = "1. Clarity: B is clear.\n\n2. Something else:\nA is better.\n\nOverall, A is better."
    assert segments(text, criteria("Clarity (60%)\nTone (40%)")) == {"clarity": ": B is clear.\n\n"}
    inline = "Accuracy: A is better. Tone: B is better."
    assert segments(inline, criteria("Accuracy 60\nTone 40")) == {"accuracy": ": A is better.", "tone": " B is better."}
    assert mentions("It puts all facts accurately.", "Accuracy of facts")
    assert not mentions("It is accurate.", "Accuracy of facts")


@pytest.mark.parametrize("variant", [PromptVariant.FULL, PromptVariant.FULL_CATEGORIES, PromptVariant.RUBRICS])
def test_the_miniatures_oracle_is_read_without_an_error(variant: PromptVariant) -> None:
    """Truth is known: what the oracle's own analysis prefers. Careless analyses of the layout stay unclear."""
    read: Counter[bool] = Counter()
    for pair in training_pairs(Split.TRAIN, 120, 0):
        for side in Side:
            shown = show(pair, side)
            texts = shown.response_a, shown.response_b
            careful, careless = careful_analysis(pair.question, *texts), layout_analysis(*texts)
            structure = read_structure(f"{careful.text(variant)}<answer>[[A]]</answer>")
            sides = {stance.side for stance in stances(structure).values()} - {None}
            assert sides == ({careful.preferred} if careful.preferred else set())
            read[bool(sides)] += 1
            sums, totals = listed_sums(structure), stated_totals(structure.evaluation or "")
            assert sums == totals
            layout = stances(read_structure(f"{careless.text(variant)}<answer>[[A]]</answer>"))
            assert {stance.side for stance in layout.values()} == {None}
    assert read[True] > 230


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data is not beside the checkout")
def test_real_judges_reasons_are_read_for_their_verdict_or_not_at_all() -> None:
    """RM-R1-32B: half of its replies can be read by rule; none of those speaks for the answer that it does not name."""
    kinds: Counter[str] = Counter()
    for row in map(json.loads, REAL.read_text().splitlines()):
        outputs = row["output"] if isinstance(row["output"], list) else [row["output"]]
        for output in outputs if "Instruct" in row["model"] else ():
            sides = {stance.side for stance in stances(read_structure(output)).values()} - {None}
            verdict = read_verdict(output)
            if isinstance(verdict, Unreadable):
                continue
            kinds["undecidable" if not sides else "consistent" if sides == {verdict.side} else "contradicting"] += 1
    assert kinds["contradicting"] == 0
    assert kinds["consistent"] > 120
    assert kinds.total() == 253
    assert set(StanceSource) == {
        StanceSource.CRITERIA,
        StanceSource.RESULT,
        StanceSource.TOTALS,
        StanceSource.CONCLUSION,
    }
