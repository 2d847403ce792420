"""One judge, many prompts, one engine start: each distinct prompt once, sorted by length, resumable through a ledger.

The unit of the ledger is the engine's batch, because replies of one batch may depend on each other in the last bits: a
resumed run forms the same batches, asks those that are missing, and so ends with the same bytes as an uninterrupted
one. What a kill loses is at most the batch in progress.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from stages.inference.engine import Engine, Prompt, Sampling
from stages.inference.scalar_engine import ScalarEngine
from stages.records.content_hash import content_hash
from stages.records.jsonl import read_rows
from stages.records.ledger import FINAL, Ledger
from stages.records.reply import Reply
from stages.runtime.progress import ProgressLine
from stages.runtime.stage_main import StageError


def ask_all(
    engine: Engine, prompts: Sequence[Prompt], sampling: Sampling, ledger: Ledger, progress: ProgressLine
) -> dict[str, Reply]:
    """Ask `engine` every distinct prompt that `ledger` does not hold yet; return all replies by `Prompt.key`."""
    distinct = sorted({prompt.key: prompt for prompt in prompts}.values(), key=lambda p: (p.length, p.key))
    batches = [distinct[batch.start : batch.stop] for batch in engine.batches(distinct)]
    keys = _batch_keys([engine.identity(), sampling.model_dump(mode="json")], batches)
    missing = [(key, batch) for key, batch in zip(keys, batches, strict=True) if key not in ledger]
    _ask(engine, missing, sampling, ledger, progress, len(distinct))
    return dict(_kept(ledger, keys, batches))


def score_all(engine: ScalarEngine, conversations: Sequence[Prompt], ledger: Ledger) -> dict[str, float]:
    """Score every distinct conversation that `ledger` does not hold yet; return all scores by `Prompt.key`."""
    distinct = sorted({one.key: one for one in conversations}.values(), key=lambda p: (p.length, p.key))
    batches = [distinct[batch.start : batch.stop] for batch in engine.batches(distinct)]
    keys = _batch_keys([engine.identity()], batches)
    missing = [(key, batch) for key, batch in zip(keys, batches, strict=True) if key not in ledger]
    scores = engine.score([one.token_ids for _, batch in missing for one in batch])
    for key, batch in missing:
        ledger.append(key, FINAL, {"scores": list(islice(scores, len(batch)))})
    return {
        one.key: float(score)
        for key, batch in zip(keys, batches, strict=True)
        for one, score in zip(batch, _entry(ledger, key)["scores"], strict=True)
    }


def _ask(
    engine: Engine,
    missing: Sequence[tuple[str, list[Prompt]]],
    sampling: Sampling,
    ledger: Ledger,
    progress: ProgressLine,
    total: int,
) -> None:
    to_ask = [prompt for _, batch in missing for prompt in batch]
    done = total - len(to_ask)
    replies = engine.generate(to_ask, sampling) if to_ask else iter(())
    for key, batch in missing:
        got = list(islice(replies, len(batch)))
        if len(got) != len(batch):
            raise RuntimeError(f"the engine gave {len(got)} replies to {len(batch)} prompts")
        asked = {"seed": sampling.seed, "prompts": [prompt.text_key for prompt in batch]}
        ledger.append(key, FINAL, asked | {"replies": [reply.model_dump(mode="json") for reply in got]})
        done += len(batch)
        progress.show(f"{done:,} of {total:,} prompts")


def recorded_replies(path: Path) -> Iterator[tuple[tuple[str, int], Reply]]:
    """All replies of the ledger at `path`, each with its `Prompt.text_key` and the seed it was drawn with.

    Raises:
        StageError: there is no such ledger.
    """
    if not path.is_file():
        raise StageError(f"{path}: no ledger there; judge once with an engine that can be asked")
    for _, entry in read_rows(path):
        for prompt, reply in zip(entry.get("prompts", ()), entry.get("replies", ()), strict=True):
            yield (prompt, entry["seed"]), Reply.model_validate(reply)


def _batch_keys(asked_of: list[Any], batches: Sequence[Sequence[Prompt]]) -> list[str]:
    """The ledger key of each batch: who was asked, how, and exactly what."""
    judge = content_hash(asked_of)
    return [content_hash([judge, [prompt.key for prompt in batch]]) for batch in batches]


def _kept(ledger: Ledger, keys: Sequence[str], batches: Sequence[Sequence[Prompt]]) -> Iterator[tuple[str, Reply]]:
    for key, batch in zip(keys, batches, strict=True):
        for prompt, reply in zip(batch, _entry(ledger, key)["replies"], strict=True):
            yield prompt.key, Reply.model_validate(reply)


def _entry(ledger: Ledger, key: str) -> dict[str, Any]:
    entry = ledger.get(key)
    assert entry is not None, "the batch was just written"
    return entry
