"""Rewards of a policy's answers: gold, chance, and a judge that is open here."""

from pathlib import Path

import pytest

from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.policy.training.answer_rewards import PromptGroup, RandomReward, RewardCosts, VerifierReward
from reasrm.policy.training.judge_rewards import LocalJudgeReward
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, Role
from reasrm.records.policy import PolicyPrompt, Verifier
from tests.policy.pairwise_rewards.test_group_rewards import counts_good, text_judge


def prompt(question: str, verifier: Verifier = Verifier.NONE, reference: str = "") -> PolicyPrompt:
    turns = (Message(role=Role.USER, content=question),)
    return PolicyPrompt(prompt=turns, task="test", verifier=verifier, reference=reference)


SUM = prompt("What is 2 + 2?", Verifier.REFERENCE, "4")
OPEN = prompt("Which?")


def test_a_verifier_rewards_gold_and_nothing_where_nobody_knows() -> None:
    reward = VerifierReward()
    rewarded = reward.rewards([PromptGroup(SUM, ["It is 4.", "It is 5."]), PromptGroup(OPEN, ["4", "5"])], 0)
    assert rewarded.rewards == [[1.0, 0.0], [0.0, 0.0]]
    assert rewarded.costs == RewardCosts()


def test_chance_is_the_same_again_and_another_for_each_answer_step_and_seed() -> None:
    group = [PromptGroup(SUM, ["4", "4", "5"])]
    (first,) = RandomReward(0).rewards(group, 3).rewards
    assert RandomReward(0).rewards(group, 3).rewards == [first]
    (later,), (other,) = RandomReward(0).rewards(group, 4).rewards, RandomReward(1).rewards(group, 3).rewards
    assert len({*first, *later, *other}) == 9


def test_a_judge_rewards_by_its_scheme_counts_its_tokens_and_is_asked_once(tmp_path: Path) -> None:
    groups = [PromptGroup(OPEN, ["good", "bad", "good good"])]
    engine = ScriptedEngine(counts_good, "counts good")
    for _ in range(2):
        with text_judge(engine) as judge, Ledger(tmp_path / "ledger.jsonl") as ledger:
            reward = LocalJudgeReward(judge, "debiased_tournament", ledger, scores=False)
            rewarded = reward.rewards(groups, 0)
            pairs = [(OPEN, "good", "bad"), (OPEN, "bad", "good"), (OPEN, "bad", "bad"), (OPEN, "odd", "good")]
            beside = reward.beside(pairs)
        assert rewarded.rewards == [pytest.approx([0, -1, 1])]
        assert rewarded.costs.comparisons == 6
        assert rewarded.costs.judge_prompt_tokens > 6
        assert rewarded.costs.judge_reply_tokens > 0
        assert [one.proxy for one in beside] == [1.0, 0.0, 0.5, 0.5], "won, lost, the same text, no verdict"
        assert len(engine.asked) == 8, (
            "six for rewards, which answer the first two pairs beside the start too, and two more"
        )
