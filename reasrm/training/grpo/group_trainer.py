"""TRL's GRPOTrainer with groups without signal, both orders in one group, sampling in parts, and groups to be seen.

A group has signal if its replies earned different rewards; without, all its advantages are 0. Such groups are dropped
from the loss, or replaced by groups of further prompts (`ZeroSignalGroups`). With `keep`, `orders: hashed` and replies
sampled at once a run trains the same weights as by a GRPOTrainer.

Put right for all of them:

- `frac_reward_zero_std` is the share of groups without signal; TRL's is 0 or 1 where rewards are scaled by the batch.
- A killed run goes on with the prompts of its epoch, where TRL's sampler begins with those of the first one, and takes
  no step behind the last.
- Weights that are no numbers are named when they sample.

What of TRL 1.16 this leans on (`tests/training/grpo/test_group_trainer.py` holds each):

- `_generate_and_score_completions(inputs)` hands `_generate` a list of its own with the prompts of `inputs`, and later
  `inputs` and that list to `_calculate_rewards`; so rows are replaced in both lists in place, before any padding.
- `_calculate_rewards` returns the terms of all processes, in the order in which the sampler gave the prompts:
  consecutive rows are a group, which may lie in several processes. It is given the tokens of this process' replies, and
  the `advantages` that come back in the end are theirs, in the order of `inputs`.
- a `tool_mask` is multiplied into the mask of the loss and of the metrics, not into that of attention.
- `num_items_in_batch` is what the losses in `BY_TOKENS` divide by; those in `BY_REPLIES` divide by the number of rows.

Further prompts are drawn by `seed` and the step alone, so a resumed training draws the same.

Transformers' `generate` holds the cache of all replies that it samples at once, and TRL hands it a whole generation;
with `rollouts.batch_size` it is called for so many at a time. A process's share of a generation is as large as any
other's, so all of them call it equally often, as shards must.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any, NamedTuple

import torch
from accelerate.utils import gather_object
from trl import GRPOTrainer

from reasrm.inference.checkpoint_loading import all_finite
from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.group_settings import GroupSettings, GrpoLoss, ZeroSignalGroups
from reasrm.training.grpo.rollout_samples import RolloutSamples, ScoredReply
from reasrm.training.grpo.rollout_settings import TransformersRollouts
from reasrm.training.grpo.sharded_reference import reference_by_blocks

BY_TOKENS = frozenset({GrpoLoss.DAPO, GrpoLoss.CISPO, GrpoLoss.VESPO})
"""Losses that divide by the tokens of all replies that were sampled together."""
BY_REPLIES = frozenset({GrpoLoss.GRPO, GrpoLoss.SAPO, GrpoLoss.DR_GRPO, GrpoLoss.LUSPO})
"""Losses that divide by the number of replies. bnpo, the one other, divides by the tokens of a forward pass."""
SAME = 1e-6
"""Rewards that differ by no more are the same: sums of the same terms differ by less."""


class SampledReply(NamedTuple):
    """One reply with all that TRL keeps of it between sampling and scoring."""

    row: dict[str, Any]
    prompt_ids: list[int]
    completion_ids: list[int]
    completion: list[dict[str, str]]
    logprobs: list[float] | None


class GroupTrainer(GRPOTrainer):  # type: ignore[misc]  # TRL is not followed by mypy
    """GRPO with `zero_signal_groups`, `orders` and `rollout_samples`."""

    _metrics: dict[str, dict[str, list[float]]]
    _pending_metrics: dict[str, list[float]]

    def __init__(self, settings: GroupSettings, samples: RolloutSamples | None, **arguments: Any) -> None:
        """Prepare as TRL does with `arguments`; `samples` keeps groups to be looked at, None keeps none.

        Raises:
            StageError: a part of the loss that no reply earned would be scaled with the rest.
        """
        with reference_by_blocks():
            super().__init__(**arguments)
        self._handling = settings.zero_signal_groups
        self._most_extra = settings.most_extra_generations
        self._both_orders = settings.both_orders_in_group
        self._seed = settings.seed
        self._loss = settings.loss_type
        self._sampler: Any = None
        rollouts = settings.rollouts
        self._at_a_time = rollouts.batch_size if isinstance(rollouts, TransformersRollouts) else None
        self._rows: list[dict[str, Any]] = []
        self._terms: Any = None
        self._token_ids: Any = None
        self._samples = samples
        self._scored = False
        scaled = self._handling is not ZeroSignalGroups.KEEP and self._loss in BY_REPLIES
        if scaled and (self._entropy_bonus_enabled or self.aux_loss_enabled):
            raise StageError(
                f"zero_signal_groups: {self._handling.value} with loss_type: {self._loss.value} would scale the "
                f"entropy bonus or the router's loss with the rest: take loss_type dapo, or set trl.entropy_coef and "
                f"trl.router_aux_loss_coef to 0"
            )

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        """TRL's sampler, which draws each epoch's order from where it was after the epoch before."""
        self._sampler = super()._get_train_sampler(dataset)
        return self._sampler

    def _run_epoch(self, epoch: int, **arguments: Any) -> None:
        """Pass over the prompts in the order of `epoch`, also where a killed run goes on; not behind the last step."""
        if self.state.global_step >= self.state.max_steps:
            return
        if self.shuffle_dataset:
            self._sampler.generator.manual_seed(self.args.seed)
            for _ in range(epoch):
                torch.randperm(self._sampler.num_samples, generator=self._sampler.generator)
        super()._run_epoch(epoch=epoch, **arguments)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Sample and score; of groups without signal, leave out what is not replaced."""
        if self._both_orders:
            first = self.accelerator.process_index * len(inputs)
            inputs = in_both_orders(inputs, first, self.num_generations)
        self._rows = inputs = list(inputs)
        scored = super()._generate_and_score_completions(inputs)
        self._metrics["train"]["frac_reward_zero_std"][-1] = (~self._signals()).float().mean().item()
        if self._samples is not None and self._samples.are_due(self.state.global_step):
            self._keep_samples(self._samples, scored["advantages"].tolist())
        if self._handling is ZeroSignalGroups.KEEP:
            return dict(scored)
        return self._with_signal_alone(scored)

    def _generate_single_turn(
        self, prompt_ids: Any, images: Any, multimodal_fields: Any, num_generations: int, **further: Any
    ) -> Any:
        """Sample, in parts where `rollouts.batch_size` says so.

        A vLLM server is asked once for all replies to one prompt, of which there are half as many with both orders.
        """
        if self._both_orders:
            num_generations //= 2
        with self._lost_weights_named():
            sample, size = super()._generate_single_turn, self._at_a_time
            if size is None or size >= len(prompt_ids):
                return sample(prompt_ids, images, multimodal_fields, num_generations, **further)
            if images is not None or multimodal_fields:
                raise StageError("rollouts.batch_size: prompts with images cannot be sampled in parts")
            parts = [prompt_ids[at : at + size] for at in range(0, len(prompt_ids), size)]
            replies = [reply for part in parts for reply in sample(part, None, {}, num_generations, **further)[0]]
            return replies, None  # transformers gives no probabilities

    @contextmanager
    def _lost_weights_named(self) -> Iterator[None]:
        """Turn what torch says of probabilities that are no numbers into one line.

        On a GPU it would end the device's context instead, so there the weights are looked at first.

        Raises:
            StageError: the model's probabilities, or its weights, are no numbers.
        """
        lost = (
            f"step {self.state.global_step + 1}: the model's probabilities are no numbers any more, so its weights "
            f"are lost: lower `learning_rate`, raise `warmup_steps`, or clip gradients by `max_grad_norm`"
        )
        if self.accelerator.device.type == "cuda" and not all(map(all_finite, self.model.parameters())):
            raise StageError(lost)
        try:
            yield
        except RuntimeError as error:
            if "probability tensor contains" not in str(error):  # torch.multinomial's own words, on a CPU
                raise
            raise StageError(lost) from error

    def _generate(self, prompts: list[Any]) -> Any:
        """Sample replies to `prompts`, and to others in place of those whose group has no signal."""
        generated = super()._generate(prompts)
        if self._handling is ZeroSignalGroups.REPLACE:
            prompt_ids, completion_ids, _, completions, logprobs, *_ = generated
            self._terms = super()._calculate_rewards(self._rows, prompts, completions, completion_ids)
            self._replace(prompts, prompt_ids, completion_ids, completions, logprobs)
            self._scored = True
        return generated

    def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Any:
        """What each reply of all processes earned by each term."""
        if self._scored:
            if inputs is not self._rows or any(row["prompt"] != at for row, at in zip(inputs, prompts, strict=True)):
                raise StageError("this version of TRL scores other lists than it sampled: groups cannot be replaced")
            self._scored = False
        else:
            self._terms = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        self._token_ids = completion_ids_list
        return self._terms

    def _keep_samples(self, samples: RolloutSamples, advantages: list[float]) -> None:
        """Hand the replies of all processes, as they are trained on, to `samples`; the first process writes them."""
        own = self._terms[self.accelerator.process_index * len(self._rows) :].tolist()
        columns = zip(self._rows, self._token_ids, own[: len(self._rows)], advantages, strict=True)
        replies = gather_object([ScoredReply(row["pair_id"], row["better"], *scored) for row, *scored in columns])
        if self.accelerator.is_main_process:
            samples.keep(self.state.global_step, replies, self._signals().tolist())

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        """The loss over what is left: where TRL divides by all replies, by those that are left instead."""
        loss = super()._compute_loss(model, inputs)
        if self._loss in BY_REPLIES and "share_in_loss" in inputs:
            return loss / inputs["share_in_loss"].clamp(min=SAME)  # with none left the loss is 0
        return loss

    def _with_signal_alone(self, scored: dict[str, Any]) -> dict[str, Any]:
        """Mask replies of groups without signal out of the loss, and count the tokens and replies that are left."""
        groups = self._signals()
        mask = scored["completion_mask"]
        first = self.accelerator.process_index * len(mask)
        left = groups.repeat_interleave(self.num_generations)[first : first + len(mask)]
        in_loss = left[:, None].expand_as(mask).to(mask.dtype)
        counted = self.accelerator.gather((mask * in_loss).sum()).sum()
        if self._handling is ZeroSignalGroups.DROP:
            self._log("without_signal", 1 - groups.float().mean().item())
        self._log("dropped", (~groups).sum().item())
        share = groups.float().mean()
        return {**scored, "tool_mask": in_loss, "num_items_in_batch": counted, "share_in_loss": share}

    def _signals(self) -> Any:
        """Whether each group, of all processes, has signal."""
        return groups_with_signal(self._terms, self.reward_weights, self.num_generations)

    def _replace(self, prompts: Any, prompt_ids: Any, completion_ids: Any, completions: Any, logprobs: Any) -> None:
        """Put groups of further prompts into the place of those without signal, within the budget."""
        size = self.num_generations
        first = self.accelerator.process_index * len(prompts)
        missing = (~self._signals()).nonzero()[:, 0].tolist()
        self._log("without_signal", len(missing) * size / len(self._terms))
        self._log("reward", (self._terms * self.reward_weights.to(self._terms.device)).sum(1).mean().item())
        further, rounds, sampled, before = self._further_rows(), 0, len(self._terms), len(missing)
        while missing and rounds < self._most_extra:
            rounds += 1
            replies, terms = self._sample(len(missing), further)
            sampled += len(replies)
            for group in groups_with_signal(terms, self.reward_weights, size).nonzero()[:, 0].tolist()[: len(missing)]:
                slot, start = missing.pop(0) * size, group * size
                self._terms[slot : slot + size] = terms[start : start + size]
                for offset in range(size):
                    at, reply = slot + offset - first, replies[start + offset]
                    if 0 <= at < len(prompts):
                        self._rows[at], prompts[at] = reply.row, reply.row["prompt"]
                        prompt_ids[at], completion_ids[at] = reply.prompt_ids, reply.completion_ids
                        completions[at] = reply.completion
                        if logprobs is not None:
                            logprobs[at] = reply.logprobs
        self._log("replaced", before - len(missing))
        self._log("generations", 1 + rounds)
        self._log("replies_sampled", sampled)

    def _sample(self, groups: int, further: Iterator[dict[str, Any]]) -> tuple[list[SampledReply], Any]:
        """Sample `groups` groups or a few more, so that each process has as many replies; replies and terms of all."""
        size, processes = self.num_generations, self.accelerator.num_processes
        while groups * size % processes:
            groups += 1
        rows = [row for row in islice(further, groups) for _ in range(size)]
        if self._both_orders:
            rows = in_both_orders(rows, 0, size)
        share = len(rows) // processes
        own = rows[self.accelerator.process_index * share :][:share]
        prompts = [row["prompt"] for row in own]
        with self._metrics_aside():
            prompt_ids, completion_ids, _, completions, logprobs, *_ = super()._generate(prompts)
            terms = super()._calculate_rewards(own, prompts, completions, completion_ids)
        columns = (own, prompt_ids, completion_ids, completions, logprobs or [None] * share)
        return gather_object([SampledReply(*reply) for reply in zip(*columns, strict=True)]), terms

    def _further_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of the dataset without end, in an order that `seed` and the step decide."""
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self.state.global_step + 1)
        order = torch.randperm(len(self.train_dataset), generator=generator).tolist()
        return (dict(self.train_dataset[at]) for at in cycle(order))

    @contextmanager
    def _metrics_aside(self) -> Iterator[None]:
        """Keep what further sampling logs out of the curves, which show the replies to the prompts as they came."""
        metrics, pending = self._metrics["train"], self._pending_metrics
        self._metrics["train"], self._pending_metrics = defaultdict(list), defaultdict(list)
        yield
        metrics["num_tokens"] = self._metrics["train"]["num_tokens"]
        self._metrics["train"], self._pending_metrics = metrics, pending

    def _log(self, name: str, value: float) -> None:
        self._metrics["train"][f"groups/{name}"].append(float(value))


def groups_with_signal(terms: Any, weights: Any, size: int) -> Any:
    """Whether the replies of each group earned different rewards.

    Args:
        terms: what each reply earned by each term; consecutive rows are a group.
        weights: of the terms.
        size: replies of a group.
    """
    earned = (terms * weights.to(terms.device)).sum(1).view(-1, size)
    return earned.amax(1) - earned.amin(1) > SAME


def in_both_orders(rows: list[dict[str, Any]], first: int, size: int) -> list[dict[str, Any]]:
    """The rows with the second half of each group in the other order, and in `group` the number of their group.

    Args:
        rows: consecutive ones are a group.
        first: where they begin among the rows of all processes.
        size: rows of a group.
    """
    numbers = [divmod(first + at, size) for at in range(len(rows))]
    return [
        row | (row["swapped"] if within >= size // 2 else {}) | {"group": group}
        for row, (group, within) in zip(rows, numbers, strict=True)
    ]
