"""Groups without signal are left out as if they had not been there, or replaced; both orders make one group."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.group_settings import GrpoLoss
from reasrm.training.grpo.group_trainer import BY_REPLIES, BY_TOKENS, groups_with_signal, in_both_orders
from tests.training.grpo.group_trainers import lively, settings, trainer
from tests.training.stage_runs import ROOT

SIZE, ROWS, TOKENS = 4, 12, 5


def test_a_group_has_signal_if_its_weighted_rewards_differ() -> None:
    terms = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    assert groups_with_signal(terms, torch.tensor([0.5, 0.5]), 2).tolist() == [False, False, True]
    assert groups_with_signal(terms, torch.tensor([0.5, 0.2]), 2).tolist() == [True, False, True]
    assert groups_with_signal(terms, torch.tensor([0.1, 0.1]), 3).tolist() == [True, True]


def test_half_of_a_group_sees_each_order_wherever_a_process_begins() -> None:
    rows = [{"prompt": name, "better": "A", "swapped": {"prompt": name.upper(), "better": "B"}} for name in "aaaabbbb"]
    shown = "".join(row["prompt"] for row in in_both_orders(rows, 0, 4))
    assert shown == "aaAAbbBB"
    assert "".join(row["prompt"] for start in (0, 3) for row in in_both_orders(rows[start:], start, 4)[:3]) == "aaAAbb"
    assert [row["better"] for row in in_both_orders(rows, 0, 4)] == list("AABBAABB")


def scored(middle: int) -> dict[str, Any]:
    """What TRL hands from sampling to the loss, for three groups; the middle one earned `middle` at its first reply."""
    random = torch.Generator().manual_seed(1)
    rewards = torch.tensor([1.0, -1, -1, 1, middle, 1, 1, 1, -1, 1, 1, 1])
    grouped = rewards.view(-1, SIZE)
    advantages = ((grouped - grouped.mean(1, True)) / (grouped.std(1, keepdim=True) + 1e-4)).flatten()
    lengths = torch.tensor([5, 2, 3, 4, 1, 5, 5, 4, 2, 2, 3, 1])
    mask = (torch.arange(TOKENS) < lengths[:, None]).long()
    return {
        "prompt_ids": torch.randint(5, 300, (ROWS, 6), generator=random),
        "prompt_mask": torch.ones(ROWS, 6, dtype=torch.long),
        "completion_ids": torch.randint(5, 300, (ROWS, TOKENS), generator=random),
        "completion_mask": mask,
        "advantages": advantages,
        "num_items_in_batch": mask.sum(),
        "old_per_token_logps": -6.5 - torch.rand(ROWS, TOKENS, generator=random),
        "ref_per_token_logps": -6.5 - torch.rand(ROWS, TOKENS, generator=random),
    }


def without_the_middle(batch: dict[str, Any]) -> dict[str, Any]:
    rows = [0, 1, 2, 3, 8, 9, 10, 11]
    left = {name: tensor[rows] for name, tensor in batch.items() if tensor.ndim}
    return left | {"num_items_in_batch": left["completion_mask"].sum()}


def loss_and_gradient(made: Any, batch: dict[str, Any]) -> tuple[float, torch.Tensor]:
    made.model.zero_grad()
    loss = made._compute_loss(made.model, batch)
    loss.backward()
    return loss.item(), torch.cat([weight.grad.flatten() for weight in made.model.parameters()])


@pytest.mark.slow
@pytest.mark.parametrize("loss", GrpoLoss)
def test_a_dropped_group_changes_the_loss_as_if_it_had_not_been_there(loss: GrpoLoss, tmp_path: Path) -> None:
    """For each loss: its value, and the gradient of every weight; the kept group does change both."""
    dropping = trainer(tmp_path, settings(loss_type=loss, zero_signal_groups="drop"))
    dropping._terms = torch.tensor([[1.0], [-1], [-1], [1], [1], [1], [1], [1], [-1], [1], [1], [1]])
    whole = scored(middle=1)
    value, gradient = loss_and_gradient(dropping, dropping._with_signal_alone(whole))
    left_value, left_gradient = loss_and_gradient(dropping, without_the_middle(whole))
    kept_value, kept_gradient = loss_and_gradient(dropping, whole)
    assert value == pytest.approx(left_value, rel=1e-5)
    assert torch.allclose(gradient, left_gradient, rtol=1e-4, atol=1e-7)
    assert value != pytest.approx(kept_value, rel=1e-2)
    assert not torch.allclose(gradient, kept_gradient, rtol=1e-2, atol=1e-7)
    assert dropping._metrics["train"]["groups/without_signal"] == [pytest.approx(1 / 3)]
    assert (loss in BY_TOKENS) + (loss in BY_REPLIES) + (loss is GrpoLoss.BNPO) == 1


@pytest.mark.slow
@pytest.mark.parametrize("loss", [GrpoLoss.GRPO, GrpoLoss.DAPO, GrpoLoss.DR_GRPO])
def test_the_losses_divide_by_what_their_equations_say(loss: GrpoLoss, tmp_path: Path) -> None:
    """Eq. 9 of RM-R1, DAPO's and Dr. GRPO's, over the replies that are left, in two forward passes of one step."""
    made = trainer(tmp_path, settings(loss_type=loss, zero_signal_groups="drop", micro_batch_size=6))
    made._terms = torch.tensor([[1.0], [-1], [-1], [1], [1], [1], [1], [1], [-1], [1], [1], [1]])
    batch = made._with_signal_alone(scored(middle=1))
    passes = [
        {name: tensor[start : start + 6] if tensor.ndim else tensor for name, tensor in batch.items()}
        for start in (0, 6)
    ]
    value = sum(made._compute_loss(made.model, part).item() for part in passes)
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    attention = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    logits = made.model(input_ids=ids, attention_mask=attention).logits[:, 5:-1]
    logps = logits.log_softmax(-1).gather(2, batch["completion_ids"][:, :, None])[:, :, 0]
    ratio, advantage = (logps - batch["old_per_token_logps"]).exp(), batch["advantages"][:, None]
    gap = batch["ref_per_token_logps"] - logps
    clipped = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
    tokens = (0.1 * (gap.exp() - gap - 1) - clipped)[[0, 1, 2, 3, 8, 9, 10, 11]]
    mask = batch["completion_mask"][[0, 1, 2, 3, 8, 9, 10, 11]]
    expected = {
        GrpoLoss.GRPO: ((tokens * mask).sum(1) / mask.sum(1)).mean(),
        GrpoLoss.DAPO: (tokens * mask).sum() / mask.sum(),
        GrpoLoss.DR_GRPO: (tokens * mask).sum() / (8 * TOKENS),
    }
    assert value == pytest.approx(expected[loss].item(), rel=1e-5)


@pytest.mark.slow
def test_without_any_signal_nothing_is_learnt(tmp_path: Path) -> None:
    made = trainer(tmp_path, settings(loss_type="grpo", zero_signal_groups="drop"))
    made._terms = torch.ones(ROWS, 1)
    value, gradient = loss_and_gradient(made, made._with_signal_alone(scored(middle=1)))
    assert value == 0.0
    assert not gradient.any()


def sampled(made: Any, first: int = 0) -> tuple[dict[str, Any], list[str]]:
    """What a generation on the dataset's prompts from `first` on gives, and the prompts that were trained on."""
    rows = [dict(made.train_dataset[at]) for at in range(first, first + ROWS // SIZE) for _ in range(SIZE)]
    batch = made._generate_and_score_completions(rows)
    pairs = zip(batch["prompt_ids"], batch["prompt_mask"], strict=True)
    return batch, [made.processing_class.decode(ids[mask.bool()]) for ids, mask in pairs]


@pytest.mark.slow
def test_groups_are_replaced_within_the_budget_and_the_rest_is_dropped(tmp_path: Path) -> None:
    made = trainer(tmp_path, settings(zero_signal_groups="replace", most_extra_generations=50))
    batch, prompts = sampled(made)
    assert not all(lively(made.train_dataset[at]["prompt"]) for at in range(3)), "nothing to replace"
    assert batch["tool_mask"].all()
    assert batch["share_in_loss"] == 1.0
    assert (batch["advantages"].view(-1, SIZE).abs().amax(1) > 0.5).all()
    assert [len(set(prompts[start : start + SIZE])) for start in (0, 4, 8)] == [1, 1, 1]
    rendered = {
        made.processing_class.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
        for row in made.train_dataset
        if lively(row["prompt"])
    }
    assert set(prompts) <= rendered
    logged = {name: values for name, values in made._metrics["train"].items() if name.startswith("groups/")}
    dull = sum(not lively(made.train_dataset[at]["prompt"]) for at in range(3))
    assert logged["groups/without_signal"] == [pytest.approx(dull / 3)]
    assert logged["groups/replaced"] == [dull]
    assert logged["groups/dropped"] == [0]
    assert logged["groups/replies_sampled"][0] >= ROWS + dull * SIZE
    assert len(made._metrics["train"]["completions/mean_length"]) == 1, "curves show the prompts as they came"

    scarce = trainer(tmp_path, settings(zero_signal_groups="replace", most_extra_generations=1), prompts=3)
    batch, _ = sampled(scarce)
    left = scarce._metrics["train"]["groups/dropped"][0]
    assert scarce._metrics["train"]["groups/generations"] == [2]
    assert 1 - batch["share_in_loss"].item() == pytest.approx(left / 3)
    assert (batch["tool_mask"].sum(1) == 0).sum() == left * SIZE


@pytest.mark.slow
def test_further_prompts_depend_on_the_step_alone(tmp_path: Path) -> None:
    made = trainer(tmp_path, settings(zero_signal_groups="replace", most_extra_generations=1))
    prompts = {}
    for step in (3, 4, 3):
        made.state.global_step = step
        prompts.setdefault(step, []).append([next(made._further_rows())["prompt"] for _ in range(2)])
    rows = made._further_rows()
    assert prompts[3][0] == prompts[3][1] != prompts[4][0]
    assert len({str(next(rows)["prompt"]) for _ in range(80)}) == 40, "all prompts, before one comes again"


@pytest.mark.slow
def test_a_group_of_both_orders_is_judged_by_one_mean(tmp_path: Path) -> None:
    made = trainer(tmp_path, settings(orders="both_in_group", zero_signal_groups="drop"))
    batch, prompts = sampled(made)
    for start in (0, 4, 8):
        one, two = set(prompts[start : start + 2]), set(prompts[start + 2 : start + 4])
        assert len(one) == len(two) == 1
        assert one != two
    assert batch["advantages"].view(-1, SIZE).sum(1).abs().max() < 1e-3


@pytest.mark.slow
def test_the_share_without_signal_is_of_groups_however_rewards_are_scaled(tmp_path: Path) -> None:
    """TRL's is 0 as soon as two groups of a batch differ, and `steps_without_signal` would never be reached."""
    made = trainer(tmp_path, settings(scale_rewards="batch"), prompts=9)
    dull = [not lively(row["prompt"]) for row in made.train_dataset]
    first = next(at for at in range(7) if 0 < sum(dull[at : at + 3]) < 3)
    sampled(made, first)
    assert made._metrics["train"]["frac_reward_zero_std"] == [pytest.approx(sum(dull[first : first + 3]) / 3)]
    assert made._metrics["train"]["reward_std"][0] > 0


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", [2, 3, 5, 7])
def test_a_killed_run_goes_on_exactly_in_whatever_epoch_and_takes_no_step_too_many(
    tmp_path: Path, killed_after: int
) -> None:
    """Three steps are an epoch; seven are all: TRL begins with the first order again, and takes an eighth step."""
    chosen = settings(steps=7)
    made = trainer(tmp_path, chosen, prompts=9)
    made.train()
    again = trainer(tmp_path, chosen, prompts=9)
    again.train(resume_from_checkpoint=str(tmp_path / f"work/checkpoint-{killed_after}"))
    assert again.state.global_step == 7
    weights = dict(made.model.named_parameters())
    assert all(torch.equal(weight, weights[name]) for name, weight in again.model.named_parameters())


@pytest.mark.slow
def test_lost_weights_are_named_when_they_sample(tmp_path: Path) -> None:
    made = trainer(tmp_path, settings())
    next(made.model.parameters()).data.fill_(float("nan"))
    with pytest.raises(StageError, match=r"step 1: the model's probabilities are no numbers .* lower `learning_rate`"):
        sampled(made)


@pytest.mark.slow
def test_what_would_be_scaled_with_the_rest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"drop with loss_type: grpo would scale the entropy bonus"):
        trainer(tmp_path, settings(loss_type="grpo", zero_signal_groups="drop", trl={"entropy_coef": 0.1}))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_exchange_the_groups_that_they_sampled(tmp_path: Path) -> None:
    """Three groups of four over two processes: the middle one lies in both."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [*command, "tests.training.grpo.groups_in_two_processes", str(tmp_path)],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.count("agree") == 2
