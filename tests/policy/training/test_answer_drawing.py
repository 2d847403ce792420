"""Answers drawn from a policy: by their own seed, with the probabilities that the model gives them."""

from typing import Any

import pytest
import torch

from reasrm.inference.checkpoint_loading import load_causal
from reasrm.inference.engine import Sampling
from reasrm.inference.prompt_rendering import render_all
from reasrm.policy.training.answer_drawing import AnswerDrawing
from reasrm.records.pair import Message, Role
from reasrm.records.policy import answer_of
from tests.fixtures.tiny_prompts import sentence

DRAWN = Sampling(max_new_tokens=12, temperature=1.0, top_p=1.0, seed=5, stop="")


@pytest.mark.parametrize(
    ("text", "mark", "answer"),
    [
        ("<think>2 + 2</think> 4", "</think>", "4"),
        ("a</think>b</think>c", "</think>", "c"),
        (" no thought ", "</think>", "no thought"),
        ("<think>cut off", "</think>", "<think>cut off"),
        ("a thought</think>", "</think>", ""),
        ("all</think> of it", "", "all</think> of it"),
    ],
)
def test_an_answer_follows_the_last_mark(text: str, mark: str, answer: str) -> None:
    assert answer_of(text, mark) == answer


def test_answers_depend_on_no_batch_and_are_as_likely_as_the_model_says(checkpoint: Any, tokenizer: Any) -> None:
    model = load_causal(checkpoint, dtype=torch.float32, attn_implementation="sdpa").train()
    conversations = [(Message(role=Role.USER, content=sentence(start, 3 + 4 * start)),) for start in range(5)]
    prompts = list(render_all(tokenizer, conversations).values())
    state = torch.random.get_rng_state()
    together = AnswerDrawing(tokenizer, 8, 4096).draw(model, prompts, DRAWN)
    alone = AnswerDrawing(tokenizer, 1, 4096).draw(model, prompts[::-1], DRAWN)[::-1]
    assert [one.token_ids for one in together] == [one.token_ids for one in alone]
    assert len({tuple(one.token_ids) for one in together}) > 1
    other = AnswerDrawing(tokenizer, 8, 4096).draw(model, prompts, DRAWN.model_copy(update={"seed": 6}))
    assert [one.token_ids for one in other] != [one.token_ids for one in together]
    drawn = [one.token_ids for one in together]
    for size in (1, 2, 8):
        found = AnswerDrawing(tokenizer, size, 4096).logprobs(model, prompts, drawn)
        assert found == pytest.approx([sum(one.logprobs or ()) for one in together], abs=1e-3)
    assert torch.equal(torch.random.get_rng_state(), state), "a training goes on with the generator it had"
    assert model.training
