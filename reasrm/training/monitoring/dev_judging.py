"""The model in training judges dev pairs, as the stage `judge` would judge them with the checkpoint written then.

Same prompt, rendering, greedy decoding, cut behind the verdict and reading of it; a reply without a verdict counts as
wrong, as does a prompt that does not fit or is not rendered. The arithmetic is that of the training (`precision`).
Nothing random is drawn, and the model is left as it was found.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.prompt_rendering import render_all, render_answered
from reasrm.inference.prompt_run import ask_all, score_all
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.judging.aggregation import verdict_of_scores
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.judging.verdict import STOP, Verdict, read_verdict
from reasrm.records.comparison import Comparison, Orders, Side, hashed_side, show
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError
from reasrm.training.monitoring.settings import DevSettings, GenerativeDevSettings

DEV_PAIRS = Path("data/pairs/dev.jsonl")
ACCURACY, PAIRS, READABLE, A_SHARE = "dev/accuracy", "dev/pairs", "dev/readable", "dev/verdict_a_share"
NOT_SHOWN = "dev/not_shown"
"""Names of what is logged; the last one only where there are such."""


class DevSet(NamedTuple):
    """What a model in training is judged on, and how."""

    comparisons: tuple[Comparison, ...]
    settings: DevSettings
    variant: PromptVariant | None
    """What a model that writes is asked; None for one that scores answers."""

    @property
    def pairs(self) -> int:
        """Distinct pairs: what an interval counts, since both orders of a pair are no independent outcomes."""
        return len({comparison.pair_id for comparison in self.comparisons})


class DevCounts(NamedTuple):
    """Judgments of dev pairs, counted."""

    judged: int
    right: int
    readable: int
    """Those with a verdict; of a model that scores, those that are no tie."""
    said_a: int
    not_shown: int
    """Those that the model was not asked: the prompt does not fit beside the longest reply, or is not rendered."""


def dev_set(settings: DevSettings | None, seed: int, variant: PromptVariant | None) -> DevSet | None:
    """The dev pairs that a training is judged on; None if it is not.

    Args:
        settings: the training's `dev`.
        seed: the training's, of hashed orders.
        variant: what a model that writes is asked; None for one that scores answers.

    Raises:
        StageError: there are no dev pairs.
    """
    if settings is None:
        return None
    pairs = list(read_records(DEV_PAIRS, PreferencePair))
    if not pairs:
        raise StageError(f"{DEV_PAIRS}: holds no pair to judge on while training: collect some, or set `dev` to null")
    chosen = {pair.id for pair in sorted(pairs, key=lambda one: unit_interval("dev", one.id))[: settings.pairs]}
    both = isinstance(settings, GenerativeDevSettings) and settings.orders is Orders.BOTH
    comparisons = tuple(
        show(pair, side)
        for pair in pairs
        if pair.id in chosen
        for side in (tuple(Side) if both else (hashed_side(pair, seed),))
    )
    return DevSet(comparisons, settings, variant)


def judged_on_dev(model: Any, tokenizer: Any, dev: DevSet, share: slice) -> DevCounts:
    """How `model` judges the `share` of the comparisons that falls to this process."""
    comparisons = dev.comparisons[share]
    with _as_judge(model):
        if dev.variant is None:
            verdicts, not_shown = _scored(model, tokenizer, comparisons, dev.settings)
        else:
            verdicts, not_shown = _written(model, tokenizer, comparisons, dev)
    right = sum(one is comparison.better for one, comparison in zip(verdicts, comparisons, strict=True))
    readable = [one for one in verdicts if one is not None]
    return DevCounts(len(verdicts), right, len(readable), readable.count(Side.A), not_shown)


def dev_metrics(counts: Sequence[DevCounts], dev: DevSet) -> dict[str, float]:
    """What is logged of the counts of all processes; of a model that scores, accuracy and what it was not shown.

    Raises:
        StageError: it was shown nothing, so the figures would say nothing of it.
    """
    judged, right, readable, said_a, not_shown = (sum(column) for column in zip(*counts, strict=True))
    if not_shown == judged:
        settings = dev.settings
        reply = f" beside {settings.max_new_tokens} of a reply" if isinstance(settings, GenerativeDevSettings) else ""
        raise StageError(
            f"{DEV_PAIRS}: none of the {judged} prompts to judge on while training is rendered and fits into the "
            f"model's tokens{reply}: lower `dev.max_new_tokens`, take shorter pairs, or set `dev` to null"
        )
    metrics: dict[str, float] = {ACCURACY: right / judged, PAIRS: dev.pairs}
    if not_shown:
        metrics[NOT_SHOWN] = not_shown / judged
    if dev.variant is not None:
        metrics[READABLE] = readable / judged
        if readable:
            metrics[A_SHARE] = said_a / readable
    return metrics


def _written(
    model: Any, tokenizer: Any, comparisons: Sequence[Comparison], dev: DevSet
) -> tuple[list[Side | None], int]:
    settings = dev.settings
    if not isinstance(settings, GenerativeDevSettings) or dev.variant is None:
        raise TypeError("a model that writes is judged with GenerativeDevSettings and a prompt variant")
    local = _local_settings(model, settings)
    conversations = [judge_prompt(comparison, dev.variant) for comparison in comparisons]
    prompts = render_all(tokenizer, conversations)
    room = local.max_context_tokens - settings.max_new_tokens
    asked = [one for one in prompts.values() if not one.unrenderable and len(one.token_ids) <= room]
    sampling = Sampling(max_new_tokens=settings.max_new_tokens, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
    replies = ask_all(TransformersEngine(local, tokenizer, model), asked, sampling, None, ProgressLine("dev"))
    read = {key: read_verdict(reply.text, reply.finish) for key, reply in replies.items()}
    keys = [prompts[messages].key for messages in conversations]
    return [_side(read.get(key)) for key in keys], sum(key not in read for key in keys)


def _scored(
    model: Any, tokenizer: Any, comparisons: Sequence[Comparison], settings: DevSettings
) -> tuple[list[Side | None], int]:
    local = _local_settings(model, settings)
    answers = [(one.prompt, answer) for one in comparisons for answer in (one.response_a, one.response_b)]
    prompts = render_answered(tokenizer, answers)

    def fits(prompt: Prompt) -> bool:
        return not prompt.unrenderable and len(prompt.token_ids) <= local.max_context_tokens

    engine = ScalarEngine(local, tokenizer, model)
    scores = score_all(engine, [one for one in prompts.values() if fits(one)], None, ProgressLine("dev"))
    pairs = zip(answers[::2], answers[1::2], strict=True)
    found = [(scores.get(prompts[a].key), scores.get(prompts[b].key)) for a, b in pairs]
    verdicts = [None if a is None or b is None else _side(verdict_of_scores(a, b)) for a, b in found]
    return verdicts, sum(None in one for one in found)


def _side(read: Any) -> Side | None:
    if isinstance(read, Verdict):
        return read.side
    return read if isinstance(read, Side) else None


def _local_settings(model: Any, settings: DevSettings) -> LocalModelSettings:
    """How much of it runs at once; where the model lies and in which format is the trainer's."""
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return LocalModelSettings(
        checkpoint=Path(),
        dtype=Dtype.FLOAT32,
        attention=Attention.EAGER,
        batch_size=settings.batch_size,
        batch_tokens=settings.batch_tokens,
        cache_tokens=2**31,  # the two above bound it
        max_context_tokens=positions or 2**31,
        threads=1,
        tensor_parallel=1,
        data_parallel=1,
        memory_share=1.0,
    )


@contextmanager
def _as_judge(model: Any) -> Iterator[None]:
    """Without dropout and gradient checkpoints, which are training's; afterwards everything as before."""
    config, training = model.config.get_text_config(), model.training
    padding = getattr(config, "pad_token_id", None)
    model.eval()
    try:
        yield
    finally:
        config.pad_token_id = padding  # the scalar engine gives one to models that have none
        model.train(training)
