"""The trainer of a policy: its reward function, and a stop at the judge's budget or a collapsed reward."""

from collections.abc import Callable, Sequence
from typing import Any

from accelerate.utils import gather_object
from transformers import TrainerCallback

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.replies import decode
from reasrm.policy.training.answer_drawing import AnswerDrawing
from reasrm.policy.training.answer_rewards import AnswerReward, PromptGroup
from reasrm.policy.training.reward_steps import RewardStep, RewardSteps, stop_cause
from reasrm.policy.training.settings import PolicySettings
from reasrm.records.policy import PolicyPrompt, answer_of
from reasrm.training.grpo.group_trainer import GroupTrainer


class GroupReward:
    """TRL's reward function: what each answer earns among those to the same prompt."""

    __name__ = "answer"

    def __init__(
        self,
        prompts: dict[str, tuple[PolicyPrompt, Prompt]],
        tokenizer: Any,
        settings: PolicySettings,
        reward: AnswerReward,
        steps: RewardSteps,
    ) -> None:
        """Reward by `reward`, and count in `steps`; `prompts` holds, by id, what is answered, and its rendering."""
        self._prompts, self._tokenizer, self._settings = prompts, tokenizer, settings
        self._reward, self._steps = reward, steps
        self._drawing = AnswerDrawing(tokenizer, settings.checks.batch_size, settings.checks.batch_tokens)
        self.trainer: Any = None

    def __call__(
        self, completion_ids: Sequence[Sequence[int]], prompt_id: Sequence[str], trainer_state: Any, **columns: Any
    ) -> list[float]:
        """The rewards of this process' answers; consecutive ones are a group.

        Args:
            completion_ids: the sampled tokens.
            prompt_id: of each answer's prompt.
            trainer_state: says how many updates there were.
            columns: what TRL hands over besides; with `log_metric` the reward's spread is logged.
        """
        size, step = self._settings.replies_per_prompt, int(trainer_state.global_step)
        starts = range(0, len(completion_ids), size)
        answers = [self._answer(prompt, ids) for prompt, ids in zip(prompt_id, completion_ids, strict=True)]
        anchors = self._anchors([prompt_id[at] for at in starts])
        groups = [
            PromptGroup(self._prompts[prompt_id[at]][0], answers[at : at + size], anchor)
            for at, anchor in zip(starts, anchors, strict=True)
        ]
        rewarded = self._reward.rewards(groups, step)
        own = RewardStep.of(step, rewarded, sum(map(len, completion_ids)))
        accelerator = self.trainer.accelerator
        for part in gather_object([own]):
            self._steps.add(part, writes=accelerator.is_main_process)
        log: Callable[[str, float], None] = columns["log_metric"]
        log("reward_sd_in_group", own.mean_sd)
        log("judge/comparisons", own.comparisons)
        log("judge/tokens", own.judge_prompt_tokens + own.judge_reply_tokens)
        log("judge/no_verdict", own.no_verdict)
        return [reward for group in rewarded.rewards for reward in group]

    def _answer(self, prompt_id: str, token_ids: Sequence[int]) -> str:
        text = self._prompts[prompt_id][1].head + decode(self._tokenizer, token_ids)
        return answer_of(text, self._settings.answer_after)

    def _anchors(self, prompt_ids: Sequence[str]) -> list[str | None]:
        """The policy's greedy answer to each prompt, where the reward needs one."""
        if not self._reward.needs_anchor:
            return [None for _ in prompt_ids]
        greedy = Sampling(max_new_tokens=self._settings.max_reply_tokens, temperature=0.0, top_p=1.0, seed=0, stop="")
        policy = self.trainer.accelerator.unwrap_model(self.trainer.model)
        drawn = self._drawing.draw(policy, [self._prompts[one][1] for one in prompt_ids], greedy)
        return [self._answer(one, tokens.token_ids) for one, tokens in zip(prompt_ids, drawn, strict=True)]


class PolicyTrainer(GroupTrainer):
    """GRPO that does not go on where it has stopped."""

    def _run_epoch(self, epoch: int, **arguments: Any) -> None:
        """Pass over the prompts, unless a killed training had stopped for good."""
        if not self.control.should_training_stop:
            super()._run_epoch(epoch=epoch, **arguments)


class StopPolicy(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Ends the training at the judge's budget or a collapsed reward; what is trained until then is kept."""

    def __init__(self, steps: RewardSteps, settings: PolicySettings, *, is_advantage: bool) -> None:
        """Decide by `steps`; `is_advantage` says whether rewards are divided by their spread already."""
        self._steps, self._settings, self._is_advantage = steps, settings, is_advantage
        self.cause, self.collapsed = "", False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Decide as the killed training had."""
        self._decide(state.global_step, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Decide behind an update."""
        self._decide(state.global_step, control)

    def _decide(self, step: int, control: Any) -> None:
        cause, collapsed = stop_cause(self._steps.until(step), self._settings, is_advantage=self._is_advantage)
        if cause:
            self.cause, self.collapsed = f"after update {step}: {cause}", collapsed
            control.should_training_stop = True
