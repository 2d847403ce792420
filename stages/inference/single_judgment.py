"""One comparison judged in three lines, with everything a reader wants to check.

    from stages.inference.single_judgment import open_judge
    judge = open_judge("data/checkpoints/grpo-full")
    print(judge.compare("What is 2 + 2?", a="It is 4.", b="It is 5.").verdict)

Both orders are asked. The verdict stands only if both agree; a judge that follows the position and not the answer gives
none. The confidence is the mean probability that both orders give to the verdict's side (unknown for judges that give
no token probabilities).
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict

from stages.inference.engine import Engine, Prompt, Sampling
from stages.inference.judge_form import JudgeForm, OwnForm, joined
from stages.inference.opening import EngineName, OpenModel, open_model
from stages.inference.transformers_engine import Attention, Dtype, LocalModelSettings
from stages.judging.chain_of_rubrics import PromptVariant
from stages.judging.trace_structure import Grounding, grounding, read_structure
from stages.judging.verdict import Unreadable
from stages.records.comparison import Comparison, Side
from stages.records.pair import Message, Role
from stages.records.reply import Finish, Reply
from stages.runtime.stage_main import StageError


class CheckedQuote(BaseModel):
    """A quotation in a reply and where it is found."""

    model_config = ConfigDict(frozen=True)

    side: Side
    """The answer that it is ascribed to, as the caller named them."""
    text: str
    grounding: Grounding


class OneOrder(BaseModel):
    """What the judge said in one order; sides are the caller's, not the shown ones."""

    model_config = ConfigDict(frozen=True)

    shown_first: Side
    verdict: Side | None
    unreadable: Unreadable | None
    confidence: float | None
    """Probability of the verdict's letter, given what was written before it."""
    scores: tuple[float, float] | None
    """Of A and B, for judges that give scores."""
    type: str | None
    rubric: str | None
    quotes: tuple[CheckedQuote, ...]
    reply: str
    prompt_tokens: int
    completion_tokens: int


class Opinion(BaseModel):
    """What a judge thinks of two answers."""

    model_config = ConfigDict(frozen=True)

    verdict: Side | None
    """The better answer; None if the orders disagree or one is unreadable."""
    consistent: bool
    """Whether both orders name the same answer."""
    confidence: float | None
    orders: tuple[OneOrder, OneOrder]
    """A shown first, then B shown first."""


class Judge:
    """An open judge; use it in a `with` block, or close it."""

    def __init__(self, model: OpenModel, form: JudgeForm, sampling: Sampling, context: int | None = None) -> None:
        """Judge with `model`, asked in `form`; `context` is how many tokens prompt and reply may have together."""
        self._model = model
        self._form = form
        self._sampling = sampling
        self._context = context

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def compare(self, prompt: str | Sequence[Message], a: str, b: str) -> Opinion:
        """Judge one comparison; `prompt` is the client's question, or a whole conversation."""
        return self.compare_all([(prompt, a, b)])[0]

    def compare_all(self, cases: Iterable[tuple[str | Sequence[Message], str, str]]) -> list[Opinion]:
        """Judge many comparisons at once, in the given order."""
        shown = [comparison for case in cases for comparison in _both_orders(*case)]
        messages = [self._form.prompts(comparison) for comparison in shown]
        prompts = self._model.render((one for several in messages for one in several), self._form.begins)
        ordered = sorted(filter(self._fits, prompts.values()), key=lambda one: (one.length, one.key))
        replies = dict(self._engine.generate(ordered, self._sampling))
        said = [[replies.get(prompts[one]) for one in several] for several in messages]
        read = [self._read(case, given) for case, given in zip(shown, said, strict=True)]
        return [_opinion(read[place], read[place + 1]) for place in range(0, len(read), 2)]

    def _fits(self, prompt: Prompt) -> bool:
        return self._context is None or len(prompt.token_ids) + self._sampling.max_new_tokens <= self._context

    def close(self) -> None:
        """Free the model."""
        self._engine.close()

    @property
    def _engine(self) -> Engine:
        return self._model.engine

    def _read(self, comparison: Comparison, replies: Sequence[Reply | None]) -> OneOrder:
        """`comparison.better` names the caller's A; sides are turned back to it. None: a prompt was too long."""
        turned = comparison.better is Side.B
        unasked = Reply(text="", finish=Finish.TOO_LONG, prompt_tokens=0, completion_tokens=0)
        given = [reply or unasked for reply in replies]
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
    checkpoint: str | Path,
    engine: EngineName = EngineName.TRANSFORMERS,
    form: JudgeForm | None = None,
    max_new_tokens: int = 1024,
    dtype: Dtype = Dtype.FLOAT32,
) -> Judge:
    """Open a checkpoint folder, or with `EngineName.API` the YAML file of a served model, as a judge.

    Args:
        checkpoint: the folder or file.
        engine: what runs it.
        form: how it is asked; our full prompt if None.
        max_new_tokens: a reply is cut off here; less where the model's context is shorter.
        dtype: number format of the weights.
    """
    path, form = Path(checkpoint), form or OwnForm(PromptVariant.FULL)
    context = _context_of(path, engine)
    settings = LocalModelSettings(
        checkpoint=path,
        dtype=dtype,
        attention=Attention.SDPA,
        batch_size=16,
        batch_tokens=16384,
        max_context_tokens=context,
        threads=1,
    )
    sampling = Sampling(
        max_new_tokens=min(max_new_tokens, context // 2), temperature=0.0, top_p=1.0, seed=0, stop=form.stop
    )
    return Judge(open_model(engine, settings), form, sampling, context)


def _context_of(checkpoint: Path, engine: EngineName) -> int:
    """The positions of a checkpoint; a service's are not known here and taken as many."""
    if engine in (EngineName.API, EngineName.REPLAY):
        return 1_000_000
    if not (checkpoint / "config.json").is_file():
        raise StageError(f"{checkpoint}: no checkpoint there; `reasrm run` trains data/checkpoints/grpo-full")
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(checkpoint, trust_remote_code=False).get_text_config()
    return int(config.max_position_embeddings)


def _both_orders(prompt: str | Sequence[Message], a: str, b: str) -> tuple[Comparison, Comparison]:
    """The case with A first and with B first; `better` is where the caller's A stands."""
    turns = (Message(role=Role.USER, content=prompt),) if isinstance(prompt, str) else tuple(prompt)
    first = Comparison(pair_id="", prompt=turns, response_a=a, response_b=b, better=Side.A)
    return first, first.swapped()


def _turned(side: Side, turned: bool) -> Side:
    return side.other if turned else side


def _opinion(first: OneOrder, second: OneOrder) -> Opinion:
    consistent = first.verdict is not None and first.verdict is second.verdict
    known = [one.confidence for one in (first, second) if one.confidence is not None]
    return Opinion(
        verdict=first.verdict if consistent else None,
        consistent=consistent,
        confidence=sum(known) / len(known) if consistent and len(known) == len((first, second)) else None,
        orders=(first, second),
    )
