"""Which vocabulary entries can end a reply, so that a reply's text is decoded only where it may have ended.

A stop text may come as one token, as several, or end inside a longer token (`>[[`). A reply can only have reached it
with a token that contains it whole or begins with one of its endings; after all others its text is not looked at.
"""

from collections.abc import Sequence
from typing import Any

import torch

from reasrm.inference.replies import decode
from reasrm.judging.verdict import reply_end

BYTE_TOKEN = "<0x"  # noqa: S105  a vocabulary entry, not a password
"""How vocabularies with byte fallback write a single byte: any of them may be part of the stop text."""
TAIL_TOKENS_PER_CHARACTER = 4
"""How many last tokens are decoded to look for the stop text, per character of it; empty tokens count too."""


class StopTokens:
    """Finds out whether a reply has reached its end."""

    def __init__(self, tokenizer: Any, stop: str, entries: int, end_ids: Sequence[int]) -> None:
        """Prepare for `stop` (empty: no stop text) in a model with `entries` logits and the end-of-turn `end_ids`."""
        self._tokenizer = tokenizer
        self._stop = stop
        self._tail = TAIL_TOKENS_PER_CHARACTER * len(stop)
        self.may_stop = torch.zeros(entries, dtype=torch.bool)
        """Per vocabulary entry: whether a reply may reach the stop text with it."""
        self.ends_turn = torch.zeros(entries, dtype=torch.bool)
        """Per vocabulary entry: whether it is an end-of-turn token."""
        self.ends_turn[list(end_ids)] = True
        if stop:
            vocabulary = tokenizer.get_vocab().items()
            self.may_stop[[id_ for token, id_ in vocabulary if id_ < entries and _may_end(token, stop)]] = True

    def reached(self, token_ids: Sequence[int], head: str = "") -> bool:
        """Whether the reply (`head`, then `token_ids`) ends with its last token; it had not ended before.

        The whole reply is decoded only where its last tokens hold the stop text, which may still be quoted or thought.
        """
        if self._stop.lower() not in decode(self._tokenizer, token_ids[-self._tail :]).lower():
            return False
        return reply_end(head + decode(self._tokenizer, token_ids), self._stop) is not None


def end_of_turn_ids(model: Any, tokenizer: Any) -> list[int]:
    """The ids that end a reply: the generation config's, and the tokenizer's end of sequence."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({id_ for id_ in (*ids, tokenizer.eos_token_id) if id_ is not None})


def _may_end(token: str, stop: str) -> bool:
    """Whether `stop` may end in `token`; vocabularies write spaces and other bytes in ways of their own.

    Its letter case does not count. Written with spaces (`</answer >`) it is not seen: that reply is cut when it ended.
    """
    token, stop = token.lower(), stop.lower()
    if not stop.isascii() or " " in stop or token.startswith(BYTE_TOKEN):
        return True
    return stop in token or any(token.startswith(stop[at:]) for at in range(1, len(stop)))
