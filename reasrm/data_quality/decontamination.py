"""Training questions that occur in a benchmark, found by a rule that is stated and the same for all sources.

A pair overlaps if one of its client's turns equals a client's turn of a benchmark (lower case, white space as single
blanks), or if at least the given share of the different word n-grams of its client's turns occurs in those of one
benchmark prompt. Turns shorter than n words have no n-grams: for them only equality counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from reasrm.datasets.row_fields import normalised
from reasrm.records.pair import Message, Role


class BenchmarkPrompts:
    """The prompts of the benchmarks, ready to be compared with."""

    def __init__(self, prompts: Iterable[tuple[str, tuple[Message, ...]]], ngram: int, share: float) -> None:
        """Index prompts with their names; `ngram` in words, `share` in (0, 1] of the pair's n-grams."""
        self._ngram = ngram
        self._share = share
        self._turns: dict[str, str] = {}
        self._holders: dict[str, set[int]] = defaultdict(set)
        self._names: list[str] = []
        seen: set[tuple[Message, ...]] = set()
        for name, prompt in prompts:
            if prompt not in seen:
                seen.add(prompt)
                self._add(name, prompt)

    def _add(self, name: str, prompt: tuple[Message, ...]) -> None:
        for turn in client_turns(prompt):
            self._turns.setdefault(turn, name)
            for gram in ngrams(turn, self._ngram):
                self._holders[gram].add(len(self._names))
        self._names.append(name)

    def overlap(self, prompt: tuple[Message, ...]) -> str | None:
        """What of the benchmarks `prompt` repeats, in words, or None."""
        turns = client_turns(prompt)
        for turn in turns:
            if turn in self._turns:
                return f"a turn equals one of {self._turns[turn]}"
        grams = {gram for turn in turns for gram in ngrams(turn, self._ngram)}
        shared = Counter(holder for gram in grams for holder in self._holders.get(gram, ()))
        if not shared:
            return None
        holder, most = max(shared.items(), key=lambda entry: (entry[1], -entry[0]))
        if most < self._share * len(grams):
            return None
        return f"{most} of {len(grams)} {self._ngram}-grams are in {self._names[holder]}"


def client_turns(prompt: tuple[Message, ...]) -> list[str]:
    """What the client said, normalised."""
    return [normalised(message.content) for message in prompt if message.role is Role.USER]


def ngrams(text: str, length: int) -> set[str]:
    """The different runs of `length` words in a normalised text."""
    words = text.split(" ")
    return {" ".join(words[start : start + length]) for start in range(len(words) - length + 1)}
