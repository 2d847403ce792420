"""Replies that are sampled some at a time are those that are sampled at once, and stay beside their prompts."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.grpo.group_trainers import settings, trainer

NEARLY_GREEDY = 1.0e-5
"""A temperature at which the likeliest token is drawn."""


def in_parts(size: int | None) -> dict[str, Any]:
    return {"rollouts": {"engine": "transformers", "batch_size": size}}


@pytest.mark.slow
def test_in_parts_nearly_greedy_replies_are_those_sampled_at_once(tmp_path: Path) -> None:
    """Prompts of different lengths, so that the parts are padded otherwise; the last part is smaller."""
    random = torch.Generator().manual_seed(0)
    prompts = [torch.randint(5, 300, (length,), generator=random).tolist() for length in range(3, 15)]
    replies = {}
    for size, expected in ((None, [12]), (5, [5, 5, 2]), (1, [1] * 12), (12, [12])):
        made = trainer(tmp_path, settings(temperature=NEARLY_GREEDY, **in_parts(size)))
        at_once: list[int] = []
        generate = made.model.generate
        made.model.generate = lambda *, seen=at_once, call=generate, **named: (
            seen.append(len(named["input_ids"])) or call(**named)
        )
        replies[size], probabilities = made._generate_single_turn(prompts, None, {}, 4)
        assert probabilities is None
        assert at_once == expected
    assert replies[None] == replies[5] == replies[1] == replies[12]
    assert len({tuple(reply) for reply in replies[None]}) > 6


@pytest.mark.slow
def test_a_part_as_large_as_the_share_draws_what_no_parts_draw(tmp_path: Path) -> None:
    drawn = []
    for size in (None, 12, 4):
        made = trainer(tmp_path, settings(**in_parts(size)))
        torch.manual_seed(3)
        drawn.append(made._generate([made.train_dataset[at // 4]["prompt"] for at in range(12)])[1])
    assert drawn[0] == drawn[1] != drawn[2]
