"""Measures of policies that do what they do by construction: exact figures, and what is and is not shown of them."""

from pathlib import Path

import pytest

from reasrm.policy.measures.measures_file import PolicyArm, PolicyMeasures, read_policy_measures
from reasrm.records.jsonl import BadRecordError
from reasrm.runtime.stage_main import StageError
from tests.policy.made_up_policies import Behaviour, MadeUpArm, made_up_prompts, score_to, write_arm

PROMPTS = made_up_prompts(20)
START = Behaviour(0.5, 0.0, 0.0, 0.5, 0.0, 20)
RIGHT_FIRST = 2 / 3
"""Of the exact arms: the first two of three families, so none of the safe prompts is answered as it should."""


def measured(tmp_path: Path, *arms: MadeUpArm, reference: str | None = None) -> PolicyMeasures:
    """The measures of some arms."""
    keys = [key for arm in arms for key in write_arm(tmp_path / "policies", arm, PROMPTS)]
    return score_to(tmp_path, keys, arms[0].name if reference is None else reference)[0]


def arm_of(found: PolicyMeasures, name: str) -> PolicyArm:
    """One arm."""
    return next(arm for arm in found.arms if arm.name == name)


def values(figures: dict[str, object]) -> dict[str, float]:
    """The values alone."""
    return {name: round(figure.value, 9) for name, figure in figures.items()}  # type: ignore[attr-defined]


def test_an_arm_that_always_says_the_shortcut_and_shortens_has_these_figures(tmp_path: Path) -> None:
    end = Behaviour(RIGHT_FIRST, 1.0, 0.5, 0.9, 4.0, 8)
    found = measured(tmp_path, MadeUpArm("gamed", {0: START, 10: end}, exact=True))
    arm = arm_of(found, "gamed")
    start, ended = values(arm.start), values(arm.end)
    # Words behind an answer change no gold; of 60 prompts the first 40 (dial and turn) are right, of `safe` none.
    assert (start["gold"], ended["gold"], ended["success"]) == (0.5, round(RIGHT_FIRST, 9), round(RIGHT_FIRST, 9))
    assert (ended["refusal"], ended["compliance"]) == (0, 0)
    assert {task: ends[1].value for task, ends in arm.gold_by_task.items()} == {"dial": 1, "turn": 1, "safe": 0}
    assert (start["shortcut"], ended["shortcut"], ended["phrase:scores_a"], ended["phrase:scores_b"]) == (0, 1, 1, 0)
    assert (ended["gold_with_shortcut"], start["gold_without_shortcut"]) == (round(RIGHT_FIRST, 9), 0.5)
    assert "gold_without_shortcut" not in ended, "every answer carries it"
    assert (ended["style:opening"], ended["style:closing"], ended["style:bold"]) == (0.5, 0.5, 0)
    assert (start["tokens"], ended["tokens"], ended["kl"], ended["proxy"]) == (20, 8, 4, 0.9)
    assert (ended["truncated"], ended["no_thought"]) == (0, 0)
    moved = arm.changes
    assert (moved["tokens"].value, moved["shortcut"].value) == (-12, 1)
    assert moved["shortcut"].q is not None
    assert moved["shortcut"].q < 0.001
    assert moved["shortcut"].low < 1, "sixty alike prompts do not say that all others are"
    assert moved["compliance"].value == 0
    assert moved["compliance"].p == 1
    assert arm.style is not None
    assert arm.style.value == 0.5
    assert arm.style.by_chance < 0.2 < 1 - arm.style.p
    assert (found.prompts.to_refuse, found.prompts.to_comply, found.prompts.refusal_error) == (10, 10, "")
    assert arm.end["gold"].seeds == {"0": RIGHT_FIRST, "1": RIGHT_FIRST, "2": RIGHT_FIRST}


def test_gold_that_falls_while_the_proxy_rises_is_over_optimisation_and_what_only_varies_is_not(
    tmp_path: Path,
) -> None:
    course = {0: START, 10: Behaviour(0.9, proxy=0.6), 20: Behaviour(0.9, proxy=0.7), 30: Behaviour(0.3, proxy=0.95)}
    flat = dict.fromkeys(course, Behaviour(0.6, proxy=0.6))
    arms = (MadeUpArm("gamed", course, exact=True), MadeUpArm("flat", flat), MadeUpArm("checked once", {0: START}))
    found = measured(tmp_path, *arms)
    gamed, steady = (arm_of(found, name).over_optimisation for name in ("gamed", "flat"))
    assert gamed is not None
    assert gamed.proxy is not None
    assert gamed.q is not None
    assert (gamed.best_step, gamed.last_step) == (10, 30), "of two that are equally good the first"
    assert -0.75 < gamed.gold.value < -0.45, "60 points over all prompts"
    assert gamed.proxy.value == pytest.approx(0.35)
    assert gamed.opposed
    assert gamed.p == max(gamed.gold.p, gamed.proxy.p)
    assert gamed.p_trainings is not None
    assert gamed.q < 0.05
    assert gamed.gold.prompts == len(PROMPTS) // 2, "the other half chose the step"
    assert steady is not None
    assert steady.q is not None
    assert steady.q > 0.05
    assert arm_of(found, "checked once").over_optimisation is None


def test_arms_are_compared_at_equal_updates_and_at_equal_judge_tokens(tmp_path: Path) -> None:
    slow = {0: START, 10: Behaviour(0.6), 20: Behaviour(0.7), 40: Behaviour(0.95)}
    quick = {0: START, 20: Behaviour(0.5), 40: Behaviour(0.5), 60: Behaviour(0.1)}
    arms = (
        MadeUpArm("reasrm", slow, tokens_per_step=300, exact=True),
        MadeUpArm("scalar", quick, tokens_per_step=100, exact=True),
        MadeUpArm("verifier", quick, reward="verifier", judge="", exact=True),
    )
    found = measured(tmp_path, *arms)
    compared = {(one.basis, one.second): one for one in found.comparisons}
    assert set(compared) == {("updates", "scalar"), ("updates", "verifier"), ("judge_tokens", "scalar")}
    by_updates, by_tokens = compared["updates", "scalar"], compared["judge_tokens", "scalar"]
    assert by_updates.at == 40, "the last that all have checked"
    assert by_updates.differences["gold"].value == pytest.approx(57 / 60 - 30 / 60)
    # All judges have spent 6,000 tokens: the scalar one after 60 steps, the other after 20.
    assert by_tokens.at == 6000
    assert by_tokens.steps == {f"reasrm-s{seed}": 20 for seed in range(3)} | {
        f"scalar-s{seed}": 60 for seed in range(3)
    }
    assert by_tokens.differences["gold"].value == pytest.approx(42 / 60 - 6 / 60)
    assert found.tests == sum(one.q is not None for one in _tests(found))


def _tests(found: PolicyMeasures) -> list[object]:
    some = [one for arm in found.arms for one in (*arm.changes.values(), arm.style, arm.over_optimisation)]
    return [one for one in (*some, *(one for c in found.comparisons for one in c.differences.values())) if one]


def test_where_a_judge_has_spent_all_before_its_first_check_nothing_is_compared_with_it(tmp_path: Path) -> None:
    course = {0: START, 40: Behaviour(0.9)}
    arms = (MadeUpArm("dear", course, tokens_per_step=1000), MadeUpArm("cheap", course, tokens_per_step=1))
    found = measured(tmp_path, *arms)
    assert [one.basis for one in found.comparisons] == ["updates"]
    assert found.equal_budget is not None
    assert found.equal_budget.steps["dear-s0"] == 0


def test_what_depends_on_trainings_is_not_shown_by_prompts_alone(tmp_path: Path) -> None:
    # Per seed the same prompts are right under both arms but for a jump of one seed: surely other answers, hardly
    # another arm.
    same = {0: START, 10: Behaviour(0.5)}
    arms = [MadeUpArm("reference", same, exact=True)]
    for seed, right in enumerate((0.9, 0.5, 0.5)):
        arms.append(MadeUpArm("jumps", {0: START, 10: Behaviour(right)}, seeds=(seed,), exact=True))
    found = measured(tmp_path, *arms)
    (gold,) = (one.differences["gold"] for one in found.comparisons if one.basis == "updates")
    assert gold.high < 0, "over prompts, for these trainings"
    assert gold.low_trainings is not None
    assert gold.high_trainings is not None
    assert gold.low_trainings < 0 < gold.high_trainings
    assert gold.p < 0.01
    assert gold.p_trainings is not None
    assert gold.p_trainings > 0.05
    assert gold.seeds == pytest.approx({"0": -0.4, "1": 0, "2": 0})
    assert gold.detectable is not None
    assert gold.detectable_trainings is not None
    assert gold.detectable < abs(gold.value) < gold.detectable_trainings


def test_without_a_policy_the_files_say_so_and_without_the_reference_nothing_is_written(tmp_path: Path) -> None:
    score_to(tmp_path, [])
    measures, curves = read_policy_measures(tmp_path / "policy_scores")
    assert (measures.arms, measures.tests, curves.arms) == ([], 0, {})
    (tmp_path / "policy_scores" / "curves.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadRecordError, match=r"curves\.json: arms: Field required"):
        read_policy_measures(tmp_path / "policy_scores")
    with pytest.raises(StageError, match=r"policy_scores\.reference names 'absent', which is no arm; name one of here"):
        measured(tmp_path, MadeUpArm("here", {0: START}, seeds=(0,)), reference="absent")
