"""Run by each of two processes: what they train on after replacing groups is what was sampled, in parts, and earned.

A group's prompt, replies, rewards and advantages must belong together wherever its rows lie.
"""

import sys
from pathlib import Path

import torch
from accelerate.utils import gather_object

from reasrm.records.jsonl import read_records
from reasrm.records.rollout import RolloutGroup
from reasrm.training.grpo.group_trainer import in_both_orders
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.grpo.rollout_samples import FILE
from tests.training.grpo.group_trainers import earned, lively, settings, trainer


def main() -> None:
    """Sample one generation and hold what comes out against the rewards of its own tokens."""
    launch = {"processes": 2, "strategy": "ddp"}
    in_parts = {"engine": "transformers", "batch_size": 4}
    groups = {"zero_signal_groups": "replace", "most_extra_generations": 50, "orders": "both_in_group"}
    chosen = settings(launch=launch, rollouts=in_parts, **groups)
    made = trainer(Path(sys.argv[1]), chosen)
    rank = made.accelerator.process_index
    torch.manual_seed(rank)
    rows = [dict(made.train_dataset[at]) for at in range(3) for _ in range(4)][rank * 6 : rank * 6 + 6]
    batch = made._generate_and_score_completions(rows)
    pairs = zip(batch["completion_ids"], batch["completion_mask"].bool(), strict=True)
    ids = [row[mask].tolist() for row, mask in pairs]
    prompts = [row["prompt"] for row in made._rows]
    rendered = [
        made.processing_class.apply_chat_template(at, tokenize=False, add_generation_prompt=True) for at in prompts
    ]
    shown = zip(batch["prompt_ids"], batch["prompt_mask"].bool(), strict=True)
    assert [made.processing_class.decode(row[mask]) for row, mask in shown] == rendered
    rewards = torch.tensor(gather_object(earned(ids, prompts))).view(-1, 4)
    assert torch.equal(rewards.flatten(), made._terms[:, 0])
    expected = (rewards - rewards.mean(1, True)) / (rewards.std(1, keepdim=True) + 1e-4)
    assert torch.allclose(batch["advantages"], expected.flatten()[rank * 6 : rank * 6 + 6], atol=1e-5)
    assert made._metrics["train"]["groups/replaced"][0] > 0
    kept = [*read_records(Path(sys.argv[1]) / FILE, RolloutGroup)]
    own = zip(made._rows, ids, strict=True)
    chats = gather_object([(row["pair_id"], row["better"], len(sampled)) for row, sampled in own])
    scored = [(*chat, reward) for chat, reward in zip(chats, rewards.flatten().tolist(), strict=True)]
    assert len(kept) == 2
    for group in kept:
        told = [(one.better.value, one.reply.completion_tokens, one.reward) for one in group.rollouts]
        assert [(group.comparison.pair_id, *one) for one in told] in [scored[at : at + 4] for at in (0, 4, 8)]
    assert all(gather_object([lively(prompt) for prompt in prompts]))
    assert batch["num_items_in_batch"].item() == sum(map(len, gather_object(ids)))
    written = [f"<answer>[[{side}]]</answer>" for side in "AABBAABBAAAA"]  # the middle group lies in both processes
    halves = in_both_orders(rows, rank * 6, 4)
    agreed = REWARD_TERMS["consistency"](
        completions=[[{"role": "assistant", "content": reply}] for reply in written[rank * 6 : rank * 6 + 6]],
        log_metric=lambda name, value: None,
        **{name: [row[name] for row in halves] for name in ("better", "group")},
    )
    assert gather_object(agreed) == [1.0] * 8 + [-1.0] * 4
    print("agree", flush=True)


if __name__ == "__main__":
    main()
