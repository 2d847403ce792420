"""One model, many prompts, one engine start: each distinct prompt once, sorted by length, resumable through a ledger.

The unit of the ledger is the engine's batch, because replies of one batch may depend on each other in the last bits
(`docs/decisions/006-batches-in-the-ledger.md`): a resumed run forms the same batches, asks those that are missing, and
so ends with the same bytes as an uninterrupted one. What a kill loses is at most what was being computed; a service's
replies are their own batches. Each entry names the engine and the sampling, so that it can be replayed
(`replay_engine` reads the entries with `recorded_replies`; that is why this module stands among the engines).
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from reasrm.inference.engine import Engine, Prompt, Sampling
from reasrm.records.content_hash import content_hash
from reasrm.records.jsonl import read_rows
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.reply import UNASKED, Finish, Reply
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError, StoppedResumable

Batches = dict[str, list[Prompt]]
"""Prompts by the ledger key of their batch, which hashes engine, sampling and exactly these prompts."""
Value = TypeVar("Value")


class Scorer(Protocol):
    """What gives each conversation a number: `ScalarEngine`, in this process or in several."""

    @property
    def starts(self) -> int:
        """How often the model was loaded."""
        ...

    def identity(self) -> dict[str, Any]:
        """What the scores depend on besides the texts."""
        ...

    def batches(self, conversations: Sequence[Prompt], /) -> list[range]:
        """The runs of consecutive conversations that are scored together."""
        ...

    def score(self, conversations: Sequence[tuple[int, ...]], /) -> Iterator[float]:
        """Yield the score of each conversation (token ids), in the given order."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


def ask_all(
    engine: Engine, prompts: Iterable[Prompt], sampling: Sampling, ledger: Ledger | None, progress: ProgressLine
) -> dict[str, Reply]:
    """All replies of `ask_each`, by `Prompt.key`."""
    return dict(ask_each(engine, prompts, sampling, ledger, progress))


def ask_each(
    engine: Engine, prompts: Iterable[Prompt], sampling: Sampling, ledger: Ledger | None, progress: ProgressLine
) -> Iterator[tuple[str, Reply]]:
    """Yield the `Prompt.key` of every distinct prompt with its reply, as soon as it is there.

    What `ledger` holds comes first and is not asked again; new replies are in the ledger before they are yielded.
    Without a ledger, a checkpoint's prompts are asked by length, a service's in the given order.

    Raises:
        StoppedResumable: a service stopped answering; `ledger` holds every reply that came.
    """
    if ledger is None:
        yield from _asked_without_ledger(engine, prompts, sampling)
        return
    requested = _request(engine, sampling)
    batches = _batches(lambda ordered: engine.batches(ordered, sampling), prompts, list(requested.values()))
    missing = _missing(batches, ledger)
    for key, reply in _kept(ledger, batches, "replies"):
        yield key, Reply.model_validate(reply)
    to_ask = [prompt for batch in missing.values() for prompt in batch]
    answers = engine.generate(to_ask, sampling) if to_ask else ()
    total = sum(map(len, batches.values()))
    try:
        for key, batch, replies in _with_progress(_whole(missing, answers), progress, missing, total):
            asked = requested | {"prompts": [prompt.text_key for prompt in batch]}
            ledger.append(key, FINAL, asked | {"replies": [reply.model_dump(mode="json") for reply in replies]})
            yield from zip((prompt.key for prompt in batch), replies, strict=True)
    except StoppedResumable as stop:
        raise StoppedResumable(f"{stop}; every reply so far is kept, the same command goes on") from stop


def score_all(
    engine: Scorer, conversations: Iterable[Prompt], ledger: Ledger | None, progress: ProgressLine
) -> dict[str, float]:
    """Score every distinct conversation that `ledger` does not hold yet; return all scores by `Prompt.key`."""
    if ledger is None:
        distinct = sorted({one.key: one for one in conversations}.values(), key=_by_length)
        scores = engine.score([one.token_ids for one in distinct]) if distinct else ()
        return {one.key: score for one, score in zip(distinct, scores, strict=True)}
    batches = _batches(engine.batches, conversations, [engine.identity()])
    missing = _missing(batches, ledger)
    found = {key: math.nan if score is None else float(score) for key, score in _kept(ledger, batches, "scores")}
    to_score = [one for batch in missing.values() for one in batch]
    scores = engine.score([one.token_ids for one in to_score]) if to_score else ()
    new, total = zip(to_score, scores, strict=True), sum(map(len, batches.values()))
    for key, batch, scored in _with_progress(_whole(missing, new), progress, missing, total):
        ledger.append(key, FINAL, {"scores": scored})
        found |= {one.key: score for one, score in zip(batch, scored, strict=True)}
    return found


def note_unasked(engine: Engine, prompts: Iterable[Prompt], why: Finish, sampling: Sampling, ledger: Ledger) -> None:
    """Record that `prompts` were not asked, and why, so that a replay gives the same judgments."""
    keys = sorted({prompt.text_key for prompt in prompts})
    requested = _request(engine, sampling)
    key = content_hash([content_hash(list(requested.values())), why.value.replace("_", " "), keys])
    if keys and key not in ledger:
        ledger.append(key, FINAL, requested | {"prompts": [], "replies": [], why.value: keys})


def unasked_reply(why: Finish) -> Reply:
    """What stands for the reply to a prompt that was not asked."""
    return Reply(text="", finish=why, prompt_tokens=0, completion_tokens=0)


class RecordedReply(NamedTuple):
    """One reply of a ledger."""

    engine: dict[str, Any]
    """The identity of the engine that gave it."""
    sampling: Sampling
    prompt: str
    """`Prompt.text_key`."""
    reply: Reply


def recorded_replies(path: Path) -> Iterator[RecordedReply]:
    """All replies of the ledger at `path`, prompts that were not asked included.

    Raises:
        StageError: there is no such ledger, or an entry names no engine.
    """
    if not path.is_file():
        raise StageError(f"{path}: no ledger there; judge once with another engine than replay")
    for number, entry in read_rows(path):
        if "replies" not in entry:
            continue
        if "engine" not in entry:
            raise StageError(f"{path} line {number}: names no engine, so it cannot be replayed; judge again")
        engine, sampling = entry["engine"], Sampling.model_validate(entry["sampling"])
        for prompt, reply in zip(entry["prompts"], entry["replies"], strict=True):
            yield RecordedReply(engine, sampling, prompt, Reply.model_validate(reply))
        for why in sorted(UNASKED):
            for prompt in entry.get(why.value, ()):
                yield RecordedReply(engine, sampling, prompt, unasked_reply(why))


def _request(engine: Engine, sampling: Sampling) -> dict[str, Any]:
    """What the replies depend on besides the prompts; part of each entry and of its key."""
    return {"engine": engine.identity(), "sampling": sampling.model_dump(mode="json")}


def _by_length(prompt: Prompt) -> tuple[int, str]:
    return prompt.length, prompt.key


def _asked_without_ledger(engine: Engine, prompts: Iterable[Prompt], sampling: Sampling) -> Iterator[tuple[str, Reply]]:
    distinct = list({prompt.key: prompt for prompt in prompts}.values())
    if any(prompt.token_ids for prompt in distinct):
        distinct.sort(key=_by_length)
    yield from ((prompt.key, reply) for prompt, reply in engine.generate(distinct, sampling))


def _batches(cut: Callable[[Sequence[Prompt]], list[range]], prompts: Iterable[Prompt], request: list[Any]) -> Batches:
    """The distinct prompts in the engine's batches, by ledger key."""
    hashed_request = content_hash(request)
    ordered = sorted({prompt.key: prompt for prompt in prompts}.values(), key=_by_length)
    parts = [ordered[part.start : part.stop] for part in cut(ordered)]
    return {content_hash([hashed_request, [prompt.key for prompt in part]]): part for part in parts}


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


def _with_progress(
    done: Iterable[tuple[str, list[Prompt], list[Value]]], progress: ProgressLine, missing: Batches, total: int
) -> Iterator[tuple[str, list[Prompt], list[Value]]]:
    """Show how many of `total` prompts are done, and how long the rest takes at the pace of the batches so far.

    Time goes by length, not by prompt: the long prompts come last.
    """
    began, got = time.monotonic(), 0
    lengths = {key: sum(prompt.length for prompt in batch) for key, batch in missing.items()}
    whole, number = sum(lengths.values()), total - sum(map(len, missing.values()))
    for key, batch, values in done:
        yield key, batch, values
        number, got = number + len(batch), got + lengths[key]
        left = (time.monotonic() - began) * (whole - got) / max(1, got)
        progress.show(f"{number:,} of {total:,} prompts, about {_in_words(left)} left")


def _in_words(seconds: float) -> str:
    """A rough time, in one unit or two."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _kept(ledger: Ledger, batches: Mapping[str, Sequence[Prompt]], field: str) -> Iterator[tuple[str, Any]]:
    """The key of every prompt that `ledger` holds, with what is kept for it under `field`."""
    for key, batch in batches.items():
        entry = ledger.get(key)
        if entry is not None:
            yield from zip((prompt.key for prompt in batch), entry[field], strict=True)
