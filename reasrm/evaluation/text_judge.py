"""A judge that writes: prompts from a template, replies from an engine, the verdict read out of each reply."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

from reasrm.evaluation.judge import Judge, PromptCounts, TokenCounts
from reasrm.evaluation.judge_template import JudgeTemplate, joined_reply
from reasrm.evaluation.token_budgets import Replies, TokenBudget, replies_within
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.model_opening import OpenModel
from reasrm.inference.prompt_run import ask_each, note_unasked, unasked_reply
from reasrm.inference.verdict_margin import ONE_TOKEN, MarginEngine, letter_tokens, margins
from reasrm.inference.vocabulary import Vocabulary
from reasrm.judging.aggregation import judgment_of_replies
from reasrm.judging.prompt import PLAIN_COMPARISON
from reasrm.judging.verdict import Unreadable, forced_ending
from reasrm.records.comparison import Comparison
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.records.reply import UNASKED, Finish, Reply
from reasrm.runtime.progress import ProgressLine


class TextJudge(Judge):
    """A generative judge; its verdict is the majority's where several replies are drawn."""

    def __init__(
        self, model: OpenModel, template: JudgeTemplate, samplings: Sequence[Sampling], context: int | None = None
    ) -> None:
        """Judge with `model`, prompted by `template`.

        Args:
            model: the engine and how its prompts are rendered.
            template: how it is prompted and how its replies are read.
            samplings: one for each reply that is drawn to a prompt; they differ in their seed.
            context: how many tokens prompt and longest reply may have together; None where the service says it.
        """
        self._model = model
        self._template = template
        self._samplings = samplings
        self._context = context
        self.unsent = model.unsent

    def asked_otherwise(
        self, template: JudgeTemplate | None = None, samplings: Sequence[Sampling] | None = None
    ) -> Self:
        """The same open model with another template or other samplings; to close either is to close both."""
        other = type(self)(self._model, template or self._template, samplings or self._samplings, self._context)
        other._vocabulary = self._vocabulary  # looked at once
        return other

    @property
    def template(self) -> JudgeTemplate:
        """How it is prompted and how its replies are read."""
        return self._template

    @property
    def samplings(self) -> Sequence[Sampling]:
        """One for each reply that is drawn to a prompt."""
        return self._samplings

    @property
    def runs_here(self) -> bool:
        """Whether its model is a checkpoint that is run here, so that its replies can be made to begin with a text."""
        return self._model.tokenizer is not None

    @property
    def gives_margins(self) -> bool:
        """Whether `verdict_margins` can be asked for."""
        return isinstance(self._model.engine, MarginEngine)

    def judge(
        self, comparisons: Sequence[Comparison], ledger: Ledger | None = None, token_budget: int | None = None
    ) -> Iterator[ComparisonJudgment]:
        """Ask about each comparison; a service's judgments come one by one, a checkpoint's mostly at the end."""
        conversations = [self._template.prompts(one) for one in comparisons]
        rendered = self._model.render((one for several in conversations for one in several), self._template.begins)
        prompts = list(rendered.values())
        self._tell_unrenderable(prompts, self._plain_prompts)
        *earlier, last = (self._replies(prompts, sampling, ledger, token_budget) for sampling in self._samplings)
        drawn: list[dict[str, Reply]] = [*map(dict, earlier), {}]
        for several in conversations:
            keys = [rendered[messages].key for messages in several]
            while any(key not in drawn[-1] for key in keys):
                key, reply = next(last)
                drawn[-1][key] = reply
            yield self._judgment([[replies[key] for key in keys] for replies in drawn])
        longest = max((len(one.token_ids) for one in prompts), default=0)
        self.tokens_needed = longest and longest + max(sampling.max_new_tokens for sampling in self._samplings)
        asked = len({key for replies in drawn for key in _answered(replies)})
        unrenderable = len({key for replies in drawn for key in _ended(replies, {Finish.UNRENDERABLE})})
        self.counts = PromptCounts(asked, len({one.key for one in prompts}) - asked - unrenderable, unrenderable)
        given = [reply for replies in drawn for reply in _answered(replies).values()]
        self.tokens = TokenCounts(
            sum(reply.prompt_tokens for reply in given), sum(reply.completion_tokens for reply in given)
        )

    def verdict_margins(
        self, begun: Sequence[tuple[Comparison, str]], ledger: Ledger | None = None
    ) -> list[float | None]:
        """The log-odds of A over B (nats) as the next token, if the reply to each comparison begins with a text.

        Where the chat template itself opens a thought, a text that begins with this opening goes on from there, as
        recorded replies do; before any other text the thought is closed.

        None where a letter is no token of its own behind that text, the prompt is too long or not rendered, or the
        engine does not give both probabilities.

        Raises:
            TypeError: the engine gives no log-odds (`gives_margins`).
        """
        tokenizer, engine = self._model.tokenizer, self._model.engine
        if not isinstance(engine, MarginEngine):
            raise TypeError(f"the engine {type(engine).__name__} gives no log-odds")
        by_letters: dict[tuple[int, int], dict[int, Prompt]] = defaultdict(dict)
        conversations = [self._template.prompts(comparison) for comparison, _ in begun]
        rendered = self._model.render(messages for (messages,) in conversations)
        for place, ((messages,), (_, text)) in enumerate(zip(conversations, begun, strict=True)):
            prompt = _begun(rendered[messages], tokenizer, self._template.begins + text)
            letters = letter_tokens(tokenizer, prompt.begun)
            if letters and not prompt.unrenderable and self._fits(prompt, ONE_TOKEN):
                by_letters[letters][place] = prompt
        found: list[float | None] = [None] * len(begun)
        for letters, prompts in by_letters.items():
            odds = margins(engine, letters, list(prompts.values()), ledger)
            for place, prompt in prompts.items():
                found[place] = None if math.isnan(odds[prompt.key]) else odds[prompt.key]
        return found

    def unknown_words(self, comparison: Comparison) -> list[str]:
        """Words that the checkpoint's vocabulary lacks; none for a service, which has a tokenizer of its own."""
        if self._vocabulary is None:
            return []
        prompts = self._model.render(self._template.prompts(comparison), self._template.begins)
        return list(dict.fromkeys(word for one in prompts.values() for word in self._vocabulary.unknown_words(one)))

    def unknown_words_of(self, begun: str) -> list[str]:
        """Words of a text with which a reply is made to begin that the checkpoint's vocabulary lacks."""
        return [] if self._vocabulary is None else self._vocabulary.unknown_words_of(begun)

    def identity(self) -> dict[str, Any]:
        """The engine's identity and the template's."""
        return {"engine": self._model.engine.identity(), "form": self._template.identity()}

    @property
    def starts(self) -> int:
        """As the engine counts them."""
        return self._model.engine.starts

    def close(self) -> None:
        """Free the model."""
        self._model.engine.close()

    @cached_property
    def _vocabulary(self) -> Vocabulary | None:
        return None if self._model.tokenizer is None else Vocabulary(self._model.tokenizer)

    def _replies(
        self, prompts: Sequence[Prompt], sampling: Sampling, ledger: Ledger | None, token_budget: int | None
    ) -> Iterator[tuple[str, Reply]]:
        """The reply to every prompt by its key; first what stands for those to prompts that cannot be asked."""
        if token_budget is not None:
            yield from self._replies_within(token_budget, prompts, sampling, ledger)
            return
        rendered = [prompt for prompt in prompts if not prompt.unrenderable]
        fitting = [prompt for prompt in rendered if self._fits(prompt, sampling)]
        unasked = {Finish.UNRENDERABLE: set(prompts) - set(rendered), Finish.TOO_LONG: set(rendered) - set(fitting)}
        for why, some in unasked.items():
            if ledger is not None:
                note_unasked(self._model.engine, some, why, sampling, ledger)
            yield from ((prompt.key, unasked_reply(why)) for prompt in some)
        yield from ask_each(self._model.engine, fitting, sampling, ledger, ProgressLine("judge"))

    def _replies_within(
        self, tokens: int, prompts: Sequence[Prompt], sampling: Sampling, ledger: Ledger | None
    ) -> Iterable[tuple[str, Reply]]:
        """The replies ended at a budget: of those that were given; the others were not asked still."""
        replies = dict(self._replies(prompts, sampling, ledger, None))
        answered = _answered(replies)
        written = [prompt for prompt in prompts if prompt.key in answered]
        budget = TokenBudget(tokens, self._template.forced_verdict)
        return (replies | replies_within(budget, self._model, written, answered, sampling, ledger)).items()

    def _judgment(self, drawn: Sequence[Sequence[Reply]]) -> ComparisonJudgment:
        """`drawn` holds, once per sample, the replies to the prompts of one comparison."""
        given = [replies for replies in drawn if all(one.finish not in UNASKED for one in replies)]
        read = [self._template.read(replies) for replies in given]
        unrendered = any(one.finish is Finish.UNRENDERABLE for replies in drawn for one in replies)
        why = Unreadable.UNRENDERABLE if unrendered else Unreadable.TOO_LONG
        return judgment_of_replies([joined_reply(replies) for replies in given], read, why)

    def _plain_prompts(self) -> list[Prompt]:
        conversations = self._template.prompts(PLAIN_COMPARISON)
        return list(self._model.render(conversations, self._template.begins).values())

    def _fits(self, prompt: Prompt, sampling: Sampling) -> bool:
        return self._context is None or len(prompt.token_ids) + sampling.max_new_tokens <= self._context


def _begun(prompt: Prompt, tokenizer: Any, text: str) -> Prompt:
    """`prompt` with a reply that begins with `text`, tokenised by itself as everywhere."""
    begun = text.removeprefix(prompt.opened)
    if prompt.opened and begun == text:
        begun = forced_ending(prompt.opened, text)
    tail = tokenizer(begun, add_special_tokens=False)["input_ids"]
    return replace(prompt, token_ids=(*prompt.token_ids, *tail), begun=begun)


def _answered(replies: Replies) -> Replies:
    """Those to prompts that were asked; one can be too long by the context or by what the service says."""
    return _ended(replies, set(Finish) - UNASKED)


def _ended(replies: Replies, ends: Set[Finish]) -> Replies:
    """Those that ended in one of these ways."""
    return {key: reply for key, reply in replies.items() if reply.finish in ends}
