# ruff: noqa: E501  (one rubric a line)
"""Weights in the forms in which judges write them, and numbers that are none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.rubric_weights import rubric_weights

RUBRICS: list[tuple[str, tuple[float, ...]]] = [
    (" joke 50 praise 30 facts 20", (50, 30, 20)),
    (" looks 100", (100,)),
    ("1. Help: 60\n2. Truth: 40", (60, 40)),
    ("- Help (60/100)\n- Truth (40/100)", (60, 40)),
    ("Help 62.5%, Truth 37.5%", (62.5, 37.5)),
    ("1. GPT4 knowledge: weight 100", (100,)),
    ("1. Help\n2. Truth", ()),
    ("", ()),
    ("Gives 3 examples (60)\nStyle (40)", (60, 40)),
    ("Accuracy 60%\nStyle 40%\nTotal 100%", (60, 40)),
    ("Gives 3 examples (60)\nStyle 40", (60, 40)),
    ("Accuracy (60): at least 50% of facts\nStyle (40)", (60, 40)),
    ("| Criterion | Weight |\n|---|---|\n| Accuracy | 60 |\n| Style | 40 |", (60, 40)),
    (
        "| # | Criterion | Weight | Why |\n|---|---|---|---|\n| 1 | Accuracy | 60% | has 3 facts |\n| 2 | Style | 40% | x |\n| | Total | 100% | |",
        (60, 40),
    ),
    ("| Accuracy | 60 |\n| Style | 40 |", (60, 40)),
    ("|Accuracy|0.6|\n|Style|0.4|", (60, 40)),
    ("Accuracy: 0.6\nStyle: 0.4", (60, 40)),
    ("Accuracy .6\nStyle .4", (60, 40)),
    ("Accuracy (weight: 60)\nStyle (weight: 40)", (60, 40)),
    ("weight: 60 accuracy\nweight: 40 style", (60, 40)),
    ("Accuracy - 60 points\nStyle - 40 points", (60, 40)),
    ("60 points for accuracy\n40 points for style", (60, 40)),
    ("Accuracy (60 pts)\nStyle (40 pts)", (60, 40)),
    ("40% Accuracy\n60% Style", (40, 60)),
    ("(60) Accuracy\n(40) Style", (60, 40)),
    ("Accuracy 40-50%\nStyle 50-60%", ()),
    ("Accuracy (40-50)\nStyle (50)", ()),
    ("5-10 sentences (40)\nStyle (60)", (40, 60)),
    ("1. Accuracy (60%)\n   - facts (40%)\n   - dates (20%)\n2. Style (40%)", (60, 40)),
    ("Content:\n  - accuracy (60)\n  - depth (20)\nForm:\n  - style (20)", (60, 20, 20)),
    ("Accuracy 30%, Style 20%\nDepth 25%, Tone 25%", (30, 20, 25, 25)),
    ("1. Accuracy (40%): is it right? 90% would do.\n2. Tone (35%): ...\n3. Length (25%): ...", (40, 35, 25)),
    ("Accuracy (60) checks facts. Style (40) checks tone.", (60, 40)),
    ("I give accuracy a weight of 60 and style a weight of 40.", (60, 40)),
    ("1. Accuracy (40%): right? 90% would do. 2. Style (60%)", (40, 60)),
    ("Accuracy: 6/10\nStyle: 4/10", (60, 40)),
    ("Accuracy 3/5\nStyle 2/5", (60, 40)),
    ("Weights (out of 100):\nAccuracy 60\nStyle 40", (60, 40)),
    ("Accuracy 60%, Style 40% (total 100%)", (60, 40)),
    ("Accuracy (60)\nStyle (40)\nTotal: 100", (60, 40)),
    ("Accuracy: 60\nStyle: 40\n= 100", (60, 40)),
    ("**Accuracy** — 60\n**Style** — 40", (60, 40)),
    ("**Accuracy (60%)**: facts\n**Style (40%)**: tone", (60, 40)),
    ("Criterion 1: Accuracy (60)\nCriterion 2: Style (40)", (60, 40)),
    ("Criterion 1: Accuracy 60\nCriterion 2: Style 40", (60, 40)),
    ("Accuracy ６０％\nStyle ４０％", (60, 40)),
    ("Accuracy [60]\nStyle [40]", (60, 40)),
    ("Accuracy 60 out of 100\nStyle 40 out of 100", (60, 40)),
    ("Accuracy (60)\nThe answer must name 3 cities.\nStyle (40)\nNo more than 2 errors.", (60, 40)),
    ("Accuracy: 60%\nStyle: 30%", (60, 30)),
    ("Total quality (30)\nStyle (70)", (30, 70)),
    ("Accuracy (60%) - names the 5 cities\nStyle (40%) - under 200 words", (60, 40)),
    ("- Accuracy: 60 - names the 5 cities\n- Style: 40 - under 200 words", (60, 40)),
    ("Answers in 2024 terms (50)\nUses Python 3.11 (50)", (50, 50)),
    ("Uses GPT-4 well: 50\nIs under 100 words: 50", (50, 50)),
    ("Names 3 cities\nNames 2 rivers", ()),
    ("Under 100 words (100)", (100,)),
    ("Accuracy=60\nStyle=40", (60, 40)),
    ("Accuracy 60\nStyle 40\nSum: 100", (60, 40)),
    ("Accuracy 60%\nStyle 40%\n\nThe weights sum to 100%.", (60, 40)),
    ("Accuracy: 33.3%\nStyle: 33.3%\nTone: 33.4%", (33.3, 33.3, 33.4)),
    ("Accuracy (60%, i.e. 60 points)\nStyle (40%)", (60, 40)),
    ("Accuracy (weight 0.6)\nStyle (weight 0.4)", (60, 40)),
    ("Accuracy (50)\nClarity (50%)", (50, 50)),
    ("Safety 100%", (100,)),
    ("a. Accuracy: 60\nb. Style: 40", (60, 40)),
    ("Accuracy (60%) and Style (40%)", (60, 40)),
    ("1) Accuracy – 60\n2) Style – 40", (60, 40)),
    ("Accuracy, 60\nStyle, 40", (60, 40)),
    ("Accuracy: high\nStyle: low", ()),
    (
        "1. **Accuracy** (40 points): The answer has 3 parts\n2. **Depth** (35 points)\n3. **Tone** (25 points)\n\nTotal: 100 points",
        (40, 35, 25),
    ),
    ("Accuracy (-10)\nStyle (110)", ()),
    ("Correctness 70 style 30", (70, 30)),
    ("Correctness: 70, style: 30", (70, 30)),
    ("facts 3 steps 2 joke 5", (3, 2, 5)),
]


@pytest.mark.parametrize(("rubric", "weights"), RUBRICS)
def test_weights_are_read_as_weights(rubric: str, weights: tuple[float, ...]) -> None:
    assert rubric_weights(rubric) == weights
    assert rubric_weights(rubric + "<justify>Accuracy gets 70% because of 3 reasons.</justify>") == weights


NAMES = st.sampled_from(
    ["Accuracy", "Gives 3 examples", "Uses Python 3.11", "Tone, style", "Under 200 words", "**Depth**"]
)
FORMS = st.sampled_from(
    ["{n} ({w}%)", "{n} ({w})", "{n} [{w}%]", "{n} (weight: {w})", "{n} ({w}/100)", "{w}% {n}", "| {n} | {w} |"]
)
MARKS = st.sampled_from(["", "- ", "* ", "#. "])


@given(st.lists(st.tuples(NAMES, st.integers(1, 99)), min_size=2, max_size=6), FORMS, MARKS, st.booleans())
def test_every_form_gives_back_the_weights_that_were_written(
    items: list[tuple[str, int]], form: str, mark: str, total: bool
) -> None:
    table = form.startswith("|")
    marks = ["" if table else mark.replace("#", str(number)) for number in range(1, len(items) + 1)]
    lines = [sign + form.format(n=name, w=weight) for sign, (name, weight) in zip(marks, items, strict=True)]
    end = ["| Total | 100 |" if table else "Total: 100%"] if total else []
    assert rubric_weights("\n".join(lines + end)) == tuple(weight for _, weight in items)


@pytest.mark.parametrize("piece", ["1 ", "a 1 ", "(1 ", "1%", "| ", "\n1. ", " ", "weight ", "1, ", "a: 1\n"])
def test_a_long_rubric_is_no_trap(piece: str) -> None:
    began = time.process_time()
    rubric_weights((piece * 4000)[:4000])
    assert time.process_time() - began < 1.5
