"""Answers drawn from a policy in memory, with their log-probabilities under it and under another model.

What an answer is drawn by is its prompt and the sampling's seed alone, neither the batch nor the state of torch's
generator, which a training goes on with.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from reasrm.inference.decoding import draw_batch
from reasrm.inference.engine import Prompt, Sampling, batches_by_tokens
from reasrm.inference.replies import DrawnTokens
from reasrm.inference.stop_tokens import StopTokens, end_of_turn_ids


class AnswerDrawing:
    """Draws answers in batches."""

    def __init__(self, tokenizer: Any, batch_size: int, batch_tokens: int) -> None:
        """Compute at most `batch_size` answers at a time, and at most `batch_tokens` tokens with padding.

        They are those of prompts while answers are drawn, and of prompts and answers for their log-probabilities.
        """
        self._tokenizer = tokenizer
        self._batch_size, self._batch_tokens = batch_size, batch_tokens

    def draw(self, model: Any, prompts: Sequence[Prompt], sampling: Sampling) -> list[DrawnTokens]:
        """One answer to each prompt, in their order; the model is left as it was found."""
        ends = end_of_turn_ids(model, self._tokenizer)
        stops = StopTokens(self._tokenizer, sampling.stop, model.get_output_embeddings().weight.shape[0], ends)
        pad = self._tokenizer.pad_token_id
        found: dict[int, DrawnTokens] = {}
        with evaluated(model):
            for places in self._batches([len(prompt.token_ids) for prompt in prompts]):
                batch = [prompts[place] for place in places]
                drawn = draw_batch(model, batch, sampling, stops, int(ends[0] if pad is None else pad))
                found |= zip(places, drawn, strict=True)
        return [found[place] for place in range(len(prompts))]

    def logprobs(self, model: Any, prompts: Sequence[Prompt], drawn: Sequence[Sequence[int]]) -> list[float]:
        """The log-probability (nats) of all tokens of each answer together, at temperature 1, under `model`."""
        found: dict[int, float] = {}
        whole = [len(prompt.token_ids) + len(answer) for prompt, answer in zip(prompts, drawn, strict=True)]
        with evaluated(model), torch.inference_mode():
            for places in self._batches(whole):  # each token has as many logits as the vocabulary has entries
                batch = [(prompts[place].token_ids, tuple(drawn[place])) for place in places]
                found |= zip(places, _logprobs(model, batch), strict=True)
        return [found[place] for place in range(len(prompts))]

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Places of sequences that are computed together, short ones first."""
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        in_order = [lengths[place] for place in order]
        for batch in batches_by_tokens(in_order, self._batch_size, self._batch_tokens):
            yield order[batch.start : batch.stop]


def _logprobs(model: Any, batch: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[float]:
    """Of each answer of a batch, padded on the right, where causal attention sees no padding."""
    width = max(len(prompt) + len(answer) for prompt, answer in batch)
    ids = [[*prompt, *answer] + [0] * (width - len(prompt) - len(answer)) for prompt, answer in batch]
    tokens = torch.tensor(ids, device=model.device)
    lengths = torch.tensor([len(prompt) + len(answer) for prompt, answer in batch], device=model.device)
    mask = (torch.arange(width, device=model.device) < lengths[:, None]).long()
    logits = model(input_ids=tokens, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    chosen = logits.gather(2, tokens[:, 1:, None])[:, :, 0] - logits.logsumexp(-1)  # [B, T - 1]
    return [
        float(row[len(prompt) - 1 : len(prompt) + len(answer) - 1].double().sum())
        for row, (prompt, answer) in zip(chosen, batch, strict=True)
    ]


@contextmanager
def evaluated(model: Any) -> Iterator[None]:
    """`model` without dropout and gradient checkpoints, which are training's; afterwards as before."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
