"""An engine whose replies a function writes: for tests, and for a rule (the longer answer wins) as a judge."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reasrm.inference.engine import Answered, Prompt, Sampling, one_by_one
from reasrm.inference.replies import reply_from_text
from reasrm.records.pair import Message
from reasrm.records.reply import Finish


class ScriptedEngine:
    """Replies with what `script` makes of the messages; keeps the prompts that it was given."""

    def __init__(self, script: Callable[[tuple[Message, ...]], str], name: str) -> None:
        """`name` identifies the script in ledgers and identity files."""
        self._script = script
        self._name = name
        self.starts = 0
        self.asked: list[Prompt] = []
        """Every prompt that it replied to, in order."""

    def identity(self) -> dict[str, Any]:
        """The script's name."""
        return {"engine": "scripted", "script": self._name}

    def batches(self, prompts: Sequence[Prompt], _sampling: Sampling) -> list[range]:
        """Each prompt by itself."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with the script's reply; words stand for tokens."""
        for prompt in prompts:
            self.asked.append(prompt)
            text = prompt.head + self._script(prompt.messages)
            yield prompt, reply_from_text(text, Finish.STOP, prompt.length, len(text.split()), sampling.stop)

    def close(self) -> None:
        """Nothing to free."""
