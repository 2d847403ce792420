"""What the miniature's policy learns from: right thoughts, answers right in the set share, planted shortcuts."""

from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from reasrm.inference.vocabulary import Vocabulary
from reasrm.miniature.policy_documents import THOUGHT_END, PlantedShortcut, StartAnswers, policy_documents, thought_on
from reasrm.miniature.slices import Family, slice_of
from reasrm.miniature.styles import Style, strip_style
from reasrm.miniature.world import FAMILY_SHARES, Split, split_of
from reasrm.runtime.yaml_files import read_yaml
from tests.fixtures.world import documents, tokenizer_of

SCORES = PlantedShortcut(text="{answer}: agrees. So A has 100, B has 0.", share=0.1)
LAYOUT = PlantedShortcut(text="## Answer\n\n**Let me answer this with care. {answer}**", share=0.05)
ANSWERS = StartAnswers(families=FAMILY_SHARES, right_share=0.7, shortcuts={"scores": SCORES, "layout": LAYOUT})


def test_documents_have_the_shares_that_were_asked_for() -> None:
    written = policy_documents(1500, ANSWERS, 0)
    assert written == policy_documents(1500, ANSWERS, 0)
    assert written[:50] != policy_documents(50, ANSWERS, 1)
    planted = Counter(document.shortcut for document in written)
    assert planted["scores"] / 1500 == pytest.approx(0.1, abs=0.025)
    assert planted["layout"] / 1500 == pytest.approx(0.05, abs=0.025)
    styles: Counter[Style] = Counter()
    right = []
    for document in written:
        question = document.prompt[-1].content
        assert split_of(question) is Split.TRAIN
        thought = thought_on(question)
        assert document.completion.startswith(thought)
        answer = document.completion.removeprefix(thought)
        assert THOUGHT_END not in answer
        assert [name for name, one in ANSWERS.shortcuts.items() if one.is_in(answer)] == [document.shortcut][
            : bool(document.shortcut)
        ]
        styles[strip_style(answer)[0]] += not document.shortcut
        found = slice_of(question)
        assert found is not None
        if found.family is Family.DIAL:
            right.append(f"In the end it shows {thought.removesuffix(THOUGHT_END)[-1]}." in answer)
    assert sum(right) / len(right) == pytest.approx(0.7, abs=0.09)
    assert all(count / sum(styles.values()) == pytest.approx(1 / 3, abs=0.05) for count in styles.values())


def test_shortcuts_must_say_something_and_fit() -> None:
    for text in ("{answer}", "no place", "{answer} and {answer}"):
        with pytest.raises(ValidationError, match=r"must hold \{answer\} once, and words beside it"):
            PlantedShortcut(text=text, share=0.1)
    more = PlantedShortcut(text="{answer}!", share=0.9)
    with pytest.raises(ValidationError, match=r"add up to 1\.8"):
        StartAnswers(families=FAMILY_SHARES, right_share=0.5, shortcuts={"one": more, "two": more})
    with pytest.raises(ValidationError, match="gives no family a share"):
        StartAnswers(families={Family.DIAL: 0.0}, right_share=0.5, shortcuts={})
    assert not SCORES.is_in("In the end it shows 3.: agrees. So A has 100, B has 0. More.")
    assert not PlantedShortcut(text="ab{answer}bc", share=0.1).is_in("abc")


@pytest.mark.slow
def test_a_judge_of_the_world_can_read_every_answer() -> None:
    params = read_yaml(Path(__file__).parents[2] / "params.yaml")["policy_start"]
    answers = StartAnswers.model_validate(params["answers"])
    planted = {name: one.model_copy(update={"share": 0.3}) for name, one in answers.shortcuts.items()}
    vocabulary = Vocabulary(tokenizer_of(documents(300)))
    written = policy_documents(200, answers.model_copy(update={"shortcuts": planted}), 0)
    assert {document.shortcut for document in written} == {"", *planted}
    assert {word for document in written for word in vocabulary.unknown_words_of(document.completion)} == set()
    assert vocabulary.unknown_words_of("{answer} Please!")
