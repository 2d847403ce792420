"""Generating replies token by token from a causal language model, a batch at a time.

Greedy tokens are the same as those of transformers' `generate` (tests/inference/test_decoding.py). Why it is not used:
docs/decisions/007-own-decode-loop.md. Here prompts are read in small groups, the cache grows in place, rows of ended
replies are dropped, a reply ends at a stop text only where that is neither quoted nor thought, and each row draws by a
seed of its own.

Letters: B sequences of the batch, T tokens of the longest prompt, V vocabulary entries.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.growing_cache import can_be_joined, growing_cache, joined
from reasrm.inference.replies import DrawnTokens
from reasrm.inference.stop_tokens import StopTokens
from reasrm.records.content_hash import unit_interval
from reasrm.records.reply import Finish

PREFILL_TOKENS = 4096
"""Prompts are read in groups of about so many tokens, so that activations stay in the processor's cache."""
DROP_SHARE = 0.8
"""Rows of ended replies are dropped when at most this share of the rows is unfinished."""


@dataclass
class _Row:
    """One reply being generated."""

    head: str
    """Text with which the reply begins, before anything is drawn."""
    generator: random.Random | None
    """For this reply's draws, seeded by its own prompt: they do not depend on the batch. None where greedy."""
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: Finish | None = None

    def drawn(self) -> DrawnTokens:
        """What was drawn; a reply that has not ended ran into the token limit."""
        return DrawnTokens(self.token_ids, self.logprobs, self.finish or Finish.LENGTH, len(self.token_ids))


@torch.inference_mode()
def draw_batch(
    model: Any, prompts: Sequence[Prompt], sampling: Sampling, stops: StopTokens, pad_id: int
) -> list[DrawnTokens]:
    """Draw one reply per prompt, all prompts in one batch, padded on the left."""
    rows = [_Row(prompt.head, _generator(sampling, prompt)) for prompt in prompts]
    lengths = _lengths(model, prompts)
    cache, logits = _read_prompts(model, prompts, pad_id, sampling.max_new_tokens)
    active = list(range(len(rows)))  # the rows still in the batch, by their number
    mask = _mask(lengths, int(lengths.max()))
    for step in range(sampling.max_new_tokens):
        tokens, logprobs = _next_tokens(logits, [rows[number].generator for number in active], sampling)
        _append([rows[number] for number in active], tokens, logprobs, stops)
        unfinished = [place for place, number in enumerate(active) if rows[number].finish is None]
        if not unfinished or step + 1 == sampling.max_new_tokens:
            break
        if len(unfinished) <= DROP_SHARE * len(active):
            kept = torch.tensor(unfinished, device=tokens.device)
            cache.batch_select_indices(kept)
            active, tokens = [active[place] for place in unfinished], tokens[kept]
            mask = None if mask is None else mask[kept]
        if mask is not None:
            mask = torch.cat((mask, mask.new_ones((len(active), 1))), dim=1)
        logits = _next_logits(model, tokens, lengths[active] + step, cache, mask)
    return [row.drawn() for row in rows]


@torch.inference_mode()
def next_logits(model: Any, prompts: Sequence[Prompt], pad_id: int) -> torch.Tensor:
    """The logits behind each prompt, `[B, V]`; prompts that share a length limit of memory are read in groups."""
    return _read_prompts(model, prompts, pad_id, 1)[1].float()


def _read_prompts(
    model: Any, prompts: Sequence[Prompt], pad_id: int, reply_tokens: int
) -> tuple[DynamicCache, torch.Tensor]:
    """The cache filled with all prompts, with room for `reply_tokens` more, and the logits behind each, `[B, V]`."""
    longest = max(len(prompt.token_ids) for prompt in prompts)
    most = longest + reply_tokens
    size = max(1, PREFILL_TOKENS // longest) if can_be_joined(growing_cache(model.config, most)) else len(prompts)
    caches, logits = [], []
    for start in range(0, len(prompts), size):
        group = prompts[start : start + size]
        padded = [[pad_id] * (longest - len(prompt.token_ids)) + list(prompt.token_ids) for prompt in group]
        lengths = _lengths(model, group)
        cache = growing_cache(model.config, most)
        output = model(
            input_ids=torch.tensor(padded, device=model.device),  # [B, T]
            attention_mask=_mask(lengths, longest),
            position_ids=(torch.arange(longest, device=model.device) - (longest - lengths)[:, None]).clamp(min=0),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        caches.append(cache)
        logits.append(output.logits[:, -1])
    return joined(caches), torch.cat(logits)


def _lengths(model: Any, prompts: Sequence[Prompt]) -> torch.Tensor:
    return torch.tensor([len(prompt.token_ids) for prompt in prompts], device=model.device)


def _mask(lengths: torch.Tensor, width: int) -> torch.Tensor | None:
    """1 for tokens, 0 for the padding left of them, `[B, width]`; None where nothing is padded."""
    if bool((lengths == width).all()):
        return None
    return (torch.arange(width, device=lengths.device) >= (width - lengths)[:, None]).long()


def _next_logits(
    model: Any, tokens: torch.Tensor, positions: torch.Tensor, cache: DynamicCache, mask: torch.Tensor | None
) -> torch.Tensor:
    """The logits behind the tokens just drawn, `[B, V]`."""
    output = model(
        input_ids=tokens[:, None],
        attention_mask=mask,
        position_ids=positions[:, None],
        past_key_values=cache,
        use_cache=True,
    )
    logits: torch.Tensor = output.logits[:, -1]
    return logits


def _next_tokens(
    logits: torch.Tensor, generators: Sequence[random.Random | None], sampling: Sampling
) -> tuple[torch.Tensor, list[float]]:
    """The next token of each row, `[B]`, and its log probability under the model itself (temperature 1)."""
    scores = logits.float()
    tokens = scores.argmax(-1) if sampling.temperature == 0 else _sample(scores, generators, sampling)
    logprobs = scores.gather(1, tokens[:, None])[:, 0] - scores.logsumexp(-1)
    values: list[float] = logprobs.tolist()
    return tokens, values


def _sample(scores: torch.Tensor, generators: Sequence[random.Random | None], sampling: Sampling) -> torch.Tensor:
    """Draw from the likeliest tokens with probability `top_p` together, by one uniform number per row."""
    probabilities, order = (scores.double() / sampling.temperature).softmax(-1).sort(dim=-1, descending=True)
    cumulated = probabilities.cumsum(-1)
    probabilities[(cumulated - probabilities) >= sampling.top_p] = 0.0
    cumulated = probabilities.cumsum(-1)
    uniform = torch.tensor([0.0 if one is None else one.random() for one in generators], dtype=torch.float64)
    drawn = uniform.to(scores.device) * cumulated[:, -1]
    places = torch.searchsorted(cumulated, drawn[:, None], right=True)
    return order.gather(1, places.clamp(max=scores.shape[1] - 1))[:, 0]


def _append(rows: Sequence[_Row], drawn: torch.Tensor, logprobs: Sequence[float], stops: StopTokens) -> None:
    """Add one token to each unfinished row, and note which rows it ends."""
    tokens = drawn.cpu()
    ends, may_stop = stops.ends_turn[tokens].tolist(), stops.may_stop[tokens].tolist()
    for row, token, logprob, end, look in zip(rows, tokens.tolist(), logprobs, ends, may_stop, strict=True):
        if row.finish is not None:
            continue
        row.token_ids.append(token)
        row.logprobs.append(logprob)
        if end or (look and stops.reached(row.token_ids, row.head)):
            row.finish = Finish.STOP


def _generator(sampling: Sampling, prompt: Prompt) -> random.Random | None:
    if sampling.temperature == 0:
        return None
    return random.Random(unit_interval("reply", sampling.seed, prompt.key))
