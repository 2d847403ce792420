"""Texts that are nearly the same, found with MinHash and locality-sensitive hashing (datasketch)."""

from functools import cache

from datasketch import MinHash, MinHashLSH

CANDIDATES = 0.85
"""Share of the wanted similarity from which on the index names candidates."""


class NearDuplicates:
    """Remembers texts; says of each new one whether one of those before it is nearly the same."""

    def __init__(self, similarity: float, ngram: int, permutations: int) -> None:
        """Start empty.

        Args:
            similarity: Jaccard index of the word n-grams from which on two texts are near-duplicates, in (0, 1].
            ngram: words per n-gram.
            permutations: size of a MinHash.
        """
        self._similarity = similarity
        self._ngram = ngram
        self._empty = MinHash(num_perm=permutations)
        # The index alone misses some pairs near its threshold, so it is asked for more; the estimate decides.
        self._index = MinHashLSH(num_perm=permutations, params=_bands(CANDIDATES * similarity, permutations))
        self._hashes: dict[str, MinHash] = {}

    def seen_before(self, text: str) -> bool:
        """Whether `text` is nearly the same as a text before it; if it is not, it is remembered."""
        own = self._empty.copy()
        own.update_batch([gram.encode() for gram in self._grams(text)])
        if any(own.jaccard(self._hashes[key]) >= self._similarity for key in self._index.query(own)):
            return True
        key = str(len(self._hashes))
        self._hashes[key] = own
        self._index.insert(key, own)
        return False

    def _grams(self, text: str) -> set[str]:
        words = text.casefold().split()
        return {" ".join(words[at : at + self._ngram]) for at in range(max(1, len(words) - self._ngram + 1))}


@cache
def _bands(similarity: float, permutations: int) -> tuple[int, int]:
    """Bands of an index and hashes of each; datasketch searches the best for a tenth of a second each time."""
    index = MinHashLSH(threshold=similarity, num_perm=permutations)
    return index.b, index.r
