"""How a judge is prompted and how its replies are read: our own prompt in one of its variants, or a published judge's.

A comparison is one prompt, or two where a judge rates each answer by itself; a judgment keeps the replies to both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reasrm.evaluation.published_judges.prompt_file import PublishedJudge
from reasrm.evaluation.published_judges.reply_readers import (
    FORCED_VERDICTS,
    ForcedVerdict,
    ReplyReader,
    read_ratings,
    read_reply,
)
from reasrm.judging.aggregation import Reading
from reasrm.judging.chain_of_rubrics import PromptVariant, instruction
from reasrm.judging.prompt import judge_prompt
from reasrm.judging.verdict import STOP
from reasrm.records.comparison import Comparison, Side
from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message
from reasrm.records.reply import Finish, Reply

Conversation = tuple[Message, ...]


class JudgeTemplate(Protocol):
    """From a comparison to the messages of its prompts, and from the replies to a side."""

    @property
    def stop(self) -> str:
        """The text behind which a reply is cut; empty if it runs to its own end."""
        ...

    @property
    def begins(self) -> str:
        """Text with which every reply begins, because the prompt already holds it; mostly empty."""
        ...

    @property
    def forced_verdict(self) -> ForcedVerdict:
        """How the judge is made to give its verdict where a token budget ends."""
        ...

    def prompts(self, comparison: Comparison) -> tuple[Conversation, ...]:
        """The messages of each prompt about `comparison`: one prompt, or one for each answer, A's first."""
        ...

    def read(self, replies: Sequence[Reply]) -> Reading:
        """The side that the replies to `prompts` name, or why they name none; scores where the judge gives scores."""
        ...

    def identity(self) -> dict[str, Any]:
        """Names and hashes of the prompt's texts, for identity.json."""
        ...


@dataclass(frozen=True, slots=True)
class RubricsTemplate:
    """Our Chain-of-Rubrics prompt in one of its variants; the reply ends with its verdict."""

    variant: PromptVariant
    stop: str = STOP
    begins: str = ""
    forced_verdict: ForcedVerdict = FORCED_VERDICTS[ReplyReader.LAST_ANSWER]
    defused: bool = True
    """Whether imitated delimiters and tags in the texts are made harmless; false only to measure what that is worth."""

    def prompts(self, comparison: Comparison) -> tuple[Conversation, ...]:
        """The variant's instruction, then conversation and answers."""
        return (judge_prompt(comparison, self.variant, defused=self.defused),)

    def read(self, replies: Sequence[Reply]) -> Reading:
        """The last `<answer>`."""
        (reply,) = replies
        return read_reply(ReplyReader.LAST_ANSWER, reply)

    def identity(self) -> dict[str, Any]:
        """The variant and the hash of its instruction."""
        return {"prompt": self.variant.value, "instruction": content_hash(instruction(self.variant))}


@dataclass(frozen=True, slots=True)
class PublishedTemplate:
    """A published judge's prompt; its reply runs to its end, since its thoughts may mention the verdict's form."""

    judge: PublishedJudge
    stop: str = ""

    @property
    def begins(self) -> str:
        """As its file says."""
        return self.judge.texts.begins

    @property
    def forced_verdict(self) -> ForcedVerdict:
        """In the form that its reader reads."""
        return FORCED_VERDICTS[self.judge.reader]

    def prompts(self, comparison: Comparison) -> tuple[Conversation, ...]:
        """The judge's own texts, filled."""
        return self.judge.prompts(comparison)

    def read(self, replies: Sequence[Reply]) -> Reading:
        """By the judge's own rule."""
        if self.judge.texts.rates_alone:
            return read_ratings(self.judge.reader, replies)
        (reply,) = replies
        return read_reply(self.judge.reader, reply, self.judge.alphabet)

    def identity(self) -> dict[str, Any]:
        """Name and hashes of the texts."""
        return self.judge.identity()


def joined_reply(replies: Sequence[Reply]) -> Reply:
    """The replies to one comparison as one record: both texts, named; all tokens; the worse of both ends."""
    if len(replies) == 1:
        return replies[0]
    return Reply(
        text="\n\n".join(f"[{side}] {reply.text}" for side, reply in zip(Side, replies, strict=True)),
        finish=max((reply.finish for reply in replies), key=list(Finish).index),
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
    )
