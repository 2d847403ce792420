"""What generations took: the same counts whatever was killed, and a stop at the budget or a collapse."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.policy.training.answer_rewards import RewardCosts, RewardedGroups
from reasrm.policy.training.reward_steps import FILE, RewardStep, RewardSteps, stop_cause, together
from tests.policy.training.test_settings import settings


def generation(step: int, rewards: list[list[float]], tokens: int = 10) -> RewardStep:
    return RewardStep.of(step, RewardedGroups(rewards, RewardCosts(3, 1, 1, tokens, 1)), policy_tokens=7)


LIVELY = [[0.0, 1.0], [1.0, 0.0]]
FLAT = [[1.0, 1.0], [0.0, 0.0]]


@given(st.lists(st.lists(st.lists(st.floats(-3, 3), min_size=2, max_size=2), min_size=1, max_size=4), min_size=1))
def test_parts_of_a_generation_are_counted_as_the_whole(parts: list[list[list[float]]]) -> None:
    whole = RewardStep.of(4, RewardedGroups([group for part in parts for group in part], RewardCosts()), 0)
    joined = together([RewardStep.of(4, RewardedGroups(part, RewardCosts()), 0) for part in parts])
    assert joined.model_dump() == pytest.approx(whole.model_dump())


def test_a_killed_training_counts_what_one_that_went_through_counts(tmp_path: Path) -> None:
    def train(folder: Path, *ends: tuple[int, int]) -> bytes:
        """Generations from each first step to before each last one, in a process of its own."""
        folder.mkdir()
        for first, last in ends:
            steps = RewardSteps(folder)
            for step in range(first, last):
                for _ in range(2):  # two parts, as of groups that are sampled in the place of others
                    steps.add(generation(step, LIVELY, tokens=step), writes=True)
        return (folder / FILE).read_bytes()

    assert train(tmp_path / "killed", (0, 5), (2, 4), (2, 6)) == train(tmp_path / "whole", (0, 6))
    check = RewardSteps(tmp_path / "whole").check(4)
    assert (check.step, check.comparisons, check.policy_tokens) == (4, 4 * 6, 4 * 14)
    assert check.judge_prompt_tokens == 2 * (0 + 1 + 2 + 3)
    assert RewardSteps(tmp_path / "whole").check(0).judge_prompt_tokens == 0


def test_the_budget_stops_all_arms_behind_the_generation_that_reaches_it() -> None:
    chosen = settings(judge_tokens=30)
    steps = [generation(step, LIVELY) for step in range(3)]  # 11 tokens each
    assert stop_cause(steps[:2], chosen, is_advantage=False) == ("", False)
    cause, collapsed = stop_cause(steps, chosen, is_advantage=False)
    assert cause == "the judge's budget is spent: 33 of 30 tokens"
    assert not collapsed
    assert stop_cause(steps, settings(judge_tokens=None), is_advantage=False) == ("", False)


def test_a_reward_that_is_flat_for_so_many_generations_has_collapsed() -> None:
    chosen = settings(collapse={"steps": 3, "least_sd": 0.01, "most_without_signal": 0.9}, judge_tokens=None)
    flat = [generation(step, FLAT) for step in range(3)]
    assert stop_cause(flat[:2], chosen, is_advantage=False) == ("", False), "too few to say"
    cause, collapsed = stop_cause(flat, chosen, is_advantage=False)
    assert collapsed
    assert "in 6 of 6 groups all answers have the same" in cause
    assert stop_cause([*flat, generation(3, LIVELY)], chosen, is_advantage=False) == ("", False), "2 of 6 are lively"


def test_an_advantage_is_not_held_to_a_standard_deviation() -> None:
    chosen = settings(collapse={"steps": 1, "least_sd": 0.5, "most_without_signal": 0.9}, judge_tokens=None)
    small = [generation(0, [[0.0, 0.1], [0.1, 0.0]])]
    assert stop_cause(small, chosen, is_advantage=True) == ("", False)
    assert "standard deviation" in stop_cause(small, chosen, is_advantage=False)[0]
