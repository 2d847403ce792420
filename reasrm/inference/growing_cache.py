"""A key-value cache that grows in place: the library's own copies everything it holds at every token.

Keys and values lie in buffers with spare capacity, which are enlarged by half when full; rows of ended replies can be
dropped. Shapes: `[B, H, T, D]`, B sequences, H heads, T tokens, D dimensions of a head.
"""

from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

LEAST_SPARE_TOKENS = 48
"""A buffer that is enlarged gets room for at least so many more tokens."""


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers ships no types
    """One layer's keys and values, in buffers with spare capacity."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Start with the keys and values of the prompts, `[B, H, T, D]`."""
        super().__init__()
        self.lazy_initialization(keys, values)
        self.keys, self.values = keys, values
        self._key_buffer, self._value_buffer = keys, values

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append `[B, H, new, D]` and return everything so far, `[B, H, T, D]`, as views of the buffers."""
        used = self.keys.shape[2]
        end = used + key_states.shape[2]
        if end > self._key_buffer.shape[2]:
            capacity = end + max(LEAST_SPARE_TOKENS, end // 2)
            self._key_buffer = _enlarged(self.keys, capacity)
            self._value_buffer = _enlarged(self.values, capacity)
        self._key_buffer[:, :, used:end] = key_states
        self._value_buffer[:, :, used:end] = value_states
        self.keys, self.values = self._key_buffer[:, :, :end], self._value_buffer[:, :, :end]
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only the rows `indices`."""
        used = self.keys.shape[2]
        self._key_buffer = self._key_buffer.index_select(0, indices)
        self._value_buffer = self._value_buffer.index_select(0, indices)
        self.keys, self.values = self._key_buffer[:, :, :used], self._value_buffer[:, :, :used]


def can_grow(cache: DynamicCache) -> bool:
    """Whether every layer of a cache attends to all tokens (no sliding window, no recurrent state)."""
    return all(type(layer) in (DynamicLayer, GrowingLayer) for layer in cache.layers)


def growing_cache(parts: list[DynamicCache]) -> DynamicCache:
    """One cache whose rows are the rows of `parts`, in order, and which grows in place where that is possible.

    A cache that cannot grow in place must come as a single part and is returned as it is.
    """
    if not all(can_grow(part) for part in parts):
        assert len(parts) == 1
        return parts[0]
    whole = parts[0]
    columns = list(zip(*(part.layers for part in parts), strict=True))
    whole.layers = [
        GrowingLayer(_joined([layer.keys for layer in column]), _joined([layer.values for layer in column]))
        for column in columns
    ]
    return whole


def _joined(tensors: list[torch.Tensor]) -> torch.Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _enlarged(tensor: torch.Tensor, capacity: int) -> torch.Tensor:
    buffer = tensor.new_empty((*tensor.shape[:2], capacity, tensor.shape[3]))
    buffer[:, :, : tensor.shape[2]] = tensor
    return buffer
