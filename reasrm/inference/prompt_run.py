"""One judge, many prompts, one engine start: each distinct prompt once, sorted by length, resumable through a ledger.

The unit of the ledger is the engine's batch, because replies of one batch may depend on each other in the last bits
(`docs/decisions/006-batches-in-the-ledger.md`): a resumed run forms the same batches, asks those that are missing, and
so ends with the same bytes as an uninterrupted one. What a kill loses is at most what was being computed; a service's
replies are their own batches. Each entry says who was asked and how, so that it can be replayed (`replay_engine`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from reasrm.inference.engine import Answered, Engine, Prompt, Sampling
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.records.content_hash import content_hash
from reasrm.records.jsonl import read_rows
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError, StoppedResumable

Batches = dict[str, list[Prompt]]
"""By ledger key: who is asked, how, and exactly what."""
Value = TypeVar("Value")


def ask_all(
    engine: Engine, prompts: Iterable[Prompt], sampling: Sampling, ledger: Ledger, progress: ProgressLine
) -> dict[str, Reply]:
    """Ask `engine` every distinct prompt that `ledger` does not hold yet; return all replies by `Prompt.key`.

    Raises:
        StoppedResumable: a service stopped answering; `ledger` holds every reply that came.
    """
    who = _who(engine, sampling)
    batches = _batches(engine, prompts, list(who.values()))
    missing = _missing(batches, ledger)
    to_ask = [prompt for batch in missing.values() for prompt in batch]
    total = sum(map(len, batches.values()))
    answers = _shown(engine.generate(to_ask, sampling), progress, total - len(to_ask), total) if to_ask else ()
    try:
        for key, batch, replies in _whole(missing, answers):
            asked = who | {"prompts": [prompt.text_key for prompt in batch]}
            ledger.append(key, FINAL, asked | {"replies": [reply.model_dump(mode="json") for reply in replies]})
    except StoppedResumable as stop:
        raise StoppedResumable(f"{stop}; every reply so far is kept, the same command goes on") from stop
    return {key: Reply.model_validate(reply) for key, reply in _kept(ledger, batches, "replies")}


def score_all(engine: ScalarEngine, conversations: Iterable[Prompt], ledger: Ledger) -> dict[str, float]:
    """Score every distinct conversation that `ledger` does not hold yet; return all scores by `Prompt.key`."""
    batches = _batches(engine, conversations, [engine.identity()])
    missing = _missing(batches, ledger)
    to_ask = [one for batch in missing.values() for one in batch]
    scores = zip(to_ask, engine.score([one.token_ids for one in to_ask]), strict=True) if to_ask else ()
    for key, _, found in _whole(missing, scores):
        ledger.append(key, FINAL, {"scores": found})
    return {key: float(score) for key, score in _kept(ledger, batches, "scores")}


def note_too_long(engine: Engine, prompts: Iterable[Prompt], sampling: Sampling, ledger: Ledger) -> None:
    """Keep that `prompts` were not asked because they do not fit, so that a replay gives the same judgments."""
    keys = sorted({prompt.text_key for prompt in prompts})
    who = _who(engine, sampling)
    key = content_hash([content_hash(list(who.values())), "too long", keys])
    if keys and key not in ledger:
        ledger.append(key, FINAL, who | {"prompts": [], "replies": [], "too_long": keys})


class Recorded(NamedTuple):
    """One reply of a ledger."""

    engine: dict[str, Any]
    """Who was asked: the engine's identity."""
    sampling: Sampling
    prompt: str
    """`Prompt.text_key`."""
    reply: Reply


def recorded_replies(path: Path) -> Iterator[Recorded]:
    """All replies of the ledger at `path`, prompts that were too long included.

    Raises:
        StageError: there is no such ledger, or it does not say who was asked.
    """
    if not path.is_file():
        raise StageError(f"{path}: no ledger there; judge once with an engine that can be asked")
    too_long = Reply(text="", finish=Finish.TOO_LONG, prompt_tokens=0, completion_tokens=0)
    for number, entry in read_rows(path):
        if "replies" not in entry:
            continue
        if "engine" not in entry:
            raise StageError(f"{path} line {number}: does not say who was asked, so it cannot be replayed; judge again")
        engine, sampling = entry["engine"], Sampling.model_validate(entry["sampling"])
        for prompt, reply in zip(entry["prompts"], entry["replies"], strict=True):
            yield Recorded(engine, sampling, prompt, Reply.model_validate(reply))
        for prompt in entry.get("too_long", ()):
            yield Recorded(engine, sampling, prompt, too_long)


class _Batching(Protocol):
    """What cuts prompts into batches."""

    def batches(self, prompts: Sequence[Prompt], /) -> list[range]: ...


def _who(engine: Engine, sampling: Sampling) -> dict[str, Any]:
    return {"engine": engine.identity(), "sampling": sampling.model_dump(mode="json")}


def _batches(engine: _Batching, prompts: Iterable[Prompt], asked_of: list[Any]) -> Batches:
    """The distinct prompts in the engine's batches; `asked_of` is who is asked and how."""
    judge = content_hash(asked_of)
    by_key = {prompt.key: prompt for prompt in prompts}
    order = sorted(by_key, key=lambda key: (by_key[key].length, key))
    cuts = engine.batches([by_key[key] for key in order])
    parts = [order[cut.start : cut.stop] for cut in cuts]
    return {content_hash([judge, part]): [by_key[key] for key in part] for part in parts}


def _missing(batches: Batches, ledger: Ledger) -> Batches:
    return {key: batch for key, batch in batches.items() if key not in ledger}


def _whole(
    batches: Batches, answers: Iterable[tuple[Prompt, Value]]
) -> Iterator[tuple[str, list[Prompt], list[Value]]]:
    """Each batch with the values of its prompts, as soon as `answers` has given the last of them."""
    place = {prompt: key for key, batch in batches.items() for prompt in batch}
    got: dict[str, dict[Prompt, Value]] = {key: {} for key in batches}
    for prompt, value in answers:
        key = place[prompt]
        got[key][prompt] = value
        if len(got[key]) == len(batches[key]):
            found = got.pop(key)
            yield key, batches[key], [found[one] for one in batches[key]]
    if got:
        raise RuntimeError(f"the engine gave no reply to a prompt of {len(got)} batches")


def _shown(answers: Iterable[Answered], progress: ProgressLine, done: int, total: int) -> Iterator[Answered]:
    for number, answer in enumerate(answers, start=done + 1):
        yield answer
        progress.show(f"{number:,} of {total:,} prompts")


def _kept(ledger: Ledger, batches: Mapping[str, Sequence[Prompt]], what: str) -> Iterator[tuple[str, Any]]:
    """Every prompt's key and what the ledger keeps for it."""
    for key, batch in batches.items():
        entry = ledger.get(key)
        assert entry is not None, "the batch was just written"
        yield from zip((prompt.key for prompt in batch), entry[what], strict=True)
