"""One comparison judged in three lines, with everything a reader wants to check.

    from reasrm.evaluation.text_judge import open_judge
    judge = open_judge("data/checkpoints/grpo-full")
    print(judge.compare("What is 2 + 2?", a="It is 4.", b="It is 5.").verdict)

Both orders are asked. The verdict stands only if both agree; a judge that follows the position and not the answer gives
none. The confidence is the mean probability that both orders give to the verdict's side (unknown for judges that give
no token probabilities).
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from reasrm.evaluation.judge_template import JudgeForm, OwnForm, joined
from reasrm.evaluation.pairwise_judgment import Case, CheckedQuote, Judge, OneOrder, Opinion, both_orders, opinion_of
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.opening import EngineName, OpenModel, open_model, open_service, plain_prompts
from reasrm.inference.prompt_run import ask_all
from reasrm.inference.served_model import ServedModel, load_served_model
from reasrm.inference.transformers_engine import Attention, Dtype, LocalModelSettings
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.trace_structure import grounding, read_structure
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Comparison, Side
from reasrm.records.ledger import Ledger
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError

TOO_LONG = Reply(text="", finish=Finish.TOO_LONG, prompt_tokens=0, completion_tokens=0)
"""What stands for the reply to a prompt that was not asked, because it does not fit."""


class TextJudge(Judge):
    """A judge that writes its verdict."""

    def __init__(self, model: OpenModel, form: JudgeForm, sampling: Sampling, context: int | None = None) -> None:
        """Judge with `model`, asked in `form`; `context` is how many tokens prompt and reply may have together."""
        self._model = model
        self._form = form
        self._sampling = sampling
        self._context = context

    def compare_each(self, cases: Sequence[Case], ledger: Ledger | None = None) -> Iterator[Opinion]:
        """Ask both orders of each case; a service's opinions come one by one, a checkpoint's mostly at the end."""
        shown = [one for case in cases for one in both_orders(*case)]
        messages = [self._form.prompts(one) for one in shown]
        prompts = self._model.render((one for several in messages for one in several), self._form.begins)
        answers = self._answers([prompt for prompt in prompts.values() if self._fits(prompt)], ledger)
        replies: dict[str, Reply] = {}
        read: list[OneOrder] = []
        for comparison, several in zip(shown, messages, strict=True):
            asked = [prompts[one] for one in several]
            while any(self._fits(prompt) and prompt.key not in replies for prompt in asked):
                key, reply = next(answers)
                replies[key] = reply
            read.append(self._read(comparison, [replies.get(prompt.key, TOO_LONG) for prompt in asked]))
            if len(read) == len(Side):
                yield opinion_of(*read)
                read.clear()

    def close(self) -> None:
        """Free the model."""
        self._model.engine.close()

    def _answers(self, prompts: list[Prompt], ledger: Ledger | None) -> Iterator[tuple[str, Reply]]:
        """The replies by `Prompt.key`; checkpoints are asked by length, services in the given order."""
        engine = self._model.engine
        if ledger is not None:
            yield from ask_all(engine, prompts, self._sampling, ledger, ProgressLine("judge")).items()
            return
        if self._model.tokenizer is not None:
            prompts = sorted(prompts, key=lambda one: (one.length, one.key))
        yield from ((prompt.key, reply) for prompt, reply in engine.generate(prompts, self._sampling))

    def _fits(self, prompt: Prompt) -> bool:
        return self._context is None or len(prompt.token_ids) + self._sampling.max_new_tokens <= self._context

    def _read(self, comparison: Comparison, given: Sequence[Reply]) -> OneOrder:
        """`comparison.better` names the caller's A; sides are turned back to it."""
        turned = comparison.better is Side.B
        reply = joined(given)
        verdict, scores = self._form.read(given)
        structure = read_structure(reply.text)
        quotes = tuple(
            CheckedQuote(
                side=_turned(quote.side, turned),
                text=quote.text,
                grounding=grounding(quote, comparison.response_a, comparison.response_b),
            )
            for quote in structure.quotes
        )
        return OneOrder(
            shown_first=Side.B if turned else Side.A,
            verdict=_turned(verdict, turned) if isinstance(verdict, Side) else None,
            unreadable=verdict if isinstance(verdict, Unreadable) else None,
            confidence=None if reply.verdict_logprob is None else math.exp(reply.verdict_logprob),
            scores=(scores[1], scores[0]) if scores and turned else scores,
            type=structure.type.value if structure.type else None,
            rubric=structure.rubric,
            quotes=quotes,
            reply=reply.text,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        )


def open_judge(
    checkpoint: str | Path | ServedModel,
    engine: EngineName | str = EngineName.TRANSFORMERS,
    form: JudgeForm | None = None,
    max_new_tokens: int = 1024,
    dtype: Dtype = Dtype.FLOAT32,
) -> Judge:
    """Open a judge that writes.

    Args:
        checkpoint: a folder; with `EngineName.API` the YAML file of a served model, or a `ServedModel` itself
            (`served_model(NAME)`); with `EngineName.REPLAY` what `replay_engine` reads.
        engine: what runs it; a `ServedModel` needs none.
        form: how it is asked; our full prompt if None.
        max_new_tokens: a reply is cut off here; less where the model's context is shorter.
        dtype: number format of the weights.
    """
    engine, form = EngineName(engine), form or OwnForm(PromptVariant.FULL)
    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=0.0, top_p=1.0, seed=0, stop=form.stop)
    if isinstance(checkpoint, ServedModel):
        return TextJudge(open_service(checkpoint), form, sampling)
    if engine is EngineName.API:
        return TextJudge(open_service(load_served_model(Path(checkpoint))), form, sampling)
    if engine is EngineName.REPLAY:
        from reasrm.inference.replay_engine import ReplayEngine

        return TextJudge(OpenModel(ReplayEngine(Path(checkpoint)), plain_prompts), form, sampling)
    settings = settings_for(Path(checkpoint), dtype)
    context = settings.max_context_tokens
    short = sampling.model_copy(update={"max_new_tokens": min(max_new_tokens, context // 2)})
    return TextJudge(open_model(engine, settings), form, short, context)


def settings_for(checkpoint: Path, dtype: Dtype) -> LocalModelSettings:
    """How a checkpoint is run for single comparisons: with all the positions that it has.

    Raises:
        StageError: there is no checkpoint.
    """
    if not (checkpoint / "config.json").is_file():
        raise StageError(f"{checkpoint}: no checkpoint there; `reasrm run` trains data/checkpoints/grpo-full")
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(checkpoint, trust_remote_code=False).get_text_config()
    return LocalModelSettings(
        checkpoint=checkpoint,
        dtype=dtype,
        attention=Attention.SDPA,
        batch_size=16,
        batch_tokens=16384,
        max_context_tokens=int(config.max_position_embeddings),
        threads=1,
    )


def _turned(side: Side, turned: bool) -> Side:
    return side.other if turned else side
