"""A key-value cache that grows in place: the library's own copies everything it holds at every token.

Keys and values lie in buffers with spare capacity, which are enlarged by half when full; rows of ended replies can be
dropped. Shapes: `[B, H, T, D]`, B sequences, H heads, T tokens, D dimensions of a head.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

LEAST_SPARE_TOKENS = 48
"""A buffer that is made or enlarged has room for at least so many more tokens."""


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers ships no types
    """One layer's keys and values, in buffers with spare capacity."""

    def __init__(self, most_tokens: int) -> None:
        """Start without a buffer; it will hold no more than `most_tokens`, so there is no spare capacity beyond."""
        super().__init__()
        self._most_tokens = most_tokens

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Start empty, with the shapes of what comes first."""
        super().lazy_initialization(key_states, value_states)
        self._key_buffer, self._value_buffer = key_states[:, :, :0], value_states[:, :, :0]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append `[B, H, new, D]` and return everything so far, `[B, H, T, D]`, as views of the buffers."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        used = self.get_seq_length()
        end = used + key_states.shape[2]
        if end > self._key_buffer.shape[2]:
            capacity = max(end, min(end + max(LEAST_SPARE_TOKENS, end // 2), self._most_tokens))
            self._key_buffer = _enlarged(self._key_buffer, used, capacity)
            self._value_buffer = _enlarged(self._value_buffer, used, capacity)
        self._key_buffer[:, :, used:end] = key_states
        self._value_buffer[:, :, used:end] = value_states
        self.keys, self.values = self._key_buffer[:, :, :end], self._value_buffer[:, :, :end]
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only the rows `indices`."""
        used = self.get_seq_length()
        self._key_buffer = self._key_buffer.index_select(0, indices)
        self._value_buffer = self._value_buffer.index_select(0, indices)
        self.keys, self.values = self._key_buffer[:, :, :used], self._value_buffer[:, :, :used]

    def append_rows(self, others: Sequence["GrowingLayer"]) -> None:
        """Put the rows of `others`, which hold as many tokens, below the own ones; the others are then empty."""
        self.keys = self._key_buffer = torch.cat([self.keys, *(other.keys for other in others)])
        self.values = self._value_buffer = torch.cat([self.values, *(other.values for other in others)])
        for other in others:  # or all layers would stand twice in memory until the last is joined
            other.keys = other._key_buffer = other.keys[:0].clone()
            other.values = other._value_buffer = other.values[:0].clone()


def growing_cache(config: Any, most_tokens: int) -> DynamicCache:
    """An empty cache for the model of `config`; layers with a sliding window or a recurrent state are the library's.

    `most_tokens` is the greatest length of a prompt with its reply.
    """
    cache = DynamicCache(config=config)
    cache.layers = [GrowingLayer(most_tokens) if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def can_be_joined(cache: DynamicCache) -> bool:
    """Whether `joined` knows how to join caches of this kind."""
    return all(isinstance(layer, GrowingLayer) for layer in cache.layers)


def joined(caches: Sequence[DynamicCache]) -> DynamicCache:
    """One cache with the rows of all, in order; all but a single one must be of a kind that can be joined."""
    whole, *others = caches
    if others:
        for number, layer in enumerate(whole.layers):
            layer.append_rows([other.layers[number] for other in others])
    return whole


def _enlarged(buffer: torch.Tensor, used: int, capacity: int) -> torch.Tensor:
    larger = buffer.new_empty((*buffer.shape[:2], capacity, buffer.shape[3]))
    larger[:, :, :used] = buffer[:, :, :used]
    return larger
