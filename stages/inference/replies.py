"""From what an engine drew to a `Reply`: one way of cutting, counting and finding the verdict's probability.

A token may straddle the stop text (`>[[` after `</answer`), and engines differ in what they return then; so every reply
is cut here, behind the first stop text, and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stages.judging.verdict import Verdict, read_verdict
from stages.records.reply import Finish, Reply

LOGPROB_DIGITS = 6


@dataclass(frozen=True, slots=True)
class DrawnTokens:
    """The tokens of one reply as a local engine drew them."""

    token_ids: Sequence[int]
    """Without the end-of-turn token."""
    logprobs: Sequence[float] | None
    """Log probability (nats) of each token given all before it; None if the engine gives none."""
    finish: Finish
    completion_tokens: int
    """All drawn tokens, the end-of-turn token included: what the reply cost."""


def cut_at(text: str, stop: str) -> str:
    """`text` up to and including the first `stop`; all of it if there is none, or if `stop` is empty."""
    at = text.find(stop) if stop else -1
    return text if at < 0 else text[: at + len(stop)]


def reply_from_text(text: str, finish: Finish, prompt_tokens: int, completion_tokens: int, stop: str) -> Reply:
    """The reply of an engine that returns text."""
    cut = cut_at(text, stop)
    ended = Finish.STOP if stop and cut.endswith(stop) and finish is Finish.LENGTH else finish
    return Reply(text=cut, finish=ended, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)


def reply_from_tokens(tokenizer: Any, drawn: DrawnTokens, prompt_tokens: int, stop: str) -> Reply:
    """The reply of an engine that returns tokens of `tokenizer`, with its verdict's log probability."""
    whole = decode(tokenizer, drawn.token_ids)
    reply = reply_from_text(whole, drawn.finish, prompt_tokens, drawn.completion_tokens, stop)
    return reply.model_copy(update={"verdict_logprob": _verdict_logprob(tokenizer, drawn, reply)})


def decode(tokenizer: Any, token_ids: Sequence[int]) -> str:
    """The text of `token_ids`, chat tokens left out, spaces as they are."""
    text = tokenizer.decode(list(token_ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(text)


def _verdict_logprob(tokenizer: Any, drawn: DrawnTokens, reply: Reply) -> float | None:
    verdict = read_verdict(reply.text, reply.finish)
    if drawn.logprobs is None or not isinstance(verdict, Verdict):
        return None
    letter = reply.text.index("[[", verdict.start) + 2
    last = len(drawn.token_ids)
    while last > 1 and len(decode(tokenizer, drawn.token_ids[: last - 1])) > letter:
        last -= 1
    return round(drawn.logprobs[last - 1], LOGPROB_DIGITS)
