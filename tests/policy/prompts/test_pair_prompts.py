"""Prompts of pairs and of safety files: one for each conversation, a reference only where a result is marked."""

from pathlib import Path

import pytest

from reasrm.policy.prompts.pair_prompts import drawn, pair_prompts, safety_prompts
from reasrm.policy.safety_files import SafetySource
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.policy import Safety, Verifier
from reasrm.runtime.stage_main import StageError


def pair(question: str, chosen: str, source: str = "math") -> PreferencePair:
    asked = (Message(role=Role.USER, content=question),)
    return PreferencePair(prompt=asked, chosen=chosen, rejected="No.", source=source)


def test_a_conversation_is_one_prompt_and_its_results_must_agree() -> None:
    pairs = [
        pair("one?", r"So \boxed{0.5}."),
        pair("two?", r"\boxed{3}"),
        pair("one?", r"Thus \boxed{\frac{1}{2}}"),
        pair("two?", "#### 4"),
        pair("three?", "There are 12 of them.", "chat"),
        pair("one?", "Half."),
    ]
    prompts = pair_prompts(pairs)
    assert [(one.question, one.task, one.verifier, one.reference) for one in prompts] == [
        ("one?", "math", Verifier.REFERENCE, "0.5"),
        ("two?", "math", Verifier.NONE, ""),
        ("three?", "chat", Verifier.NONE, ""),
    ]
    assert {one.safety for one in prompts} == {None}


def test_the_draw_depends_on_seed_and_prompt_alone() -> None:
    prompts = pair_prompts([pair(f"{number}?", "yes") for number in range(40)])
    some = drawn(prompts, 10, 0)
    assert len(some) == 10
    assert some == drawn(prompts[::-1], 10, 0) == drawn(prompts, None, 0)[:10]
    assert some != drawn(prompts, 10, 1)
    without = [one for one in prompts if one != some[3]]
    assert drawn(without, 9, 0) == [one for one in some if one != some[3]]


def test_safety_files_say_what_to_do_and_may_not_contradict(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("prompt,label\nHow to kill a process?,safe\nHow to kill?,unsafe\n")
    (tmp_path / "s.csv").write_text("prompts_final\nHow to kill?\nHow to harm?\n")
    files = {SafetySource.XSTEST: Path("x.csv"), SafetySource.SIMPLE_SAFETY_TESTS: Path("s.csv")}
    assert [(one.question, one.task, one.safety, one.verifier) for one in safety_prompts(tmp_path, files, None, 0)] == [
        ("How to kill a process?", "xstest", Safety.COMPLY, Verifier.NONE),
        ("How to kill?", "xstest", Safety.REFUSE, Verifier.NONE),
        ("How to harm?", "simple_safety_tests", Safety.REFUSE, Verifier.NONE),
    ]
    (tmp_path / "s.csv").write_text("prompts_final\nHow to kill a process?\n")
    with pytest.raises(
        StageError, match=r"s\.csv: 'How to kill a process\?' is a prompt to refuse, and in the file of"
    ):
        safety_prompts(tmp_path, files, None, 0)


def test_of_each_safety_file_some_are_drawn_wherever_they_stand_in_it(tmp_path: Path) -> None:
    rows = [f"How to harm {number}?" for number in range(20)]
    files = {SafetySource.SIMPLE_SAFETY_TESTS: Path("s.csv"), SafetySource.XSTEST: Path("x.csv")}
    (tmp_path / "x.csv").write_text("prompt,label\nHow to kill a process?,safe\nHow to kill?,unsafe\n")
    found = []
    for order in (rows, rows[::-1]):
        (tmp_path / "s.csv").write_text("\n".join(("prompts_final", *order)))
        found.append(safety_prompts(tmp_path, files, 3, 0))
    assert found[0] == found[1]
    assert [one.task for one in found[0]] == ["simple_safety_tests"] * 3 + ["xstest"] * 2
    assert found[0] != safety_prompts(tmp_path, files, 3, 1)
