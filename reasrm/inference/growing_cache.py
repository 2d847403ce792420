"""A key-value cache that grows in place: the library's own copies everything it holds at every token.

Keys and values lie in buffers with room at the end, which grow by half when full; rows of finished replies can be
dropped. Shapes: `[B, H, T, D]`, B sequences, H heads, T tokens, D dimensions of a head.
"""

from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

FIRST_ROOM = 48


class RoomyLayer(DynamicLayer):  # type: ignore[misc]  # transformers ships no types
    """One layer's keys and values, in buffers with room."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Start with the keys and values of the prompts, `[B, H, T, D]`."""
        super().__init__()
        self.lazy_initialization(keys, values)
        self.keys, self.values = keys, values
        self._keys_buffer, self._values_buffer = keys, values

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append `[B, H, new, D]` and return everything so far, `[B, H, T, D]`, as views of the buffers."""
        used = self.keys.shape[2]
        end = used + key_states.shape[2]
        if end > self._keys_buffer.shape[2]:
            room = end + max(FIRST_ROOM, end // 2)
            self._keys_buffer = _with_room(self.keys, room)
            self._values_buffer = _with_room(self.values, room)
        self._keys_buffer[:, :, used:end] = key_states
        self._values_buffer[:, :, used:end] = value_states
        self.keys, self.values = self._keys_buffer[:, :, :end], self._values_buffer[:, :, :end]
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only the rows `indices`."""
        used = self.keys.shape[2]
        self._keys_buffer = self._keys_buffer.index_select(0, indices)
        self._values_buffer = self._values_buffer.index_select(0, indices)
        self.keys, self.values = self._keys_buffer[:, :, :used], self._values_buffer[:, :, :used]


def new_cache(config: Any) -> DynamicCache:
    """An empty cache for the model of `config`."""
    return DynamicCache(config=config)


def can_be_roomy(cache: DynamicCache) -> bool:
    """Whether every layer of a cache attends to all tokens (no sliding window, no recurrent state)."""
    return all(type(layer) in (DynamicLayer, RoomyLayer) for layer in cache.layers)


def joined(parts: list[DynamicCache]) -> DynamicCache:
    """One cache whose rows are the rows of `parts`, in order; roomy where that is possible.

    A cache that cannot be roomy must come as a single part and is returned as it is.
    """
    if not all(can_be_roomy(part) for part in parts):
        assert len(parts) == 1
        return parts[0]
    whole = parts[0]
    columns = list(zip(*(part.layers for part in parts), strict=True))
    whole.layers = [
        RoomyLayer(_stacked([layer.keys for layer in column]), _stacked([layer.values for layer in column]))
        for column in columns
    ]
    return whole


def _stacked(tensors: list[torch.Tensor]) -> torch.Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _with_room(tensor: torch.Tensor, room: int) -> torch.Tensor:
    buffer = tensor.new_empty((*tensor.shape[:2], room, tensor.shape[3]))
    buffer[:, :, : tensor.shape[2]] = tensor
    return buffer
