"""How a judge is asked and read: our own prompt in one of its variants, or a published judge's."""

from dataclasses import dataclass
from typing import Any, Protocol

from stages.inference.published_judges.prompt_file import PublishedJudge
from stages.inference.published_judges.reply_readers import Reading, ReplyReader, read_reply
from stages.judging.chain_of_rubrics import PromptVariant, instruction
from stages.judging.prompt import judge_prompt
from stages.judging.verdict import STOP
from stages.records.comparison import Comparison
from stages.records.content_hash import content_hash
from stages.records.pair import Message
from stages.records.reply import Reply


class JudgeForm(Protocol):
    """From a comparison to messages, and from a reply to a side."""

    @property
    def stop(self) -> str:
        """The text behind which a reply is cut; empty if it runs to its own end."""
        ...

    def prompt(self, comparison: Comparison) -> tuple[Message, ...]:
        """The messages that show `comparison`."""
        ...

    def read(self, reply: Reply) -> Reading:
        """The side that `reply` names, or why it names none; scores where the judge gives scores."""
        ...

    def identity(self) -> dict[str, Any]:
        """What is asked, in short."""
        ...


@dataclass(frozen=True, slots=True)
class OwnForm:
    """Our prompt; the reply ends with its verdict."""

    variant: PromptVariant
    stop: str = STOP

    def prompt(self, comparison: Comparison) -> tuple[Message, ...]:
        """Instruction and case."""
        return judge_prompt(comparison, self.variant)

    def read(self, reply: Reply) -> Reading:
        """The last `<answer>`."""
        return read_reply(ReplyReader.LAST_ANSWER, reply)

    def identity(self) -> dict[str, Any]:
        """The variant and the hash of its instruction."""
        return {"prompt": self.variant.value, "instruction": content_hash(instruction(self.variant))}


@dataclass(frozen=True, slots=True)
class PublishedForm:
    """A published judge's prompt; its reply runs to its end, since it may think aloud about the answer's form."""

    judge: PublishedJudge
    stop: str = ""

    def prompt(self, comparison: Comparison) -> tuple[Message, ...]:
        """The judge's own texts, filled."""
        return self.judge.prompt(comparison)

    def read(self, reply: Reply) -> Reading:
        """By the judge's own rule."""
        return read_reply(self.judge.reader, reply)

    def identity(self) -> dict[str, Any]:
        """Name and hashes of the texts."""
        return self.judge.identity()
