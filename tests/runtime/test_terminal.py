"""What is printed by whomever: harmless in every encoding, and no traceback whoever stops reading."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reasrm.runtime.terminal import LONGEST_MESSAGE, message
from tests.records.test_harmless_text import OBEYED

ROOT = Path(__file__).parents[2]
START = "import sys, warnings, logging\nfrom reasrm.runtime.terminal import *\nguard_streams()\n"
CLOSED = b"reasrm: standard output is closed: send it to a file, or to /dev/null if nobody wants it\n"
ODD = "".join(OBEYED.values())
WRITERS = {
    "ours": "say(TEXT); say_error('who', TEXT)",
    "print": "print(TEXT); print(TEXT, file=sys.stderr)",
    "a warning": "warnings.warn(TEXT)",
    "a log": "logging.warning(TEXT)",
    "a traceback": "raise KeyError(TEXT)",
    "a syntax error": "raise SyntaxError(TEXT)",
}


def run(program: str, *, command: str = 'exec "$@"', **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a program as a shell does in which `command` stands."""
    words = ["bash", "-c", command, "bash", sys.executable, "-c", START + program]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(words, env=env, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_no_byte_that_a_terminal_obeys_is_printed(writer: str, encoding: str) -> None:
    done = run(f"TEXT = {ODD!a}\n{writer}", PYTHONIOENCODING=encoding)
    printed = done.stdout + done.stderr
    assert printed.decode(encoding).replace("\n", "").isprintable()
    assert b"UnicodeEncodeError" not in printed
    assert b"31m" in printed


def test_a_message_is_one_line_of_bounded_length(capsys: pytest.CaptureFixture[str]) -> None:
    assert message("reasrm judge", "no\nreasrm judge: all is well\r\n\x1b[2K") == (
        "reasrm judge: no reasrm judge: all is well ⟦U+001B⟧[2K"
    )
    assert len(message("who", "long " * LONGEST_MESSAGE)) <= LONGEST_MESSAGE


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_json_is_json_in_every_encoding(encoding: str) -> None:
    program = "from reasrm.records.harmless_text import json_text\nsay_json(json_text({'é': '\\x1b\\x9b😀'}))"
    done = run(program, PYTHONIOENCODING=encoding)
    check = "import json, sys; assert json.loads(sys.stdin.buffer.read()) == {'é': '\\x1b\\x9b😀'}"
    subprocess.run([sys.executable, "-c", check], input=done.stdout, check=True)
    assert ("é".encode() in done.stdout) == (encoding == "utf-8")


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ('"$@" | true; exit ${PIPESTATUS[0]}', 1, b""),
        ('exec "$@" > /dev/full', 1, b"reasrm: standard output cannot be written: No space left on device\n"),
        ('exec "$@" >&-', 1, CLOSED),
        ('exec "$@" >&- 2>&- <&-', 1, b""),
        ('exec "$@" 2>&-', 0, b""),
        ('exec "$@" 2> /dev/full', 0, b""),
        ('"$@" 2> >(true); exit $?', 0, b""),
        ('exec "$@" <&-', 0, b""),
    ],
)  # fmt: skip
def test_lost_results_are_a_failure_and_lost_messages_are_none(command: str, status: int, said: bytes) -> None:
    program = (
        "import time\nfor _ in range(3):\n    say('result')\n    time.sleep(0.1)\n    print('note', file=sys.stderr)\n"
        "sys.exit(exit_status(0))"
    )
    done = run(program, command=command)
    assert done.returncode == status
    assert done.stderr.replace(b"note\n", b"") == said


def test_a_closed_stream_is_no_place_for_a_file(tmp_path: Path) -> None:
    """The next file to be opened gets the lowest free number: standard error's, if that is closed."""
    program = "file = open('ledger', 'w')\nprint('a message', file=sys.stderr, flush=True)\nfile.write('paid')"
    run(program, command=f'cd {tmp_path}; exec "$@" 2>&- <&-')
    assert (tmp_path / "ledger").read_text() == "paid"


def test_a_reader_that_goes_away_interrupts_a_thread_that_prints() -> None:
    program = (
        "import threading, time\n"
        "def printing():\n    while True: say('x'); time.sleep(0.01)\n"
        "threading.Thread(target=printing, daemon=True).start()\n"
        "try: time.sleep(30)\nexcept KeyboardInterrupt: sys.exit(exit_status(130))"
    )
    start = time.monotonic()
    done = run(program, command='"$@" | head -1; exit ${PIPESTATUS[0]}')
    assert (done.stdout, done.stderr, done.returncode) == (b"x\n", b"", 1)
    assert time.monotonic() - start < 20


def test_on_a_terminal_libraries_may_colour_and_redraw_and_nothing_else() -> None:
    program = "print('\\r\\x1b[32mfull\\x1b[0m \\x1b[A\\x1b[2K' + TEXT)\nsay('\\x1b[32m')"
    main, other = pty.openpty()
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    text = "\x1b]0;owned\x07\x1b[2J\x9b31m\x08"
    with subprocess.Popen(
        [sys.executable, "-c", f"{START}TEXT = {text!a}\n{program}"], stdout=other, env=env
    ) as process:
        process.wait()
    shown = os.read(main, 65536).decode()
    os.close(other)
    os.close(main)
    assert shown.startswith("\r\x1b[32mfull\x1b[0m \x1b[A\x1b[2K⟦U+001B⟧]0;owned⟦U+0007⟧⟦U+001B⟧[2J⟦U+009B⟧31m⟦U+0008⟧")
    assert shown.endswith("⟦U+001B⟧[32m\r\n")
