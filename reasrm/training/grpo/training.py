"""GRPO with TRL's GRPOTrainer: sample a group of judgments per comparison, reinforce those that earn more.

Per sampled reply i of a group of G = `replies_per_prompt` replies to one prompt:

    reward     r_i = sum over terms k of weight_k * term_k(reply i)              (`rewards`; eq. 8 or 11 of RM-R1)
    advantage  A_i = (r_i - mean(r_1..r_G)) / (std(r_1..r_G) + 1e-4)             (eq. 10, but for 1e-4)
    loss       - mean over replies i of the mean over the tokens of reply i of (ratio * A_i - beta * KL)   (eq. 9)

`ratio` is r_theta / r_theta_old of a token, clipped to [1 - `epsilon`, 1 + `epsilon_high`] as in eq. 9, beta is
`kl_weight`, KL the estimate exp(d) - d - 1 with d = log r_ref - log r_theta of the token, r_ref the starting
checkpoint. All probabilities are those at the sampling temperature. No length penalty.

The loss above is `loss_type: grpo`: a token of a short reply counts more than one of a long reply. `dapo` weighs every
token of the batch alike; `dr_grpo` divides by a constant, not by lengths.

Where the settings in params.yaml, and this code, depart from RM-R1 (arXiv 2505.02387v3, eq. 8-11, appendices C, E):

- Loss (eq. 9): `loss_type: grpo` is the paper's; TRL's default is dapo.
- Advantage (eq. 10): `scale_rewards: group` is the paper's, with 1e-4 added to the standard deviation, which has
  Bessel's correction.
- Groups without spread have advantage 0, here as in the paper's code. With `zero_signal_groups: keep` they stay: their
  replies count in what the loss is divided by, and pull towards the reference. `drop` leaves them out of both;
  `replace` samples further prompts in their place, at most `most_extra_generations` times, and drops what is left.
- Orders: `orders: hashed` shows a pair in one order; `both` makes two prompts of it;
  `both_in_group` shows each order to half of a group, so that a judge that always prefers one side earns by halves and
  is corrected (PA-GRPO).
- Clip (eq. 9): `epsilon` and `epsilon_high` are the paper's 0.2 on both sides. With `steps_per_generation: 1` and
  `num_iterations: 1` the ratio is 1 and the clip never acts. The paper takes 8 mini-batches of 128 out of 1,024
  prompts, where it does.
- KL (eq. 9): in the loss, from the checkpoint that the training starts from, without importance correction
  (`use_bias_correction_kl: false`; TRL's default is true). The paper's weight is 1e-3; `kl_weight` 0 leaves the
  reference model out. Under `lora` the reference is the model without its adapter.
- Group: the paper samples 7 replies per prompt at temperature 1 and top-p 1, at most 8,192 tokens; here
  `replies_per_prompt`, `temperature`, `max_reply_tokens`, top-p 1 as well. Replies that the limit cut off count like
  others (`mask_truncated_completions: false`), in the paper's code too.
- Optimiser: AdamW with `weight_decay` 0 (RM-R1's code: 0.01), gradients clipped to norm 1 as in RM-R1's code, a
  constant rate after `warmup_steps` (there without warm-up). The paper states the rates: 5e-7 to 1e-6.
- Reward of the cold start: eq. 11 is answer + format; ours demands a readable verdict for the format, and what the
  prompt variant asks for before it.

DAPO is `loss_type: dapo` with `epsilon_high: 0.28`, `kl_weight: 0`, `mask_truncated_completions: true` and
`zero_signal_groups: replace`; Dr. GRPO is `loss_type: dr_grpo` with `scale_rewards: none`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasrm.judging.chat_templates.chat_template import opened_thought, renderings
from reasrm.judging.chat_templates.checked_template import TEMPLATE_VARIABLES, RenderedChat
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison
from reasrm.training.checkpoint import load_language_model
from reasrm.training.grpo.group_settings import GroupSettings, GrpoLoss
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.grpo.rewards.sampled_replies import as_judged
from reasrm.training.grpo.rollout_samples import rollout_samples
from reasrm.training.grpo.settings import GrpoSettings, TrainingOrders
from reasrm.training.grpo.vllm_rollouts import repeat_rollouts, vllm_arguments, vllm_computes_as
from reasrm.training.lora import AdapterTask, adapter_config
from reasrm.training.training_run import LeftOut, NoTrainingDataError, TrainingRun, last_logged, train_and_save
from reasrm.training.trl_arguments import refused_in_one_line, shared_arguments, trl_config


def prompt_rows(
    tokenizer: Any, comparisons: Sequence[Comparison], settings: GrpoSettings
) -> tuple[list[dict[str, Any]], LeftOut]:
    """The prompts that fit, as TRL takes them, with the columns that reward terms read (`rewards.sampled_replies`).

    With both orders in one group a row also holds, in the column `swapped`, what the other order has in its place;
    both must fit. Also how many are left out.
    """
    if settings.orders is TrainingOrders.BOTH:
        comparisons = [order for comparison in comparisons for order in (comparison, comparison.swapped())]
    both, variant = settings.orders is TrainingOrders.BOTH_IN_GROUP, settings.prompt_variant
    others = [comparison.swapped() for comparison in comparisons] if both else []
    chats = renderings(tokenizer, [judge_prompt(comparison, variant) for comparison in (*comparisons, *others)])
    rows, reasons = [], []
    for at, comparison in enumerate(comparisons):
        shown = [chat for chat in chats[at :: len(comparisons)] if isinstance(chat, RenderedChat)]
        if len(shown) < 1 + both:
            reasons.append(next(str(chat) for chat in chats[at :: len(comparisons)] if chat not in shown))
        elif all(len(chat.token_ids) <= settings.max_prompt_tokens for chat in shown):
            row = _of_order(shown[0], comparison) | {"pair_id": comparison.pair_id, "prompt_variant": variant.value}
            swapped = {"swapped": _of_order(shown[1], comparison.swapped())} if both else {}
            rows.append(row | {"max_reply_tokens": settings.max_reply_tokens} | swapped)
    return rows, LeftOut.of(len(comparisons), len(rows), reasons)


def _of_order(shown: RenderedChat, comparison: Comparison) -> dict[str, Any]:
    """The columns that depend on the order in which a pair is shown."""
    answers = {"response_a": comparison.response_a, "response_b": comparison.response_b}
    return {"prompt": shown.turns, "better": comparison.better.value, **answers}


def train_grpo(
    run: TrainingRun, start: Path, tokenizer: Any, comparisons: Sequence[Comparison], settings: GrpoSettings
) -> tuple[int, LeftOut, float]:
    """Train the checkpoint `start` with GRPO, resuming what an interrupted run left; write checkpoint and curves.

    Returns:
        How many prompts are trained on, how many are left out, and the mean reward of the last logged step.

    Raises:
        NoTrainingDataError: all prompts are too long, or there are none, or too few for one generation.
        NoLearningSignalError: in every group all replies earned the same, for too many steps.
        StageError: the machine lacks what a setting needs, or `trl` cannot be taken as it is.
    """
    from datasets import Dataset

    config = grpo_config(settings, run)  # first: vLLM's environment must be set before TRL imports it

    from reasrm.training.grpo.group_trainer import GroupTrainer
    from reasrm.training.monitoring.callbacks import StopWithoutSignal

    rows, left_out = prompt_rows(tokenizer, comparisons, settings)
    left_out.say(run.name)
    if not rows:
        raise left_out.no_data(run.name, "prompts", "max_prompt_tokens", settings.max_prompt_tokens)
    require_one_generation(run.name, len(rows), left_out, settings)
    first = tokenizer.apply_chat_template(
        rows[0]["prompt"], tokenize=False, add_generation_prompt=True, **TEMPLATE_VARIABLES
    )
    opened = opened_thought(first)
    model = load_language_model(start, settings)
    with refused_in_one_line(run.name), vllm_computes_as(settings):
        trainer = GroupTrainer(
            settings,
            rollout_samples(run.resume_from, settings, comparisons, tokenizer, opened),
            model=model,
            args=config,
            reward_funcs=[as_judged(REWARD_TERMS[name], tokenizer, opened) for name in settings.rewards],
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            callbacks=[StopWithoutSignal(run.name, settings.steps_without_signal)],
            peft_config=adapter_config(settings.lora, AdapterTask.LANGUAGE_MODEL),
        )
    repeat_rollouts(trainer, settings, run.name)
    log = train_and_save(run, trainer, tokenizer, settings)
    return len(rows), left_out, last_logged(log, "reward")


def require_one_generation(name: str, prompts: int, left_out: LeftOut, settings: GroupSettings) -> None:
    """Do nothing if there are prompts enough to sample once; TRL would train no step, and say that it was done.

    Raises:
        NoTrainingDataError: there are fewer.
    """
    needed = settings.batch_size * settings.steps_per_generation // settings.replies_per_prompt
    if prompts < needed:
        raise NoTrainingDataError(
            f"{name}: there are {prompts} prompts ({left_out.summary()}), and one generation takes {needed} different "
            f"ones (batch_size {settings.batch_size} x steps_per_generation {settings.steps_per_generation} / "
            f"replies_per_prompt {settings.replies_per_prompt}): collect more pairs, or lower batch_size"
        )


def grpo_config(settings: GroupSettings, run: TrainingRun) -> Any:
    """TRL's config of `settings`.

    Raises:
        StageError: the machine lacks what a setting needs, or `trl` cannot be taken as it is.
    """
    sampling = vllm_arguments(settings)
    from trl import GRPOConfig

    arguments = {
        **shared_arguments(settings, run.resume_from),
        **sampling,
        "max_steps": settings.steps,
        "num_generations": settings.replies_per_prompt,
        "steps_per_generation": settings.steps_per_generation * settings.accumulate,
        "num_iterations": settings.num_iterations,
        "temperature": settings.temperature,
        "max_completion_length": settings.max_reply_tokens,
        "mask_truncated_completions": settings.mask_truncated_completions,
        "reward_weights": list(settings.reward_weights),
        "loss_type": settings.loss_type.value,
        "scale_rewards": settings.scale_rewards.value,
        "epsilon": settings.epsilon,
        "epsilon_high": settings.epsilon_high
        + (settings.loss_type is GrpoLoss.CISPO),  # TRL's is then the ratio itself
        "beta": settings.kl_weight,
        "use_bias_correction_kl": settings.use_bias_correction_kl,
        "chat_template_kwargs": dict(TEMPLATE_VARIABLES),
    }
    return trl_config(GRPOConfig, arguments, settings, run.name)
