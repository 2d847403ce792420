"""The interface of every judge: comparisons in, one judgment of each out, in the order in which A and B are shown.

A judge that writes (`text_judge`) and one that scores (`scalar_judge`) are asked in the same way; `judge_opening` opens
either. The model is loaded once, with the first comparison, and stays until the judge is closed. A robustness probe
perturbs comparisons and asks the same judge again:

    with open_judge("data/checkpoints/grpo-full") as judge:
        perturbed = [one.model_copy(update={"response_b": f"{one.response_b} {SENTENCE}"}) for one in comparisons]
        judge.require_known_words(perturbed)
        before, after = (list(judge.judge(asked, ledger)) for asked in (comparisons, perturbed))

A stage that trains a policy lets it judge pairs of the policy's answers in both orders (`pairwise_judgment`):

    pairs = [Pair(prompt, *two) for prompt, answers in drawn for two in combinations(answers, 2)]
    for pair, judgment in zip(pairs, judge_pairs(judge, pairs, ledger), strict=True):
        reward(pair, judgment.verdict)

`judge_pairs` refuses texts that the judge cannot read; `judge` itself does not look, since a benchmark is judged as it
is, so a probe that writes texts of its own asks `require_known_words` first.

Within a call each distinct prompt is asked once. With a ledger nothing that it holds is asked again, so a call that was
interrupted goes on where it was, with the same bytes; without one, everything is asked.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from reasrm.inference.engine import Prompt
from reasrm.inference.vocabulary import UnknownWordsError
from reasrm.records.comparison import Comparison
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.terminal import say_error

MOST_WORDS_NAMED = 8
"""So many words are named in an error's text; the others are counted."""


class PromptCounts(NamedTuple):
    """Distinct prompts of a call; of a scalar judge, distinct conversations with their answer."""

    asked: int = 0
    """Those that were answered, now or by what the ledger held."""
    too_long: int = 0
    """Those that do not fit into the model's context."""
    unrenderable: int = 0
    """Those that the checkpoint's chat template does not render as they are."""


class TokenCounts(NamedTuple):
    """Tokens of the distinct prompts of a call and of the replies to them, also of those that a ledger held."""

    prompt: int = 0
    reply: int = 0
    """Of all samples; 0 for a judge that scores."""


class Judge(ABC):
    """An open judge; use it in a `with` block, or close it."""

    counts: PromptCounts = PromptCounts()
    """Of the last call of `judge`, once its iterator has ended."""
    tokens: TokenCounts = TokenCounts()
    """Of the last call of `judge`, likewise."""
    tokens_needed: int = 0
    """Context that the longest prompt of the last call of `judge` needs, with the longest reply; 0 if unknown."""
    unsent: frozenset[str] = frozenset()
    """Settings of sampling that the judge's service is not sent."""
    _said_unrenderable = False

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

    def require_known_words(self, comparisons: Sequence[Comparison]) -> None:
        """Do nothing if the judge can read every one of `comparisons`.

        Raises:
            UnknownWordsError: one holds words that the checkpoint's vocabulary lacks; names them.
        """
        for place, shown in enumerate(comparisons):
            unknown = self.unknown_words(shown)
            if unknown:
                more = f" and {len(unknown) - MOST_WORDS_NAMED} more" if len(unknown) > MOST_WORDS_NAMED else ""
                raise UnknownWordsError(
                    f"the prompt {shown.prompt[-1].content[:60]!r} cannot be judged: the vocabulary of this judge "
                    f"lacks {', '.join(map(repr, unknown[:MOST_WORDS_NAMED]))}{more}, and what it would reply to words "
                    "that it never learnt is noise; use the words of its training data, or name another judge",
                    place,
                )

    def _tell_unrenderable(self, prompts: Iterable[Prompt], plain: Callable[[], Iterable[Prompt]]) -> None:
        """Say once that some of `prompts` are not rendered, and why the first is not; nothing if all are.

        Args:
            prompts: those of the comparisons that are judged.
            plain: gives those of a comparison without anything odd in it (`PLAIN_COMPARISON`).

        Raises:
            StageError: a plain comparison is not rendered either, so the template is at fault and not a text.
        """
        first = next((one for one in prompts if one.unrenderable), None)
        if first is None or self._said_unrenderable:
            return
        if why := next((one.unrenderable for one in plain() if one.unrenderable), ""):
            raise StageError(why)
        self._said_unrenderable = True
        say_error(
            "judge",
            f"prompts that the chat template does not render are not judged (`unrenderable`); the first, "
            f"{first.messages[-1].content[:60]!r}: {first.unrenderable}",
        )

    @abstractmethod
    def unknown_words(self, comparison: Comparison) -> list[str]:
        """Words of the comparison, or of how it is asked, for which the judge cannot read it (`vocabulary`)."""

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
