"""From what an engine drew to a `Reply`: one way of cutting, counting and finding the verdict's probability.

A token may straddle the stop text (`>[[` after `</answer`), and engines differ in what they return then; so every reply
is cut here and nowhere else, behind the first stop text that is neither quoted nor thought (`verdict.reply_end`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stages.inference.engine import Prompt
from stages.judging.verdict import Verdict, read_verdict, reply_end
from stages.records.reply import Finish, Reply

LOGPROB_DIGITS = 6


@dataclass(frozen=True, slots=True)
class DrawnTokens:
    """The tokens of one reply as a local engine drew them."""

    token_ids: Sequence[int]
    """An end-of-turn token may end them."""
    logprobs: Sequence[float] | None
    """Log probability (nats) of each token given all before it; None if the engine gives none."""
    finish: Finish
    completion_tokens: int
    """All drawn tokens, the end-of-turn token included: what the reply cost."""


def reply_from_text(text: str, finish: Finish, prompt_tokens: int, completion_tokens: int, stop: str) -> Reply:
    """The reply of an engine that returns text."""
    end = reply_end(text, stop)
    ended = Finish.STOP if end is not None and finish is Finish.LENGTH else finish
    return Reply(text=text[:end], finish=ended, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)


def reply_from_tokens(tokenizer: Any, drawn: DrawnTokens, prompt: Prompt, stop: str) -> Reply:
    """The reply of an engine that returns tokens of `tokenizer`, with its verdict's log probability."""
    whole = prompt.head + decode(tokenizer, drawn.token_ids)
    reply = reply_from_text(whole, drawn.finish, len(prompt.token_ids), drawn.completion_tokens, stop)
    return reply.model_copy(update={"verdict_logprob": _verdict_logprob(tokenizer, drawn, reply, len(prompt.head))})


def decode(tokenizer: Any, token_ids: Sequence[int]) -> str:
    """The text of `token_ids`, chat tokens left out, spaces as they are."""
    text = tokenizer.decode(list(token_ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(text)


def _verdict_logprob(tokenizer: Any, drawn: DrawnTokens, reply: Reply, given: int) -> float | None:
    """Of the verdict's letter, behind the first `given` characters of the reply, which were not drawn."""
    verdict = read_verdict(reply.text, reply.finish)
    if drawn.logprobs is None or not isinstance(verdict, Verdict):
        return None
    letter = reply.text.index("[[", verdict.start) + 2 - given
    last = len(drawn.token_ids)
    while last > 1 and len(decode(tokenizer, drawn.token_ids[: last - 1])) > letter:
        last -= 1
    return round(drawn.logprobs[last - 1], LOGPROB_DIGITS)
