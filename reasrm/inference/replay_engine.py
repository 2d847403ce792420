"""An engine that gives the replies of a ledger again, for a model that is gone or too expensive to ask twice.

A ledger belongs to a model's name, and a name may have stood for several engines (a checkpoint trained again, another
dtype): only one of them is replayed, and only its replies to the same prompts with the same sampling.
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
from reasrm.runtime.kept_folders import ledger_file
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.work_folder import file_hash

IDENTITY = "identity.json"
SERVICE = "api"
"""The engine, as an identity names it, whose replies cost money."""


class ReplayEngine:
    """Replies from `ledgers/judge-<model>.jsonl`."""

    def __init__(self, source: Path) -> None:
        """Read all replies of one engine.

        Args:
            source: the ledger, if it holds replies of one engine; else `data/judgments/<model>/identity.json`, which
                names the engine that gave those judgments.

        Raises:
            StageError: there is no such ledger, it holds several engines, or not the one that is named.
        """
        named = _engine_of(source) if source.name == IDENTITY else None
        self._ledger = source
        if named:
            self._ledger = ledger_file(f"judge-{source.parent.name}", paid=named.get("engine") == SERVICE)
        by_engine: dict[bytes, dict[tuple[str, Sampling], Reply]] = defaultdict(dict)
        for one in recorded_replies(self._ledger):
            by_engine[canonical_json(one.engine)][one.prompt, one.sampling] = one.reply
        engine = self._chosen(list(by_engine), canonical_json(named) if named else None)
        self._replayed, self._replies = orjson.loads(engine), by_engine[engine]
        self.starts = 1

    def identity(self) -> dict[str, Any]:
        """The hash of the ledger, and the identity of the engine that is replayed."""
        return {"engine": "replay", "ledger": file_hash(self._ledger), "replayed": self._replayed}

    def batches(self, prompts: Sequence[Prompt], _sampling: Sampling) -> list[range]:
        """Each prompt by itself."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with the recorded reply.

        Raises:
            StageError: one was never recorded, or with another sampling only.
        """
        for prompt in prompts:
            key = (prompt.text_key, sampling)
            if key not in self._replies:
                raise StageError(self._missing(prompt, sampling))
            yield prompt, self._replies[key]

    def close(self) -> None:
        """Nothing to free."""

    def _chosen(self, engines: list[bytes], named: bytes | None) -> bytes:
        listed = "".join(f"\n  {engine.decode()}" for engine in engines)
        if named is not None and named not in engines:
            raise StageError(f"{self._ledger}: no replies of the engine {named.decode()}, only of:{listed}")
        if named is None and len(engines) != 1:
            raise StageError(
                f"{self._ledger}: holds replies of {len(engines)} engines; as `checkpoint` name the {IDENTITY} of the "
                f"judgments that you want again (data/judgments/<model>/{IDENTITY}):{listed}"
            )
        return named or engines[0]

    def _missing(self, prompt: Prompt, sampling: Sampling) -> str:
        message = f"{self._ledger}: no reply to the prompt that begins {prompt.messages[-1].content[:60]!r}"
        recorded = sorted({other.model_dump_json() for text, other in self._replies if text == prompt.text_key})
        if not recorded:
            return f"{message}; it was recorded with other prompts"
        return f"{message} with the sampling {sampling.model_dump_json()}; recorded are: {' '.join(recorded)}"


def _engine_of(file: Path) -> dict[str, Any]:
    """The engine that an identity.json names.

    Raises:
        StageError: there is none.
    """
    try:
        return dict(orjson.loads(file.read_bytes())["engine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(f"{file}: cannot be read as the {IDENTITY} of judgments ({error!r})") from error
