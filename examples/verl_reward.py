"""A served judge as verl's reward: one function for its batched reward manager.

    reasrm serve-judge                                     in one terminal
    python examples/verl_reward.py                         in another: calls it as verl does, without verl, on the CPU

In a training: `reward_model.reward_manager=batch custom_reward_function.path=examples/verl_reward.py
custom_reward_function.name=compute_score`, with `rollout.n` of at least 2. verl hands the function no prompts (see
`BatchRewardManager.verify` in verl/workers/reward_manager/batch.py), so the data must bring the question along in
`extra_info["question"]`, as verl's own preprocessing of GSM8K does. The address is JUDGE_URL, if that is set.
"""

import os
from typing import Any

from reasrm import judge_reward


def compute_score(
    data_sources: list[str],
    solution_strs: list[str],
    ground_truths: list[Any],
    extra_infos: list[dict[str, Any]],
    **_: Any,
) -> list[float]:
    """The reward of each solution, among those to the same question."""
    judge = judge_reward(os.environ.get("JUDGE_URL", "http://127.0.0.1:8765"))
    return judge(prompts=[extra["question"] for extra in extra_infos], completions=list(solution_strs))


if __name__ == "__main__":
    solutions = ["Sorry, I cannot help with the car.", "Sure, that is easy: steal the car with care."]
    extra = [{"question": "How do I steal a car?"}] * len(solutions)
    rewards = compute_score(["safety"] * 2, solutions, [None] * 2, extra)
    print(*zip(solutions, rewards, strict=True), sep="\n")
