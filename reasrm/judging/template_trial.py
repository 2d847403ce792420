"""A chat template's trial: a process of its own renders it within limits of time and memory before this one does.

A template is a program that came with a checkpoint. Jinja's sandbox keeps it away from files and from Python, but not
from loops in loops, growing texts or powers of huge numbers, and nothing in this process could stop those. So the first
rendering, with long neutral texts, happens in a child that the operating system stops. It costs a fifth of a second per
template and process; prompts are then rendered here without any limit.

    python reasrm/judging/template_trial.py      reads `{"template": ..., "variables": {...}}` from standard input
"""

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

CPU_SECONDS = 3
"""What all trial renderings of a template may take; templates in use take milliseconds."""
WALL_SECONDS = 120
"""The same by the clock, for a process that sleeps or a machine that is busy."""
MEMORY_BYTES = 1 << 30
"""Address space of the child; the interpreter takes a fifth of it."""
CONTENT_LENGTH = 20_000
"""Characters of each neutral text: with it a loop over pairs of characters takes too long."""
MOST_OWN_TEXT = 1_000_000
"""A template that adds more characters than this to the texts is stopped."""
TOO_LARGE = 3
"""Exit status of a child that needed too much memory or wrote too much."""
CONVERSATIONS = (("system", "user"), ("user",), ("user", "assistant", "user"), ("user", "assistant"))
"""The roles of the neutral conversations; a template may refuse some."""
FINGERPRINT_EXEMPT = "it only stops a template that would not end; what is rendered is rendered elsewhere"


def why_stopped(template: str, variables: dict[str, Any]) -> str:
    """Why `template` cannot be rendered within the limits; empty if it can, or if it refuses by itself.

    Args:
        template: its source.
        variables: what the tokenizer gives to it, the texts of its special tokens.
    """
    request = {"template": template, "variables": variables, "path": [folder for folder in sys.path if folder]}
    return _tried(json.dumps(request, sort_keys=True, default=str))


@lru_cache(maxsize=64)
def _tried(request: str) -> str:
    program = [sys.executable, "-I", str(Path(__file__).resolve())]
    try:
        done = subprocess.run(program, input=request.encode(), capture_output=True, timeout=WALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"it did not end within {WALL_SECONDS} seconds"
    if done.returncode == TOO_LARGE:
        return f"it needs more than {MEMORY_BYTES >> 20:,} MiB, or adds more than {MOST_OWN_TEXT:,} characters"
    if done.returncode < 0:  # by a signal: the limit of processor time, or memory that the system did not have
        return f"it did not end within {CPU_SECONDS} seconds of processor time"
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        return f"its trial ended with status {done.returncode} ({said[-1][:200]!a})"
    return ""


def _main() -> int:
    """Render the template of standard input to neutral conversations."""
    _limit_this_process()
    try:
        request = json.load(sys.stdin)
        sys.path += request["path"]  # where this process has its libraries from
        template = _environment().from_string(request["template"])
        for roles in CONVERSATIONS:
            for answered in (False, True):
                if _own_text(template, roles, answered, request["variables"]) > MOST_OWN_TEXT:
                    return TOO_LARGE
    except MemoryError:
        return TOO_LARGE
    except Exception:  # noqa: BLE001  a malformed template is refused where it is used, with its reason
        return 0
    return 0


def _own_text(template: Any, roles: tuple[str, ...], answered: bool, variables: dict[str, Any]) -> int:
    """How many characters the template adds to a conversation; none if it refuses it."""
    messages = [{"role": role, "content": (f"words of {role} " * CONTENT_LENGTH)[:CONTENT_LENGTH]} for role in roles]
    limit, length = MOST_OWN_TEXT + CONTENT_LENGTH * len(roles), 0
    try:
        for part in template.generate(messages=messages, add_generation_prompt=not answered, **variables):
            length += len(part)
            if length > limit:
                break
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  it refuses this conversation
        return 0
    return length - CONTENT_LENGTH * len(roles)


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

    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    def as_json(value: Any, **settings: Any) -> str:
        return json.dumps(value, **{"ensure_ascii": False, **settings})

    environment = sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, ext.loopcontrols]
    )
    environment.filters["tojson"] = as_json
    environment.globals |= {"raise_exception": refuse, "strftime_now": datetime(2024, 7, 26, tzinfo=UTC).strftime}
    return environment


def _limit_this_process() -> None:
    """Set the limits of processor time and memory, as far as the system has them."""
    import resource

    for kind, limit in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MEMORY_BYTES)):
        try:
            resource.setrlimit(kind, (limit, limit))
        except (ValueError, OSError):
            continue  # a lower one is set already, or the system knows none of this kind
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(_main())
