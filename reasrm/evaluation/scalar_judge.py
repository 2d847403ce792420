"""A judge that gives each answer a number: the higher one wins, and no answer's number depends on the other."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from reasrm.evaluation.judge import Judge, PromptCounts, TokenCounts
from reasrm.inference.engine import Prompt
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import open_scorer
from reasrm.inference.prompt_rendering import AnsweredConversation, load_tokenizer, render_answered
from reasrm.inference.prompt_run import score_all
from reasrm.inference.vocabulary import Vocabulary
from reasrm.judging.aggregation import judgment_of_scores
from reasrm.judging.prompt import PLAIN_COMPARISON
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Comparison
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.runtime.progress import ProgressLine


class ScalarJudge(Judge):
    """A classifier of one label, as a judge."""

    def __init__(self, settings: LocalModelSettings) -> None:
        """Judge with the classifier of one label that `settings` names.

        Raises:
            StageError: there is no checkpoint, it has no chat template, or `tensor_parallel` is above 1.
        """
        self._tokenizer = load_tokenizer(settings.checkpoint)
        self._engine = open_scorer(settings, self._tokenizer)
        self._context = settings.max_context_tokens

    def judge(
        self, comparisons: Sequence[Comparison], ledger: Ledger | None = None, token_budget: int | None = None
    ) -> Iterator[ComparisonJudgment]:
        """Score both answers of each comparison, each distinct one once; nothing is written, so any budget holds."""
        answers = dict.fromkeys(one for comparison in comparisons for one in _answers(comparison))
        prompts = render_answered(self._tokenizer, list(answers))
        self._tell_unrenderable(prompts.values(), self._plain_prompts)
        rendered = [prompt for prompt in prompts.values() if not prompt.unrenderable]
        fitting = [one for one in rendered if len(one.token_ids) <= self._context]
        scores = score_all(self._engine, fitting, ledger, ProgressLine("judge"))
        for comparison in comparisons:
            both = [prompts[answer] for answer in _answers(comparison)]
            why = Unreadable.UNRENDERABLE if any(one.unrenderable for one in both) else Unreadable.TOO_LONG
            score_a, score_b = (scores.get(one.key) for one in both)
            yield judgment_of_scores(score_a, score_b, why)
        self.tokens_needed = max((len(one.token_ids) for one in rendered), default=0)
        too_long = len({prompt.key for prompt in rendered}) - len(scores)
        self.counts = PromptCounts(len(scores), too_long, len(prompts) - len(rendered))
        self.tokens = TokenCounts(sum({prompt.key: len(prompt.token_ids) for prompt in fitting}.values()))

    def _plain_prompts(self) -> list[Prompt]:
        return list(render_answered(self._tokenizer, _answers(PLAIN_COMPARISON)).values())

    def unknown_words(self, comparison: Comparison) -> list[str]:
        """Words that the checkpoint's vocabulary lacks."""
        prompts = render_answered(self._tokenizer, _answers(comparison))
        return list(dict.fromkeys(word for one in prompts.values() for word in self._vocabulary.unknown_words(one)))

    def identity(self) -> dict[str, Any]:
        """The engine's identity."""
        return {"engine": self._engine.identity()}

    @property
    def starts(self) -> int:
        """As the engine counts them."""
        return self._engine.starts

    def close(self) -> None:
        """Free the model."""
        self._engine.close()

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._tokenizer)


def _answers(comparison: Comparison) -> tuple[AnsweredConversation, AnsweredConversation]:
    """A's and B's."""
    return (comparison.prompt, comparison.response_a), (comparison.prompt, comparison.response_b)
