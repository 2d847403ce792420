"""Drawing replies token by token from a causal language model, a batch at a time.

The library's `generate` spends most of its time around the model when the model is small: it copies the whole cache at
every token and keeps computing replies that have ended. Here the cache grows in place, prompts are read in small groups
(so that activations stay in the processor's cache), and ended rows are dropped. Greedy tokens are the same as
`generate`'s (tests/inference/test_decoding.py); speed: benchmarks/judge_engines.py.

Letters: B sequences of the batch, T tokens of the longest prompt, V vocabulary entries.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.growing_cache import can_be_roomy, joined, new_cache
from reasrm.inference.replies import DrawnTokens
from reasrm.inference.stop_tokens import StopTokens
from reasrm.records.content_hash import unit_interval
from reasrm.records.reply import Finish

PREFILL_TOKENS = 4096
"""Prompts are read in groups of about so many tokens."""
DROP_SHARE = 0.8
"""Ended rows are dropped when at most this share of the rows is still being written."""


@dataclass
class _Row:
    """One reply in the making."""

    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: Finish | None = None
    dice: random.Random | None = None
    """Draws of this reply, from its own prompt and seed: they do not depend on the batch."""
    head: str = ""
    """Text with which the reply begins, before anything is drawn."""


@torch.inference_mode()
def draw_batch(
    model: Any, prompts: Sequence[Prompt], sampling: Sampling, stops: StopTokens, pad_id: int
) -> list[DrawnTokens]:
    """Draw one reply per prompt, all prompts in one batch, padded on the left."""
    rows = [_Row(dice=_dice(sampling, prompt), head=prompt.head) for prompt in prompts]
    lengths = _lengths(model, prompts)
    cache, logits = _read_prompts(model, prompts, pad_id)
    live = list(range(len(rows)))
    mask = _mask(lengths)
    for step in range(sampling.max_new_tokens):
        drawn, logprobs = _draw(logits, [rows[index].dice for index in live], sampling)
        _record([rows[index] for index in live], drawn, logprobs, stops)
        going = [place for place, index in enumerate(live) if rows[index].finish is None]
        if not going or step + 1 == sampling.max_new_tokens:
            break
        if len(going) <= DROP_SHARE * len(live):
            kept = torch.tensor(going, device=drawn.device)
            cache.batch_select_indices(kept)
            live, drawn = [live[place] for place in going], drawn[kept]
            mask = None if mask is None else mask[kept]
        if mask is not None:
            mask = torch.cat((mask, mask.new_ones((len(live), 1))), dim=1)
        logits = _next_logits(model, drawn, lengths[live] + step, cache, mask)
    return [_drawn(row) for row in rows]


def _read_prompts(model: Any, prompts: Sequence[Prompt], pad_id: int) -> tuple[Any, torch.Tensor]:
    """The cache filled with all prompts, and the logits behind each, `[B, V]`."""
    longest = max(len(prompt.token_ids) for prompt in prompts)
    group = max(1, PREFILL_TOKENS // longest) if can_be_roomy(new_cache(model.config)) else len(prompts)
    caches, logits = [], []
    for start in range(0, len(prompts), group):
        part = prompts[start : start + group]
        padded = [[pad_id] * (longest - len(prompt.token_ids)) + list(prompt.token_ids) for prompt in part]
        lengths = _lengths(model, part)
        mask = _mask(lengths, longest)
        positions = (torch.arange(longest, device=model.device) - (longest - lengths)[:, None]).clamp(min=0)
        cache = new_cache(model.config)
        read = model(
            input_ids=torch.tensor(padded, device=model.device),  # [B, T]
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        caches.append(cache)
        logits.append(read.logits[:, -1])
    return joined(caches), torch.cat(logits)


def _lengths(model: Any, prompts: Sequence[Prompt]) -> torch.Tensor:
    return torch.tensor([len(prompt.token_ids) for prompt in prompts], device=model.device)


def _mask(lengths: torch.Tensor, longest: int | None = None) -> torch.Tensor | None:
    """1 for tokens, 0 for the padding left of them, `[B, T]`; None where nothing is padded."""
    width = int(lengths.max()) if longest is None else longest
    if bool((lengths == width).all()):
        return None
    return (torch.arange(width, device=lengths.device) >= (width - lengths)[:, None]).long()


def _next_logits(
    model: Any, drawn: torch.Tensor, positions: torch.Tensor, cache: Any, mask: torch.Tensor | None
) -> torch.Tensor:
    """The logits behind the tokens just drawn, `[B, V]`."""
    step = model(
        input_ids=drawn[:, None],
        attention_mask=mask,
        position_ids=positions[:, None],
        past_key_values=cache,
        use_cache=True,
    )
    logits: torch.Tensor = step.logits[:, -1]
    return logits


def _draw(
    logits: torch.Tensor, dice: Sequence[random.Random | None], sampling: Sampling
) -> tuple[torch.Tensor, list[float]]:
    """The next token of each row, `[B]`, and its log probability under the model itself (temperature 1)."""
    scores = logits.float()
    tokens = scores.argmax(-1) if sampling.temperature == 0 else _sample(scores, dice, sampling)
    logprobs = scores.gather(1, tokens[:, None])[:, 0] - scores.logsumexp(-1)
    values: list[float] = logprobs.tolist()
    return tokens, values


def _sample(scores: torch.Tensor, dice: Sequence[random.Random | None], sampling: Sampling) -> torch.Tensor:
    """Draw from the likeliest tokens with probability `top_p` together, one die throw per row."""
    probabilities, order = (scores.double() / sampling.temperature).softmax(-1).sort(dim=-1, descending=True)
    reached = probabilities.cumsum(-1)
    probabilities[(reached - probabilities) >= sampling.top_p] = 0.0
    reached = probabilities.cumsum(-1)
    throws = torch.tensor([0.0 if die is None else die.random() for die in dice], dtype=torch.float64).to(scores.device)
    places = torch.searchsorted(reached, (throws * reached[:, -1])[:, None], right=True)
    return order.gather(1, places.clamp(max=scores.shape[1] - 1))[:, 0]


def _record(rows: Sequence[_Row], drawn: torch.Tensor, logprobs: Sequence[float], stops: StopTokens) -> None:
    tokens = drawn.cpu()
    ends, looks = stops.ends_turn[tokens].tolist(), stops.may_stop[tokens].tolist()
    for row, token, logprob, end, look in zip(rows, tokens.tolist(), logprobs, ends, looks, strict=True):
        if row.finish is not None:
            continue
        row.token_ids.append(token)
        row.logprobs.append(logprob)
        if end or (look and stops.reached(row.token_ids, row.head)):
            row.finish = Finish.STOP


def _drawn(row: _Row) -> DrawnTokens:
    return DrawnTokens(
        token_ids=row.token_ids,
        logprobs=row.logprobs,
        finish=row.finish or Finish.LENGTH,
        completion_tokens=len(row.token_ids),
    )


def _dice(sampling: Sampling, prompt: Prompt) -> random.Random | None:
    if sampling.temperature == 0:
        return None
    return random.Random(unit_interval("reply", sampling.seed, prompt.key))
