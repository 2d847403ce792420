"""Limits of time and memory for a chat template: a process of its own renders each conversation before this one does.

A template is a program that came with a checkpoint. Jinja's sandbox keeps it away from files and from Python, but not
from loops in loops, growing texts or powers of huge numbers, and nothing in this process could stop those. They may
wait for certain contents. So no conversation is rendered here that a child, which the operating system stops, has not
rendered before. The child is started once per template (a fifth of a second, no torch in it) and stays, so that a
conversation costs a round trip through a pipe. First of all it gets long neutral texts, which show loops over
characters.

    python reasrm/judging/chat_templates/template_trial.py

is the child; it answers each line of standard input with one of its own.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple


class TrialLimits(NamedTuple):
    """What rendering one conversation may take."""

    cpu_seconds: float = 3.0
    """Processor time; templates in use take milliseconds."""
    wall_seconds: float = 120.0
    """Time by the clock, for a process that sleeps or a machine that is busy."""
    memory_bytes: int = 1 << 30
    """Address space of the child; the interpreter takes a fifth of it."""
    own_characters: int = 1_000_000
    """Characters that a template may add to the contents."""


LIMITS = TrialLimits()
CONTENT_LENGTH = 20_000
"""Characters of each long neutral text: with it a loop over pairs of characters takes too long."""
CONVERSATIONS = (("system", "user"), ("user",), ("user", "assistant", "user"), ("user", "assistant"))
"""The roles of the long neutral conversations; a template may refuse some."""
MOST_STOPS = 20
"""A template that was stopped so often is not tried again."""
DONE, TOO_LARGE = b"done", b"too large"
"""What the child answers."""


class TemplateTrial:
    """The child of one template, started when it is needed and again after it was stopped."""

    def __init__(self, template: str, variables: dict[str, Any], limits: TrialLimits) -> None:
        """Prepare to try `template` (its source), with the `variables` that the tokenizer gives to it."""
        self._limits = limits
        path = [folder for folder in sys.path if folder]  # where this process has its libraries from
        self._opening = {"template": template, "variables": variables, "path": path, "limits": limits._asdict()}
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._stops = 0
        self.of_template = self._why_stopped_at_all()
        """Why the template as such was stopped, in words; empty for one that passes or refuses by itself."""

    def why_stopped(self, turns: Sequence[dict[str, str]], answered: bool) -> str:
        """Why these turns cannot be rendered within the limits, in words; empty if they can, or are refused."""
        if self._stops >= MOST_STOPS:
            return f"it was stopped {self._stops} times before, so it is not tried again"
        with self._lock:
            stopped = self._started() or self._answer({"messages": turns, "answered": answered})
        self._stops += bool(stopped)
        return stopped

    def _why_stopped_at_all(self) -> str:
        for roles in CONVERSATIONS:
            texts = ((role, (f"words of {role} " * CONTENT_LENGTH)[:CONTENT_LENGTH]) for role in roles)
            turns = [{"role": role, "content": content} for role, content in texts]
            for answered in (False, True):
                if stopped := self.why_stopped(turns, answered):
                    return stopped
        return ""

    def _started(self) -> str:
        """Start the child unless it runs; a process that was forked needs one of its own."""
        if self._child is not None and self._owner == os.getpid():
            return ""
        program = [sys.executable, "-I", str(Path(__file__).resolve())]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._child, self._owner = subprocess.Popen(program, **pipes), os.getpid()  # type: ignore[call-overload]
        self._end = weakref.finalize(self, _end, self._child, self._owner)
        return self._answer(self._opening)

    def _answer(self, request: dict[str, Any]) -> str:
        """Send one line and say why no answer came, if none did."""
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise RuntimeError("the child was not started")
        answer = b""
        try:
            child.stdin.write(json.dumps(request, default=str).encode() + b"\n")
            child.stdin.flush()
            ready, _, _ = select.select([child.stdout], [], [], self._limits.wall_seconds)
            if ready:
                answer = child.stdout.readline().strip()
        except BrokenPipeError:
            ready = [child.stdout]
        if answer == DONE:
            return ""
        self._child = None
        self._end()
        return self._in_words(bool(ready), answer, child.returncode)

    def _in_words(self, ended: bool, answer: bytes, status: int) -> str:
        limits = self._limits
        if not ended:
            return f"it did not end within {limits.wall_seconds:g} seconds"
        if answer == TOO_LARGE:
            mebibytes = limits.memory_bytes >> 20
            return f"it needs more than {mebibytes:,} MiB, or adds more than {limits.own_characters:,} characters"
        if status < 0:  # by a signal: the limit of processor time, or memory that the system did not have
            return f"it did not end within {limits.cpu_seconds:g} seconds of processor time"
        return f"its trial ended with status {status}"


@lru_cache(maxsize=8)
def _trial(template: str, variables: str, limits: TrialLimits) -> TemplateTrial:
    return TemplateTrial(template, json.loads(variables), limits)


def template_trial(template: str, variables: dict[str, Any], limits: TrialLimits = LIMITS) -> TemplateTrial:
    """The trial of `template`, which tokenizers of the same template and variables share."""
    return _trial(template, json.dumps(variables, sort_keys=True, default=str), limits)


def _end(child: "subprocess.Popen[bytes]", owner: int) -> None:
    """End the child and close its pipes; a forked process leaves the one that is not its own alone."""
    if os.getpid() != owner:
        return
    for pipe in (child.stdin, child.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except BrokenPipeError:
            continue
    try:
        child.wait(0.2)  # without its input it ends by itself, or was stopped
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _main() -> int:
    """Answer each request of standard input: the template first, then conversations."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the parent
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    opening = json.loads(sys.stdin.buffer.readline())
    limits = TrialLimits(**opening["limits"])
    _limit_this_process(limits)
    sys.path += opening["path"]
    render = _within_limits(limits, lambda: _environment().from_string(opening["template"]))
    for line in sys.stdin.buffer:
        _within_limits(limits, partial(_require_bounded, render, line, opening["variables"], limits))
    return 0


def _within_limits(limits: TrialLimits, work: Callable[[], Any]) -> Any:
    """Do `work`, answer how it went, and return its result; the system ends the process if it takes too long."""
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
    answer, result = DONE, None
    try:
        result = work()
    except MemoryError:
        answer = TOO_LARGE
    except Exception:  # noqa: BLE001, S110  what is malformed or refuses is refused where it is used, with its reason
        pass
    signal.setitimer(signal.ITIMER_PROF, 0)
    sys.stdout.buffer.write(answer + b"\n")
    sys.stdout.buffer.flush()
    return result


def _require_bounded(template: Any, line: bytes, variables: dict[str, Any], limits: TrialLimits) -> None:
    """Render a conversation as transformers would.

    Raises:
        MemoryError: it adds more characters than it may.
        Exception: the template is malformed, or refuses this conversation.
    """
    request = json.loads(line)
    messages = request["messages"]
    left = limits.own_characters + sum(len(turn["content"]) for turn in messages)
    conversation = {"messages": messages, "add_generation_prompt": not request["answered"]}
    for part in template.generate(tools=None, documents=None, **conversation, **variables):
        left -= len(part)
        if left < 0:
            raise MemoryError


def _environment() -> Any:
    """Jinja as transformers sets it up for chat templates (`transformers.utils.chat_template_utils`)."""
    from datetime import UTC, datetime

    import jinja2
    from jinja2 import ext, nodes, sandbox

    class Generation(ext.Extension):
        """The block `{% generation %}`, which marks the model's own text."""

        tags = {"generation"}  # noqa: RUF012  an instance variable of the base class

        def parse(self, parser: Any) -> Any:
            """Keep the block's content."""
            line = next(parser.stream).lineno
            return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True)).set_lineno(line)

    class NotComputedAhead(nodes.Impossible):
        """Jinja computes constants ahead and lets be what fails; the parent would have the memory for it."""

        def __init__(self) -> None:
            if isinstance(sys.exc_info()[1], MemoryError):
                raise MemoryError

    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    def as_json(value: Any, **settings: Any) -> str:
        return json.dumps(value, **{"ensure_ascii": False, **settings})

    vars(nodes)["Impossible"] = NotComputedAhead
    environment = sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, ext.loopcontrols]
    )
    environment.filters["tojson"] = as_json
    environment.globals |= {"raise_exception": refuse, "strftime_now": datetime(2024, 7, 26, tzinfo=UTC).strftime}
    return environment


def _limit_this_process(limits: TrialLimits) -> None:
    """Set the limit of memory, as far as the system has one."""
    import resource

    for kind, limit in ((resource.RLIMIT_AS, limits.memory_bytes), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(kind, (limit, limit))
        except (ValueError, OSError):
            continue  # a lower one is set already, or the system knows none of this kind


if __name__ == "__main__":
    sys.exit(_main())
