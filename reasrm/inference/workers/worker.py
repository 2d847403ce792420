"""One of several processes that run the same checkpoint: jobs come as lines of JSON, answers go back the same way.

The first line says what is run; each further one is a job, a list of prompts. The answers have a pipe of their own;
what libraries print, the first process passes on. A worker ends when its standard input does, so also when the first
process was killed, whatever it is computing.

Run:  by `WorkerPool` alone: python -m reasrm.inference.workers.worker DESCRIPTOR
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

import orjson

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.inference.verdict_margin import MarginEngine
from reasrm.runtime.stage_main import failure_of, set_environment

GRACE_SECONDS = 1.0
"""A worker that is computing when its jobs end has so long to notice."""
Job = Callable[[dict[str, Any]], list[Any]]
"""From a job's line to the values of its prompts, in their order."""


def opened(kind: str, settings: LocalModelSettings) -> Job:
    """What does the jobs of a worker; the model is loaded with the first.

    Raises:
        StageError: the checkpoint cannot be used.
    """
    tokenizer = load_tokenizer(settings.checkpoint)
    if kind == "scalar":
        scorer = ScalarEngine(settings, tokenizer)
        return lambda job: list(scorer.score([tuple(ids) for ids, *_ in job["prompts"]]))
    engine: MarginEngine = TransformersEngine(settings, tokenizer)
    if kind == "vllm":
        from reasrm.inference.vllm_engine import VllmEngine

        engine = VllmEngine(settings, tokenizer)
    return lambda job: _log_odds(engine, job) if job["tokens"] else _replies(engine, job)


def _log_odds(engine: MarginEngine, job: dict[str, Any]) -> list[Any]:
    first, second = job["tokens"]
    return list(engine.log_odds([tuple(ids) for ids, *_ in job["prompts"]], (first, second)))


def _replies(engine: MarginEngine, job: dict[str, Any]) -> list[Any]:
    prompts = [Prompt((), tuple(ids), head_opened, begun) for ids, head_opened, begun in job["prompts"]]
    replies = dict(engine.generate(prompts, Sampling.model_validate(job["sampling"])))
    return [replies[prompt].model_dump(mode="json") for prompt in prompts]


def main() -> None:
    """Do the jobs until there are no more, or one fails."""
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)  # or a process started from here would keep it open behind this one's end
    answers = os.fdopen(descriptor, "wb")
    set_environment()
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, lines), daemon=True).start()
    try:
        what = orjson.loads(lines.get())
        settings = LocalModelSettings(**what["settings"] | {"checkpoint": Path(what["settings"]["checkpoint"])})
        work = opened(what["kind"], settings)
        while line := lines.get():
            _write(answers, {"values": work(orjson.loads(line))})
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        _write(answers, {"failed": failure.reason})


def _read(jobs: BinaryIO, lines: "SimpleQueue[bytes]") -> None:
    """Pass lines on as they come; behind the last, an empty one, and the end of the process if that is not seen."""
    for line in jobs:
        lines.put(line)
    lines.put(b"")
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def _write(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(orjson.dumps(answer) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
