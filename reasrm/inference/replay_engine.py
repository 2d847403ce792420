"""An engine that gives the replies of a ledger again: a judge whose model is gone, or too dear to ask twice.

A ledger belongs to a model's name, and a name may have stood for several judges (a checkpoint trained again, another
dtype): only one of them is replayed, and only what it was asked in the same way.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from reasrm.inference.engine import Answered, Prompt, Sampling, one_by_one
from reasrm.inference.prompt_run import recorded_replies
from reasrm.records.content_hash import canonical_json
from reasrm.records.reply import Reply
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.work_folder import LEDGERS, file_hash

IDENTITY = "identity.json"


class ReplayEngine:
    """Replies from `ledgers/judge-<model>.jsonl`."""

    def __init__(self, source: Path) -> None:
        """Read all replies of one judge.

        Args:
            source: the ledger, if one judge alone was asked there; else `data/judgments/<model>/identity.json`, which
                names the judge that gave those judgments.

        Raises:
            StageError: there is no such ledger, several judges were asked, or the one that is named was not.
        """
        named = _engine_of(source) if source.name == IDENTITY else None
        self._ledger = LEDGERS / f"judge-{source.parent.name}.jsonl" if named else source
        by_judge: dict[bytes, dict[tuple[str, Sampling], Reply]] = defaultdict(dict)
        for one in recorded_replies(self._ledger):
            by_judge[canonical_json(one.engine)][one.prompt, one.sampling] = one.reply
        judge = self._chosen(list(by_judge), canonical_json(named) if named else None)
        self._judge, self._replies = orjson.loads(judge), by_judge[judge]
        self.starts = 1

    def identity(self) -> dict[str, Any]:
        """The hash of what is replayed, and who was asked then."""
        return {"engine": "replay", "ledger": file_hash(self._ledger), "replayed": self._judge}

    def batches(self, prompts: Sequence[Prompt]) -> list[range]:
        """Each prompt by itself."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with the recorded reply.

        Raises:
            StageError: one was never recorded, or was drawn in another way.
        """
        for prompt in prompts:
            asked = (prompt.text_key, sampling)
            if asked not in self._replies:
                raise StageError(self._absent(prompt, sampling))
            yield prompt, self._replies[asked]

    def close(self) -> None:
        """Nothing to free."""

    def _chosen(self, judges: list[bytes], named: bytes | None) -> bytes:
        listed = "".join(f"\n  {judge.decode()}" for judge in judges)
        if named is not None and named not in judges:
            raise StageError(f"{self._ledger}: the judge {named.decode()} was never asked; these were:{listed}")
        if named is None and len(judges) != 1:
            raise StageError(
                f"{self._ledger}: holds replies of {len(judges)} judges; as `checkpoint` name the {IDENTITY} of the "
                f"judgments that you want again (data/judgments/<model>/{IDENTITY}):{listed}"
            )
        return named or judges[0]

    def _absent(self, prompt: Prompt, sampling: Sampling) -> str:
        said = f"{self._ledger}: no reply to the prompt that begins {prompt.messages[-1].content[:60]!r}"
        ways = sorted({way.model_dump_json() for text, way in self._replies if text == prompt.text_key})
        if not ways:
            return f"{said}; it was recorded with other prompts"
        return f"{said} that was drawn with {sampling.model_dump_json()}; recorded are: {' '.join(ways)}"


def _engine_of(file: Path) -> dict[str, Any]:
    """The judge that an identity.json names.

    Raises:
        StageError: there is none.
    """
    try:
        return dict(orjson.loads(file.read_bytes())["engine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(f"{file}: cannot be read as the {IDENTITY} of judgments ({error!r})") from error
