"""Sampled replies as reward terms read them: their text, their verdict, and two metrics of the verdicts.

A reward term is a TRL reward function. TRL calls it with keyword arguments: `completions` (one conversation per reply,
here a single assistant turn), `completion_ids` (their tokens), the columns of the prompt dataset (`better`: side of the
better answer; `prompt_variant`: what was asked; `response_a`, `response_b`: the answers as they are shown;
`max_reply_tokens`: the limit; with both orders in one group also `group`, its number), `log_metric` and more; it
returns one reward per reply. A term reads what it needs.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from reasrm.inference.replies import decode, reply_from_text
from reasrm.judging.verdict import STOP, Unreadable, Verdict, drawing_end, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply

RewardFunction = Callable[..., list[float]]
Completions = Sequence[Sequence[dict[str, str]]]
LogMetric = Callable[[str, float], None]
"""Takes the name and the value of a metric of this batch; TRL averages what it is given under one name."""


def as_judged(term: RewardFunction, tokenizer: Any, opened: str) -> RewardFunction:
    """`term` on replies as judging reads them: with the marks of thoughts, also the opened one, and how they ended.

    TRL hands over the text without special tokens, of which a vocabulary's `<think>` may be one, and without what the
    template wrote (`opened`); there a thought that rehearses a verdict would pass for the reply. So the text is decoded
    here, from the sampled tokens; and a reply that no end-of-turn token ends was cut off by the token limit.
    """

    @wraps(term)  # TRL names the term's curves by its name
    def judged(completions: Completions, completion_ids: Sequence[Sequence[int]], **columns: Any) -> list[float]:
        whole = [
            [completion[0] | {"content": opened + decode(tokenizer, ids), "finish": reply_finish(tokenizer, ids)}]
            for completion, ids in zip(completions, completion_ids, strict=True)
        ]
        return term(completions=whole, completion_ids=completion_ids, **columns)

    return judged


def judged_reply(tokenizer: Any, opened: str, token_ids: Sequence[int]) -> tuple[Reply, Finish, str]:
    """A sampled reply as judging reads it, how its sampling ended, and what no judge reads of it.

    Args:
        tokenizer: of the model that wrote it.
        opened: the opened thought that the chat template wrote.
        token_ids: the sampled tokens, with the end-of-turn token if there is one.
    """
    text, finish = opened + decode(tokenizer, token_ids), reply_finish(tokenizer, token_ids)
    reply = reply_from_text(text, finish, 0, len(token_ids), STOP)
    return reply, finish, text[len(reply.text) :]


def reply_texts(completions: Completions) -> list[str]:
    """The text of each reply as it was sampled, to its end-of-sequence token."""
    return [completion[0]["content"] for completion in completions]


def cut_at_stop(text: str) -> str:
    """The reply as every engine cuts it while it judges: nothing behind its verdict, which a sampler may go on from."""
    return text[: drawing_end(text)]


def read_verdicts(completions: Completions, log_metric: LogMetric) -> list[Verdict | Unreadable]:
    """The verdict of each reply.

    Logs the metrics `readable` (share of replies with a verdict) and `verdict_a_share` (share of the verdicts that name
    A). Each term of a reward may call this: the mean of equal values is that value.
    """
    verdicts = [_verdict(completion[0]) for completion in completions]
    sides = [verdict.side for verdict in verdicts if isinstance(verdict, Verdict)]
    log_metric("readable", len(sides) / len(verdicts))
    if sides:
        log_metric("verdict_a_share", sides.count(Side.A) / len(sides))
    return verdicts


def right_verdicts(completions: Completions, better: Sequence[str], log_metric: LogMetric) -> list[bool]:
    """Whether each reply names the side of the better answer; an unreadable one does not."""
    return [
        isinstance(verdict, Verdict) and verdict.side is Side(side)
        for verdict, side in zip(read_verdicts(completions, log_metric), better, strict=True)
    ]


def _verdict(reply: dict[str, str]) -> Verdict | Unreadable:
    """The verdict of a reply that is cut where an engine cuts it; it ended by itself if nothing else is said."""
    judged = reply_from_text(cut_at_stop(reply["content"]), Finish(reply.get("finish", Finish.STOP)), 0, 0, STOP)
    return read_verdict(judged.text, judged.finish)


def reply_finish(tokenizer: Any, token_ids: Sequence[int]) -> Finish:
    """How a sampled reply ended: by itself where its last token is one of the chat's, which no text shows."""
    return Finish.LENGTH if decode(tokenizer, token_ids[-1:]) else Finish.STOP
