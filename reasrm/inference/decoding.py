"""Generating replies from a causal language model with transformers' `generate`, a batch at a time.

Two things are ours and handed to `generate`: which token comes next, since each row draws by a seed of its own and so
does not depend on the batch, and when a reply has ended, since a stop text that is quoted or thought ends none
(docs/decisions/007-generate.md).

Letters: B sequences of the batch, T tokens of the longest prompt, V vocabulary entries.
"""

import random
from collections.abc import Sequence
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.replies import DrawnTokens
from reasrm.inference.stop_tokens import StopTokens
from reasrm.records.content_hash import unit_interval
from reasrm.records.reply import Finish


@torch.inference_mode()
def draw_batch(
    model: Any, prompts: Sequence[Prompt], sampling: Sampling, stops: StopTokens, pad_id: int
) -> list[DrawnTokens]:
    """Draw one reply per prompt, all prompts in one batch, padded on the left."""
    width = max(len(prompt.token_ids) for prompt in prompts)
    rows = [[pad_id] * (width - len(prompt.token_ids)) + list(prompt.token_ids) for prompt in prompts]
    mask = [[0] * (width - len(prompt.token_ids)) + [1] * len(prompt.token_ids) for prompt in prompts]
    config = GenerationConfig(
        max_new_tokens=sampling.max_new_tokens,
        do_sample=False,  # `_NextToken` draws
        eos_token_id=stops.end_ids or None,
        pad_token_id=pad_id,
        use_cache=True,
    )
    # What the checkpoint's publisher recommends (penalties, top-k) would fill in what is not set here.
    model.generation_config = config
    chosen, ended = _NextToken(prompts, sampling), _Ended(prompts, stops, width)
    sequences = model.generate(
        torch.tensor(rows, device=model.device),  # [B, T]
        attention_mask=torch.tensor(mask, device=model.device),
        generation_config=config,
        logits_processor=LogitsProcessorList([chosen]),
        stopping_criteria=StoppingCriteriaList([ended]),
    )
    logprobs = torch.stack(chosen.logprobs, dim=1).tolist()  # [B, steps]
    drawn = zip(sequences[:, width:].tolist(), logprobs, ended.lengths, strict=True)
    return [_drawn(ids, values, length) for ids, values, length in drawn]


def _drawn(ids: list[int], logprobs: list[float], length: int | None) -> DrawnTokens:
    """One row of what was generated; one that has not ended ran into the token limit."""
    kept = len(ids) if length is None else length
    return DrawnTokens(ids[:kept], logprobs[:kept], Finish.LENGTH if length is None else Finish.STOP, kept)


class _NextToken(LogitsProcessor):  # type: ignore[misc]  # transformers ships no types
    """Chooses each row's next token and keeps its log probability under the model itself (temperature 1)."""

    def __init__(self, prompts: Sequence[Prompt], sampling: Sampling) -> None:
        self._sampling = sampling
        self._generators = [random.Random(unit_interval("reply", sampling.seed, prompt.key)) for prompt in prompts]
        self.logprobs: list[torch.Tensor] = []
        """Of each step, `[B]`, nats."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Leave the likeliest token the likeliest, or make the drawn one the only one; `scores` are `[B, V]`."""
        greedy = self._sampling.temperature == 0
        tokens = scores.argmax(-1) if greedy else self._sampled(scores)
        self.logprobs.append(scores.gather(1, tokens[:, None])[:, 0] - scores.logsumexp(-1))
        return scores if greedy else torch.full_like(scores, -torch.inf).scatter(1, tokens[:, None], 0.0)

    def _sampled(self, scores: torch.Tensor) -> torch.Tensor:
        """Draw from the likeliest tokens with probability `top_p` together, by one uniform number per row."""
        probabilities, order = (scores.double() / self._sampling.temperature).softmax(-1).sort(dim=-1, descending=True)
        cumulated = probabilities.cumsum(-1)
        probabilities[(cumulated - probabilities) >= self._sampling.top_p] = 0.0
        cumulated = probabilities.cumsum(-1)
        uniform = torch.tensor([generator.random() for generator in self._generators], dtype=torch.float64)
        drawn = uniform.to(scores.device) * cumulated[:, -1]
        places = torch.searchsorted(cumulated, drawn[:, None], right=True)
        return order.gather(1, places.clamp(max=scores.shape[1] - 1))[:, 0]


class _Ended(StoppingCriteria):  # type: ignore[misc]  # transformers ships no types
    """Ends a reply with an end-of-turn token, or behind a stop text that is neither quoted nor thought."""

    def __init__(self, prompts: Sequence[Prompt], stops: StopTokens, width: int) -> None:
        self._heads = [prompt.head for prompt in prompts]
        self._stops = stops
        self._width = width
        self.lengths: list[int | None] = [None] * len(prompts)
        """Tokens of each reply that has ended."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Which rows have ended, `[B]`; `input_ids` are prompts and replies so far."""
        last = input_ids[:, -1].cpu()
        ends, may_stop = self._stops.ends_turn[last].tolist(), self._stops.may_stop[last].tolist()
        for row, (end, look) in enumerate(zip(ends, may_stop, strict=True)):
            if self.lengths[row] is None and (end or (look and self._reached(row, input_ids))):
                self.lengths[row] = input_ids.shape[1] - self._width
        return torch.tensor([length is not None for length in self.lengths], device=input_ids.device)

    def _reached(self, row: int, input_ids: torch.Tensor) -> bool:
        return self._stops.reached(input_ids[row, self._width :].tolist(), self._heads[row])
