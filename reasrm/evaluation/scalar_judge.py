"""One comparison by a model that scores answers: the same opinion as a writing judge's, with both scores."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reasrm.evaluation.pairwise_judgment import Case, Judge, OneOrder, Opinion, both_orders, opinion_of
from reasrm.evaluation.text_judge import settings_for
from reasrm.inference.engine import Prompt
from reasrm.inference.prompt_rendering import load_tokenizer, render_answered
from reasrm.inference.prompt_run import score_all
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.transformers_engine import Dtype, LocalModelSettings
from reasrm.judging.samples import verdict_of_scores
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Side
from reasrm.records.ledger import Ledger


class ScalarJudge(Judge):
    """A judge that gives each answer a number."""

    def __init__(self, settings: LocalModelSettings) -> None:
        """Judge with the classifier of one label that `settings` names."""
        self._tokenizer = load_tokenizer(settings.checkpoint)
        self._engine = ScalarEngine(settings, self._tokenizer)
        self._context = settings.max_context_tokens

    def compare_each(self, cases: Sequence[Case], ledger: Ledger | None = None) -> Iterator[Opinion]:
        """Score both answers of each case; an answer sees no other, so both orders are the same."""
        prompts = [
            [Prompt(shown.prompt, render_answered(self._tokenizer, shown.prompt, text)) for text in (a, b)]
            for (_, a, b), (shown, _) in ((case, both_orders(*case)) for case in cases)
        ]
        scores = self._scores({one.key: one for both in prompts for one in both if self._fits(one)}, ledger)
        for a, b in prompts:
            found = scores.get(a.key), scores.get(b.key)
            tokens = len(a.token_ids) + len(b.token_ids)
            yield opinion_of(_one_order(Side.A, *found, tokens), _one_order(Side.B, *found, tokens))

    def close(self) -> None:
        """Let the model go."""
        self._engine.close()

    def _scores(self, prompts: dict[str, Prompt], ledger: Ledger | None) -> dict[str, float]:
        if ledger is not None:
            return score_all(self._engine, prompts.values(), ledger)
        ordered = sorted(prompts, key=lambda key: (prompts[key].length, key))
        return dict(zip(ordered, self._engine.score([prompts[key].token_ids for key in ordered]), strict=True))

    def _fits(self, prompt: Prompt) -> bool:
        return len(prompt.token_ids) <= self._context


def open_scalar_judge(checkpoint: str | Path, dtype: Dtype = Dtype.FLOAT32) -> Judge:
    """Open the folder of a model that scores answers.

    Raises:
        StageError: there is no checkpoint, or it has no chat template.
    """
    return ScalarJudge(settings_for(Path(checkpoint), dtype))


def _one_order(first: Side, a: float | None, b: float | None, tokens: int) -> OneOrder:
    """`tokens` are those of both answers with their conversation; None is an answer that is too long."""
    if a is None or b is None:
        return OneOrder(shown_first=first, verdict=None, unreadable=Unreadable.TOO_LONG)
    verdict = verdict_of_scores(a, b)
    return OneOrder(
        shown_first=first,
        verdict=verdict if isinstance(verdict, Side) else None,
        unreadable=verdict if isinstance(verdict, Unreadable) else None,
        scores=(a, b),
        prompt_tokens=tokens,
    )
