"""Which pairs of a policy's answers are worth a judgment: different, not nearly repeated, readable, of no benchmark.

Every pair that is left out has one reason, and all are counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

from pydantic import BaseModel, ConfigDict, Field

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.near_duplicates import NearDuplicates
from reasrm.datasets.row_fields import normalised
from reasrm.evaluation.judge import Judge
from reasrm.policy.hard_cases.answer_sampling import SampledAnswers
from reasrm.records.comparison import Comparison, Side
from reasrm.records.content_hash import unit_interval
from reasrm.records.hard_case import AnswerPair


class PairRefusal(StrEnum):
    """Why a pair of answers is left out."""

    BENCHMARK_OVERLAP = "benchmark_overlap"
    """Its prompt repeats a benchmark's."""
    SAME_WORDS = "same_words"
    """The answers differ in letter case and white space alone."""
    NEAR_DUPLICATE = "near_duplicate"
    """Nearly the same as a pair before it, prompt and both answers together."""
    UNKNOWN_WORDS = "unknown_words"
    """It holds words that a judge's vocabulary lacks."""
    OVER_LIMIT = "over_limit"
    """Its prompt has pairs enough."""


class NearDuplicateRule(BaseModel):
    """What counts as nearly the same (`near_duplicates`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    similarity: float = Field(gt=0, le=1)
    ngram: int = Field(gt=0)
    permutations: int = Field(gt=0)

    def index(self) -> NearDuplicates:
        """An empty index."""
        return NearDuplicates(self.similarity, self.ngram, self.permutations)


@dataclass
class Refinement:
    """The rules, and the account of what they left out."""

    seed: int
    pairs_per_prompt: int
    benchmarks: BenchmarkPrompts
    near_duplicates: NearDuplicateRule | None
    readable: Callable[[AnswerPair], bool]
    """Whether all judges know the pair's words."""
    refused: Counter[PairRefusal] = field(default_factory=Counter)
    pairs: int = 0
    """All that were looked at: every one is yielded or refused."""

    def refined(self, sampled: Iterable[SampledAnswers]) -> Iterator[AnswerPair]:
        """The pairs that are kept, prompts in the given order, pairs of a prompt in the order of their hash."""
        index = self.near_duplicates.index() if self.near_duplicates else None
        for one in sampled:
            kept = 0
            overlap = self.benchmarks.overlap(one.prompt.prompt)
            for pair in pairs_of(one, self.seed):
                self.pairs += 1
                refusal = self._fault(pair, overlap, kept, index)
                if refusal is None:
                    kept += 1
                    yield pair
                else:
                    self.refused[refusal] += 1

    def _fault(
        self, pair: AnswerPair, overlap: str | None, kept: int, index: NearDuplicates | None
    ) -> PairRefusal | None:
        if overlap is not None:
            return PairRefusal.BENCHMARK_OVERLAP
        if normalised(pair.a) == normalised(pair.b):
            return PairRefusal.SAME_WORDS
        if kept >= self.pairs_per_prompt:
            return PairRefusal.OVER_LIMIT
        if not self.readable(pair):
            return PairRefusal.UNKNOWN_WORDS
        if index is not None and index.seen_before(_text(pair)):
            return PairRefusal.NEAR_DUPLICATE
        return None


def pairs_of(sampled: SampledAnswers, seed: int) -> Sequence[AnswerPair]:
    """All pairs of a prompt's answers in an order of chance; which answer is `a` is chance too, by hash."""
    prompt = sampled.prompt
    found = []
    for one, other in combinations(sorted(sampled.answers), 2):
        a, b = (one, other) if unit_interval("a", seed, prompt.id, one, other) < 0.5 else (other, one)
        found.append(AnswerPair(prompt=prompt.prompt, prompt_id=prompt.id, task=prompt.task, a=a, b=b))
    return sorted(found, key=lambda pair: unit_interval("pair", seed, pair.id))


def readable_by(judge: Judge) -> Callable[[AnswerPair], bool]:
    """Whether the judge's vocabulary holds the words of a pair."""

    def readable(pair: AnswerPair) -> bool:
        shown = Comparison(pair_id=pair.id, prompt=pair.prompt, response_a=pair.a, response_b=pair.b, better=Side.A)
        return not judge.unknown_words(shown)

    return readable


def _text(pair: AnswerPair) -> str:
    return "\n".join((*(turn.content for turn in pair.prompt), *sorted((pair.a, pair.b))))
