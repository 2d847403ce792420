"""From what an engine drew to a `Reply`: cutting, counting and finding the verdict's probability, the same for all.

A token may straddle the stop text (`>[[` after `</answer`), and engines differ in what they return then, and in how
they know it (`</Answer >`); so every reply is cut here and nowhere else, behind the first stop text that is neither
quoted nor thought. Where tokens were drawn here, what the prompt began is known, and the cut is that of a reply that is
looked at while it grows (`verdict.drawing_end`), as in training; a service's whole text is cut by `verdict.reply_end`.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from reasrm.inference.engine import Prompt
from reasrm.judging.thought_marks import is_mark_token
from reasrm.judging.verdict import Verdict, drawing_end, ending_letter, read_verdict, reply_end
from reasrm.records.reply import Finish, Reply

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
    whole = whole[: drawing_end(whole, stop)]
    reply = reply_from_text(whole, drawn.finish, len(prompt.token_ids), drawn.completion_tokens, stop)
    letter = verdict_letter(reply, stop)
    if letter is None or drawn.logprobs is None:
        return reply
    place = letter - len(prompt.head)
    logprob = _logprob_at(place, lambda count: len(decode(tokenizer, drawn.token_ids[:count])), drawn.logprobs)
    return reply.model_copy(update={"verdict_logprob": logprob})


def decode(tokenizer: Any, token_ids: Sequence[int]) -> str:
    """The text of `token_ids`, spaces as they are; chat tokens are left out, but for those that mark a thought.

    In some vocabularies `<think>` is a special token, or a channel's mark; without it a thought would pass for the
    reply.
    """
    ids, left_out = list(token_ids), _left_out(tokenizer)
    if left_out is not None:
        ids = [one for one in ids if one not in left_out]
    text = tokenizer.decode(ids, skip_special_tokens=left_out is None, clean_up_tokenization_spaces=False)
    return str(text)


@lru_cache(maxsize=8)
def _left_out(tokenizer: Any) -> frozenset[int] | None:
    """The special tokens that no reply's text shows; None: all of them, since none marks a thought."""
    added = {
        id_: token.content for id_, token in getattr(tokenizer, "added_tokens_decoder", {}).items() if token.special
    }
    special = added | dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
    shown = {id_ for id_, token in special.items() if is_mark_token(token)}
    return frozenset(special.keys() - shown) if shown else None


def verdict_letter(reply: Reply, stop: str) -> int | None:
    """Where the verdict's letter stands in the reply's text; None if there is none, or two rules would find two.

    A reply without a stop text is a published judge's: its verdict may also be the brackets that end the reply.
    """
    read, ending = read_verdict(reply.text, reply.finish), None if stop else ending_letter(reply.text)
    places = {read.letter} if isinstance(read, Verdict) else set()
    places |= set() if ending is None else {ending}
    return places.pop() if len(places) == 1 else None


def logprob_in_pieces(written: str, place: int, pieces: Sequence[tuple[bytes, float]]) -> float | None:
    """The log probability of the piece that holds character `place` of `written`; None if the pieces do not show it.

    A service's pieces are bytes, since a character may be split among several. They may begin with thoughts that are no
    part of `written`, and a split character may be damaged in them: so the place is counted from the end.
    """
    at = b"".join(piece for piece, _ in pieces).rfind(written[place:].encode(errors="replace"))
    ends = list(accumulate(len(piece) for piece, _ in pieces))
    return None if at < 0 else _logprob_at(at, lambda count: ends[count - 1], [logprob for _, logprob in pieces])


def _logprob_at(place: int, length_after: Callable[[int], int], logprobs: Sequence[float]) -> float | None:
    """Of the first piece behind which the text is longer than `place`; `length_after` counts that text.

    Looked for from the end in growing steps: verdicts stand there, and counting costs as much as decoding.
    """
    high, step = len(logprobs), 1
    while high > step and length_after(high - step) > place:
        high, step = high - step, 2 * step
    low = max(0, high - step)
    at = low + bisect_right(range(low + 1, high + 1), place, key=length_after)
    return round(logprobs[at], LOGPROB_DIGITS) if place >= 0 and at < len(logprobs) else None
