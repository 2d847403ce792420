"""Edits keep what they must keep; on the miniature's world, whose solver knows every label, labels hold."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.styles import Style as WorldStyle
from reasrm.miniature.styles import apply_style, strip_style
from reasrm.miniature.world import Split, training_pairs
from reasrm.probes.counterfactual import CounterfactualProbe
from reasrm.probes.perturbations.answer_style import PLAIN, AnswerStyle
from reasrm.probes.perturbations.pair_edits import contents_exchanged, each_answer, renamed_throughout, reordered_within
from reasrm.probes.perturbations.questions import OppositeQuestions, another_prompt, halves, renumbered
from reasrm.probes.perturbations.wording import paraphrased, renamed, renaming, reordered
from reasrm.probes.query import ProbeItem
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.runtime.yaml_files import read_yaml

SETTINGS: dict[str, Any] = read_yaml(Path(__file__).parents[2] / "params.yaml")["probe"]["suite"]
PROBE = CounterfactualProbe(**SETTINGS["counterfactual"])
STYLE = PROBE.style
PAIRS = training_pairs(Split.TEST, 400, seed=1)


def solved(pair: PreferencePair) -> bool | None:
    """Whether the chosen answer is the better one by the world's own rules; None if neither is."""
    chosen, rejected = (strip_style(answer)[1] for answer in (pair.chosen, pair.rejected))
    family = reasoning.family_of(pair.question)
    if family is not None:
        right = reasoning.answer_naming(family, reasoning.solve(pair.question)[-1].result)
        return None if right not in (chosen, rejected) else chosen == right
    if chat.is_chat_request(pair.question):
        assert all(answer.startswith(f"This is about {chat.topic_of(pair.question)}.") for answer in (chosen, rejected))
        weights = chat.weights_for(pair.question)
        return chat.score(chat.features_in(chosen), weights) > chat.score(chat.features_in(rejected), weights)
    thing = pair.question.removesuffix("?").rsplit(" ", 1)[1]
    assert chat.safety_answers(pair.question) in ((chosen, rejected), (rejected, chosen)), thing
    return chat.safety_answers(pair.question)[0] == chosen


def test_the_worlds_styles_are_taken_off_and_put_on() -> None:
    for style in WorldStyle:
        answer = apply_style("In the end it shows 3.", style)
        content, found = STYLE.undressed(answer)
        assert (content, STYLE.dressed(content, found)) == ("In the end it shows 3.", answer)
        assert found == AnswerStyle(padded=style is WorldStyle.DETAILED, marked_up=style is WorldStyle.MARKDOWN)


def test_neutral_edits_keep_the_worlds_label() -> None:
    edits = {
        "unmarked": lambda pair: each_answer(pair, STYLE.unmarked),
        "reordered": lambda pair: each_answer(
            pair, lambda one: reordered_within(one, STYLE, set(PROBE.connectives), pair.id)
        ),
        "paraphrased": lambda pair: each_answer(pair, lambda one: paraphrased(one, PROBE.equal_wordings)),
        "renamed": lambda pair: renamed_throughout(pair, PROBE.names.get(pair.labels["family"], ()), pair.id),
    }
    for name, edit in edits.items():
        changed = [edited for pair in PAIRS if (edited := edit(pair)).id != pair.id]
        assert len(changed) > 50, name
        assert all(solved(pair) for pair in changed), name


def test_edits_that_turn_the_label_turn_it_in_the_world() -> None:
    exchanged = [(pair, edited) for pair in PAIRS if (edited := contents_exchanged(pair, STYLE)).id != pair.id]
    assert len(exchanged) > 150
    for pair, edited in exchanged:
        assert solved(edited) is False
        assert strip_style(edited.chosen)[0] == strip_style(pair.chosen)[0], "the style stays in its place"
        assert contents_exchanged(edited, STYLE).id == pair.id
    opposite = OppositeQuestions(PAIRS, lambda answer: STYLE.undressed(answer)[0], seed=0)
    asked = [pair.model_copy(update={"prompt": opposite.prompt_for(pair)}) for pair in PAIRS]
    other = [(one, pair) for one, pair in zip(asked, PAIRS, strict=True) if one.prompt != pair.prompt]
    assert len(other) > 100
    assert all(solved(one) is False for one, _ in other)


def test_a_pair_whose_label_depends_on_more_than_its_contents_is_not_turned() -> None:
    def pair(question: str, chosen: str, rejected: str) -> PreferencePair:
        prompt = (Message(role=Role.USER, content=question),)
        return PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected, source="test")

    both = [pair("which?", "yes", "no"), pair("why?", "no", "yes"), pair("who?", "no", "yes")]
    taken = OppositeQuestions(both, str, seed=0).prompt_for(both[0])
    assert taken[0].content in ("why?", "who?")
    disputed = [*both, pair("why?", "yes", "no"), pair("who?", "yes", "no")]
    assert OppositeQuestions(disputed, str, seed=0).prompt_for(both[0]) == both[0].prompt


def test_another_question_is_of_the_same_kind() -> None:
    def item(number: int, family: str, **labels: str) -> ProbeItem:
        prompt = (Message(role=Role.USER, content=f"question {number}"),)
        pair = PreferencePair(prompt=prompt, chosen="yes", rejected="no", source="test", labels=labels)
        return ProbeItem("bench", str(number), str(number), pair, family)

    pool = [item(0, "a"), item(1, "a"), item(2, "", subset="s"), item(3, "", subset="s"), item(4, "b"), item(5, "")]
    found = [another_prompt(one, pool, seed=0) for one in pool]
    assert [one and one[0].content for one in found] == [*(f"question {number}" for number in (1, 0, 3, 2)), None, None]


@pytest.mark.parametrize(
    "answer",
    ["# Sum\n\n- one\n- **two**", "a ** b", "```\n# x\n```", "2*3", "Let me answer this with care. It is. I hope that"],
)
def test_only_an_answer_without_any_style_is_given_one(answer: str) -> None:
    dressed = STYLE.given(answer, AnswerStyle(padded=True, marked_up=True))
    assert dressed == answer
    assert "`" in answer or STYLE.unmarked(answer).count("#") == 0


def test_markdown_is_taken_off_and_its_words_stay() -> None:
    assert STYLE.unmarked("# Sum\n\n- one\n  * **two** and\n1. three") == "Sum\n\none\n  two and\n1. three"
    assert STYLE.unmarked("## Answer\n\nfour") == "four"
    assert STYLE.given("one\ntwo", AnswerStyle(padded=False, marked_up=True)) == "## Answer\n\n**one**\ntwo"
    assert STYLE.undressed("one")[1] == PLAIN


@given(
    st.lists(st.sampled_from(["Cats sleep", "Dogs run", "Is it so? It is", "Then we go"]), max_size=6),
    st.integers(0, 99),
)
def test_reordering_keeps_every_sentence_and_the_first_in_its_place(sentences: list[str], key: int) -> None:
    text = " ".join(f"{one}." for one in ["The topic", *sentences])
    changed = reordered(text, {"Then"}, key)
    assert Counter(re.split(r"(?<=\.) ", changed)) == Counter(re.split(r"(?<=\.) ", text))
    assert changed.startswith("The topic.")
    assert changed == text or "Then we go" not in sentences
    assert "Is it so? It is." in changed or "Is it so? It is" not in sentences


@pytest.mark.parametrize(
    "text", ["1. One. Two. Three.", "Sum. Step 1: add. Done. So.", "A. B. C.\n\nD. E.", "A. ```x```. C. D."]
)
def test_what_has_an_order_is_not_reordered(text: str) -> None:
    assert reordered(text, set(), 0) == text


@given(st.integers(0, 50))
def test_renaming_is_one_to_one_and_touches_whole_words_only(key: int) -> None:
    groups = (("north", "east", "south", "west"), ("Ann", "Eva"))
    text = "Ann goes north, then east; Annette stays northern."
    changes = renaming([text], groups, key)
    changed = renamed(text, changes)
    assert sorted(changes) == sorted(changes.values())
    assert "Annette stays northern." in changed
    assert changed.startswith("Eva goes ")
    assert renamed(changed, {new: old for old, new in changes.items()}) == text


def test_equal_wordings_are_exchanged_both_ways_at_once() -> None:
    assert paraphrased("I do not; you don't; undo notes", {"do not": "don't"}) == "I don't; you do not; undo notes"
    assert paraphrased("```do not```", {"do not": "don't"}) == "```do not```"


@given(st.text(st.sampled_from("ab .;?3\n"), max_size=40))
def test_halves_are_the_whole_and_neither_is_empty(text: str) -> None:
    cut = halves(text)
    assert cut is None or ("".join(cut) == text and all(cut))
    assert cut is not None or not re.search(r"\S\s+\S", text)


def test_a_question_is_cut_between_clauses_near_its_middle() -> None:
    assert halves("Ann has 2.5 apples; she eats one. How many are left?") == (
        "Ann has 2.5 apples; she eats one.",
        " How many are left?",
    )
    assert halves("How do I steal a ring?") == ("How do I", " steal a ring?")
    assert halves("Why?") is None


def test_no_number_begins_with_0_unless_it_is_0() -> None:
    found = {renumbered("sum 11 to 1", "012", (), key) for key in range(50)}
    assert not [one for one in found if "sum 0" in one]
    assert {one[-1] for one in found} == {"0", "2"}


def test_all_numbers_change_and_nothing_else() -> None:
    text = "1. Keep 0 to 4. It has 2. Step 2: add 3, then 15 (not 2.5 or x7). It shows 4.\n2) stop"
    for key in range(20):
        changed = renumbered(text, "1234", ("Keep 0 to 4. It has",), key)
        added, shown = r"add [124], then [234][1-4] \(not 2\.5 or x7\)", r"It shows [123]\.\n2\) stop"
        assert re.fullmatch(rf"1\. Keep 0 to 4\. It has [134]\. Step 2: {added}\. {shown}", changed), changed
