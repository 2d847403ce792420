"""GRPO of a policy with TRL: groups of answers to a prompt, each rewarded among the others.

Loss, advantage and clip are those of a judge's training (`reasrm.training.grpo.training`); what differs is who
rewards: a judge by a scheme, a verifier, or chance. Rewards of a scheme that gives advantages are not divided by the
group's spread again (`scale_rewards: none`); TRL takes the group's mean off them, which is 0.

The same for all arms that are compared: prompts and their order (by `seed`), updates at most, the judge's tokens at
most, the start. An arm that stops before the last update says why (`PolicyOutcome.stopped`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.inference.engine import Prompt
from reasrm.inference.prompt_rendering import render_all
from reasrm.policy.pairwise_rewards.registry import SCHEMES
from reasrm.policy.training.answer_rewards import AnswerReward
from reasrm.policy.training.judge_rewards import JudgeView
from reasrm.policy.training.reward_steps import RewardSteps
from reasrm.policy.training.settings import PolicySettings
from reasrm.records.harmless_text import json_text
from reasrm.records.jsonl import write_records
from reasrm.records.policy import PolicyOutcome, PolicyPrompt, answers_file
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.terminal import say_error
from reasrm.runtime.work_folder import remove_resume_folder
from reasrm.training.checkpoint import load_language_model
from reasrm.training.grpo.training import grpo_config, require_one_generation
from reasrm.training.grpo.vllm_rollouts import repeat_rollouts, vllm_computes_as
from reasrm.training.lora import AdapterTask, adapter_config
from reasrm.training.training_run import LeftOut, TrainingRun, train_and_save
from reasrm.training.trl_arguments import refused_in_one_line

Rendered = list[tuple[PolicyPrompt, Prompt]]

ANSWERS = "answers"
"""What is drawn at the checks, in the folder that a training resumes from."""


class PolicyInputs(NamedTuple):
    """What a policy starts from and answers."""

    start: Path
    """A folder of a causal model."""
    tokenizer: Any
    trained: Sequence[PolicyPrompt]
    """Prompts that are trained on."""
    checked: Sequence[PolicyPrompt]
    """Prompts that are answered at the checks."""


def train_policy(
    run: TrainingRun,
    inputs: PolicyInputs,
    settings: PolicySettings,
    reward: AnswerReward,
    judge: JudgeView,
    answers: Path,
) -> PolicyOutcome:
    """Train the start, resuming what an interrupted run left; write checkpoint, curves and `answers`.

    Args:
        run: name and folders.
        inputs: the start, and what it answers.
        settings: of the training.
        reward: who rewards.
        judge: who sets answers beside the start's at the checks.
        answers: the folder of what was drawn at the checks, whole or absent.

    Raises:
        NoTrainingDataError: all prompts are too long, or there are too few for one generation.
        StageError: the machine lacks what a setting needs, the judge cannot be used, or no check can be made.
        StoppedResumable: the judge's service stopped answering.
    """
    config = grpo_config(settings, run)  # first: vLLM's environment must be set before TRL imports it

    from reasrm.policy.training.checks import PolicyChecks
    from reasrm.policy.training.trainer import GroupReward, PolicyTrainer, StopPolicy

    start, tokenizer = inputs.start, inputs.tokenizer
    trained = _trained(run.name, inputs, settings)
    checked = _checked(run.name, inputs, settings)
    steps = RewardSteps(run.resume_from)
    rewarding = GroupReward(
        {prompt.id: (prompt, shown) for prompt, shown in trained}, tokenizer, settings, reward, steps
    )
    stop = StopPolicy(steps, settings, is_advantage=_gives_advantages(settings))
    checks = PolicyChecks(run.resume_from / ANSWERS, start, tokenizer, checked, settings, judge)
    with refused_in_one_line(run.name), vllm_computes_as(settings):
        trainer = PolicyTrainer(
            settings,
            None,
            model=load_language_model(start, settings),
            args=config,
            reward_funcs=[rewarding],
            train_dataset=_dataset(trained),
            processing_class=tokenizer,
            callbacks=[checks, stop],
            peft_config=adapter_config(settings.lora, AdapterTask.LANGUAGE_MODEL),
        )
    rewarding.trainer = trainer
    checks.watch(trainer)
    repeat_rollouts(trainer, settings, run.name)
    held = run._replace(housekeeping=run.housekeeping.model_copy(update={"prune_work": False}))
    train_and_save(held, trainer, tokenizer, settings)
    done = int(trainer.state.global_step)
    outcome = _outcome(settings, done, stop.cause, collapsed=stop.collapsed)
    if trainer.is_world_process_zero():
        _publish(run, answers, checks.steps(done), steps, [prompt for prompt, _ in checked], outcome)
    return outcome


def rendered(tokenizer: Any, prompts: Sequence[PolicyPrompt], most_tokens: int) -> tuple[Rendered, LeftOut]:
    """The prompts that the chat template renders in at most `most_tokens` tokens, and how many are left out."""
    shown = render_all(tokenizer, [prompt.prompt for prompt in prompts])
    pairs = [(prompt, shown[prompt.prompt]) for prompt in prompts]
    reasons = [one.unrenderable for _, one in pairs if one.unrenderable]
    kept = [pair for pair in pairs if not pair[1].unrenderable and len(pair[1].token_ids) <= most_tokens]
    return kept, LeftOut.of(len(pairs), len(kept), reasons)


def _trained(name: str, inputs: PolicyInputs, settings: PolicySettings) -> Rendered:
    """Prompts to train on.

    Raises:
        NoTrainingDataError: none is left, or there are too few for one generation.
        StageError: one conversation stands there with two meanings.
    """
    _require_one_meaning(name, inputs.trained)
    trained, left_out = rendered(inputs.tokenizer, inputs.trained, settings.max_prompt_tokens)
    left_out.say(name)
    if not trained:
        raise left_out.no_data(name, "prompts", "max_prompt_tokens", settings.max_prompt_tokens)
    require_one_generation(name, len(trained), left_out, settings)
    return trained


def _checked(name: str, inputs: PolicyInputs, settings: PolicySettings) -> Rendered:
    """Prompts of the checks, each once.

    Raises:
        StageError: none is left, or one conversation stands there with two meanings.
    """
    _require_one_meaning(name, inputs.checked)
    distinct = {prompt.id: prompt for prompt in inputs.checked}
    checked, left_out = rendered(inputs.tokenizer, list(distinct.values()), settings.max_prompt_tokens)
    left_out.say(f"{name} checks")
    if not checked:
        raise StageError(
            f"{name}: none of {len(distinct)} prompts to check is left ({left_out.summary()}): raise "
            "`max_prompt_tokens`, or collect other prompts"
        )
    return checked


def _require_one_meaning(name: str, prompts: Sequence[PolicyPrompt]) -> None:
    """Do nothing if no conversation comes with two verifiers, references or kinds of safety.

    Raises:
        StageError: one does.
    """
    known: dict[str, PolicyPrompt] = {}
    for prompt in prompts:
        if known.setdefault(prompt.id, prompt) != prompt:
            raise StageError(
                f"{name}: the prompt {json_text(prompt.question[:60])} (id {prompt.id[:12]}) stands there twice, "
                "with another verifier, reference, safety or task: keep one"
            )


def _gives_advantages(settings: PolicySettings) -> bool:
    """Whether rewards are divided by their group's spread already."""
    scheme = SCHEMES.get(settings.scheme)
    return scheme is not None and scheme.is_advantage


def _dataset(prompts: Rendered) -> Any:
    """The `datasets.Dataset` of prompts, as TRL takes them."""
    from datasets import Dataset

    turns = [[turn.model_dump(mode="json") for turn in prompt.prompt] for prompt, _ in prompts]
    return Dataset.from_list(
        [{"prompt": one, "prompt_id": prompt.id} for one, (prompt, _) in zip(turns, prompts, strict=True)]
    )


def _outcome(settings: PolicySettings, done: int, cause: str, *, collapsed: bool) -> PolicyOutcome:
    return PolicyOutcome(
        arm=settings.arm,
        seed=settings.seed,
        reward=settings.reward.value,
        judge=settings.judge,
        scheme=settings.scheme,
        steps=done,
        planned_steps=settings.steps,
        judge_tokens=settings.judge_tokens,
        stopped=cause if done < settings.steps else "",
        collapsed=collapsed and done < settings.steps,
    )


def _publish(
    run: TrainingRun,
    out: Path,
    checked: Sequence[int],
    steps: RewardSteps,
    prompts: Sequence[PolicyPrompt],
    outcome: PolicyOutcome,
) -> None:
    """Write the output folder from what was drawn, whole or absent; then remove what a killed run would resume from."""
    if outcome.stopped:
        say_error(run.name, f"stopped {outcome.stopped}")
    drawn = run.resume_from / ANSWERS
    with new_folder(out) as folder:
        for step in checked:
            answers_file(folder, step).write_bytes(answers_file(drawn, step).read_bytes())
        write_records(folder / "steps.jsonl", [steps.check(step) for step in checked])
        write_records(folder / "prompts.jsonl", prompts)
        write_json(folder / "outcome.json", outcome.model_dump(mode="json"))
    if run.housekeeping.prune_work:
        remove_resume_folder(run.resume_from)
