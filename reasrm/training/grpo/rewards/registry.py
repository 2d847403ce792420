"""The reward terms by the names that `rewards` in params.yaml uses; a new term is its own file and one line here."""

from reasrm.training.grpo.rewards.answer import answer_reward
from reasrm.training.grpo.rewards.concise import concise_reward
from reasrm.training.grpo.rewards.consistency import consistency_reward
from reasrm.training.grpo.rewards.format import format_reward
from reasrm.training.grpo.rewards.grounded import grounded_reward
from reasrm.training.grpo.rewards.sampled_replies import RewardFunction
from reasrm.training.grpo.rewards.verdict import verdict_reward

REWARD_TERMS: dict[str, RewardFunction] = {
    "verdict": verdict_reward,
    "answer": answer_reward,
    "format": format_reward,
    "consistency": consistency_reward,
    "grounded": grounded_reward,
    "concise": concise_reward,
}
