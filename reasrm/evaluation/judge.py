"""The interface of every judge: comparisons in, one judgment of each out, in the order in which A and B are shown.

A judge that writes (`text_judge`) and one that scores (`scalar_judge`) are asked in the same way; `judge_opening` opens
either. The model is loaded once, with the first comparison, and stays until the judge is closed. A robustness probe
perturbs comparisons and asks the same judge again:

    with open_judge("data/checkpoints/grpo-full") as judge:
        before = list(judge.judge(comparisons, ledger))
        after = list(judge.judge([perturbed(one) for one in comparisons], ledger))

A stage that trains a policy lets it judge pairs of the policy's answers in both orders (`pairwise_judgment`):

    pairs = [Pair(prompt, *two) for prompt, answers in drawn for two in combinations(answers, 2)]
    for pair, judgment in zip(pairs, judge_pairs(judge, pairs, ledger), strict=True):
        reward(pair, judgment.verdict)

Within a call each distinct prompt is asked once. With a ledger nothing that it holds is asked again, so a call that was
interrupted goes on where it was, with the same bytes; without one, everything is asked.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from reasrm.records.comparison import Comparison
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger


class PromptCounts(NamedTuple):
    """Distinct prompts of a call; of a scalar judge, distinct conversations with their answer."""

    asked: int = 0
    """Those that were answered, now or by what the ledger held."""
    too_long: int = 0
    """Those that do not fit into the model's context."""


class Judge(ABC):
    """An open judge; use it in a `with` block, or close it."""

    counts: PromptCounts = PromptCounts()
    """Of the last call of `judge`, when all its judgments have been taken."""
    unsent: frozenset[str] = frozenset()
    """Settings of sampling that the judge's service is not sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def judge(
        self, comparisons: Sequence[Comparison], ledger: Ledger | None = None, token_budget: int | None = None
    ) -> Iterator[ComparisonJudgment]:
        """Judge each comparison as it is shown and yield the judgments in the given order, each as soon as it is there.

        Args:
            comparisons: what is judged; `better` is never looked at.
            ledger: where replies or scores are kept and found again.
            token_budget: judge as if a reply could have no more tokens than this (`token_budgets`).

        Raises:
            StoppedResumable: a service stopped answering.
            StageError: the model, or what it is asked, cannot be used; says why.
        """

    @abstractmethod
    def unknown_words(self, comparison: Comparison) -> list[str]:
        """Words of the comparison, or of how it is asked, that the checkpoint's vocabulary lacks (`vocabulary`)."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What the judgments depend on besides the comparisons, for identity.json: engine, weights, prompt."""

    @property
    @abstractmethod
    def starts(self) -> int:
        """How often a model was loaded, or a service's client opened, since the judge was opened."""

    @abstractmethod
    def close(self) -> None:
        """Free the model."""
