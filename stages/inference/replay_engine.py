"""An engine that gives the replies of a ledger again: a judge whose model is gone, or too dear to ask twice."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stages.inference.engine import Prompt, Sampling, one_by_one
from stages.inference.judging_run import recorded_replies
from stages.records.reply import Reply
from stages.runtime.stage_main import StageError
from stages.runtime.work_folder import file_hash


class ReplayEngine:
    """Replies from `ledgers/judge-<model>.jsonl`, whoever was asked then."""

    def __init__(self, ledger: Path) -> None:
        """Read all replies that `ledger` holds."""
        self._ledger = ledger
        self._replies = dict(recorded_replies(ledger))
        self.starts = 1

    def identity(self) -> dict[str, Any]:
        """The hash of what is replayed."""
        return {"engine": "replay", "ledger": file_hash(self._ledger)}

    def batches(self, prompts: Sequence[Prompt]) -> list[range]:
        """Each prompt by itself."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Reply]:
        """Yield the recorded replies.

        Raises:
            StageError: one was never recorded.
        """
        for prompt in prompts:
            asked = (prompt.text_key, sampling.seed)
            if asked not in self._replies:
                raise StageError(
                    f"{self._ledger}: no reply to the prompt that begins {prompt.messages[-1].content[:60]!r}; it was "
                    "recorded with other prompts, or another seed"
                )
            yield self._replies[asked]

    def close(self) -> None:
        """Nothing to free."""
