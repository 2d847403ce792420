"""Byte pair encoding as the GGUF's `smollm` means it, written a second time: what llama.cpp does, and slow.

Every digit stands for itself, then GPT-2's expression cuts the text into words; in each word the pair with the lowest
rank is merged until there is none.
"""

from collections.abc import Sequence
from itertools import pairwise

import regex

WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


def byte_characters() -> dict[int, str]:
    """GPT-2's printable character for each byte."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + place) for place, byte in enumerate(others)}


class ReferenceTokenizer:
    """From texts to the ids of `tokens`, with the special ones in their own right."""

    def __init__(self, tokens: Sequence[str], special: Sequence[str], merges: Sequence[str]) -> None:
        """Take the lists of a GGUF file."""
        self._ids = {token: number for number, token in enumerate(tokens)}
        self._ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(merges)}
        self._special = regex.compile("(" + "|".join(map(regex.escape, sorted(special, key=len, reverse=True))) + ")")
        self._known = set(special)
        self._bytes = byte_characters()

    def ids(self, text: str) -> list[int]:
        """The ids of a text."""
        found: list[int] = []
        for part in filter(None, self._special.split(text)):
            pieces = [part] if part in self._known else [piece for word in self._words(part) for piece in word]
            found += [self._ids[piece] for piece in pieces]
        return found

    def _words(self, text: str) -> list[list[str]]:
        parts = filter(None, regex.split(r"(\p{N})", text))
        words = [word for part in parts for word in WORDS.findall(part)]
        return [self._merged(["".join(self._bytes[byte]) for byte in word.encode()]) for word in words]

    def _merged(self, pieces: list[str]) -> list[str]:
        while True:
            ranked = [(self._ranks.get(pair, 1 << 30), at) for at, pair in enumerate(pairwise(pieces))]
            rank, at = min(ranked, default=(1 << 30, 0))
            if rank == 1 << 30:
                return pieces
            pieces = [*pieces[:at], pieces[at] + pieces[at + 1], *pieces[at + 2 :]]
