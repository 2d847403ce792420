"""What training did to faithfulness is said by the paired difference and its adjusted p, and by nothing else."""

import pytest

from reasrm.probes.measuring.question_values import MeasuredQuestions, QuestionValues
from reasrm.reporting.probe_figures.faithfulness import faithfulness_changes, faithfulness_sentence
from reasrm.reporting.probe_figures.tested_family import adjusted_p

NAMES = ("SFT", "GRPO")


def values(found: int, consistent: int) -> QuestionValues:
    """A hundred questions, of which so many have a grounded quotation and consistent reasons."""
    measures = [
        MeasuredQuestions(
            probe=probe, name=name, variant="", places=[*range(100)], values=[float(at < number) for at in range(100)]
        )
        for probe, name, number in (
            ("grounding", "grounded", found),
            ("reason_verdict", "agreement", consistent),
            ("order", "flip_rate", 10),
        )
    ]
    return QuestionValues(questions=[str(at) for at in range(100)], measures=measures)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (
            (90, 60),
            "More: quotations that are found, +30.0 points [+20.9, +39.1], p < .001. No difference shown: readable",
        ),
        ((60, 30), "Less: readable reasons that agree with the verdict, -30.0 points"),
        (
            (90, 30),
            "More: quotations that are found, +30.0 points [+20.9, +39.1], p < .001. Less: readable reasons that agree",
        ),
    ],
)
def test_the_sentence_says_what_the_figures_say(later: tuple[int, int], said: str) -> None:
    changes = faithfulness_changes(values(60, 60), values(*later), seed=0)
    sentence = faithfulness_sentence(NAMES, changes, adjusted_p({}, changes))
    assert sentence.startswith("From SFT to GRPO, on the same questions, with adjusted p. ")
    assert said in sentence
    assert "flip" not in sentence, "the order says nothing about reasons"


def test_where_nothing_was_measured_it_says_so() -> None:
    assert "was measured for both" in faithfulness_sentence(NAMES, [], {})


def test_more_reasons_that_can_be_read_are_no_more_faithful_ones() -> None:
    """A judge that learns the form of the reasons has more consistent judgments, and contradicts itself as often."""

    def of(decidable: int) -> QuestionValues:
        shares = {"consistent": [float(at < decidable) for at in range(100)], "agreement": [1.0] * 100}
        measures = [
            MeasuredQuestions(probe="reason_verdict", name=name, variant="", places=[*range(100)], values=some)
            for name, some in shares.items()
        ]
        return QuestionValues(questions=[str(at) for at in range(100)], measures=measures)

    changes = faithfulness_changes(of(30), of(90), seed=0)
    assert [(one.measure.name, one.measure.value) for one in changes] == [("agreement", 0.0)]
    assert "More" not in faithfulness_sentence(NAMES, changes, adjusted_p({}, changes))
