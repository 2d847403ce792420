"""What the commands print, as a shell sees it: harmless, JSON where it is promised, quiet when nobody reads."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reasrm.records.comparison import Side
from reasrm.records.jsonl import write_records
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message, PreferencePair, Role
from tests.fixtures.judge_server import honest, judge_server, served_file
from tests.records.test_harmless_text import OBEYED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ODD = "".join(text for text in OBEYED.values() if text != "\ud83d") + "[bold red]x[/bold red][link=http://x]y[/link]"
ARGUMENT = ODD.replace("\0", "")
ROWS = 40
Run = subprocess.CompletedProcess[bytes]


def odd_judge(answers: dict[Side, str]) -> str:
    """Honest, with everything in its reply that a terminal would obey."""
    return honest(answers).replace("truth", f"truth {ODD}").replace("nobody said this", ODD)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a served judge, rows, pairs and outcomes."""
    folder = tmp_path_factory.mktemp("printed")
    rows = [{"id": f"{ODD}{at}", "prompt": f"Which {at}?", "a": "the right one", "b": ODD} for at in range(ROWS)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    outcomes = [{"subset": "alpacaeval-easy", "id": f"{ODD}{at}", "correct": at % 2} for at in range(20)]
    (folder / "right.jsonl").write_text("\n".join(map(json.dumps, outcomes)))
    (folder / "wrong.jsonl").write_text("\n".join(json.dumps(row | {"correct": 0}) for row in outcomes))
    turn = Message(role=Role.USER, content=f"Which? {ODD}")
    pairs = [PreferencePair(prompt=(turn,), chosen=f"the right one {at}", rejected="x", source=ODD) for at in range(9)]
    write_records(folder / "pairs.jsonl", pairs)
    with judge_server(odd_judge) as url:
        served_file(folder, url)
        (folder / "url").write_text(url)
        yield folder


def shell(folder: Path, command: str, **environment: str) -> Run:
    """Run `command` in bash, where `reasrm` is this project's."""
    known = {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": (folder / "url").read_text(), "ARGUMENT": ARGUMENT}
    program = f'reasrm() {{ "{sys.executable}" -m reasrm.cli "$@"; }}\n{command}'
    env = os.environ | known | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(["bash", "-c", program], cwd=folder, env=env, capture_output=True, check=False)


ONE = "reasrm judge --prompt 'Which?' --a 'the right one' --b \"$ARGUMENT\" --served served.yaml"
MANY = "reasrm judge --jsonl rows.jsonl --served served.yaml"
SCORE = "reasrm score --benchmark reward_bench --outcomes right.jsonl --resamples 5"
COMPARE = "reasrm compare right.jsonl wrong.jsonl --benchmark reward_bench --resamples 5"
ORACLE = "reasrm oracle --pairs pairs.jsonl --pass first --provider openai --model m --attempts 1 --out o.jsonl"


def lines_of(done: Run, encoding: str = "utf-8") -> list[str]:
    """What was printed, on both streams, after checking that a terminal obeys none of it."""
    printed = (done.stdout + done.stderr).decode(encoding)
    assert printed.replace("\n", "").isprintable()
    assert "Traceback" not in printed
    assert "Exception ignored" not in printed
    return printed.splitlines()


@pytest.mark.parametrize("command", [ONE, f"{ONE} --json", MANY, SCORE, COMPARE, f"{ORACLE} --ledger one.ledger"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_text_of_others_is_shown_and_not_obeyed(place: Path, command: str, encoding: str) -> None:
    done = shell(place, command, PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert lines_of(done, encoding)


@pytest.mark.parametrize(
    "words",
    [
        '"$ARGUMENT"', 'judge "--$ARGUMENT"', 'judge --engine "$ARGUMENT"', 'judge --max-new-tokens "$ARGUMENT"',
        'judge --prompt x --a y --b z --model "$ARGUMENT"', 'judge --prompt "@$ARGUMENT" --a y --b z --model m',
        'judge --jsonl "$ARGUMENT" --served served.yaml', 'judge --jsonl rows.jsonl --served "$ARGUMENT"',
        'score --benchmark "$ARGUMENT" --outcomes right.jsonl', 'score --benchmark rmb --outcomes "$ARGUMENT"',
        'compare "$ARGUMENT" right.jsonl',
        'oracle --pairs "$ARGUMENT" --pass first --provider openai --model m --out x',
        'oracle --pairs pairs.jsonl --pass first --provider openai --model m --out x --prices "$ARGUMENT"',
    ],
)  # fmt: skip
def test_odd_arguments_are_refused_harmlessly(place: Path, words: str) -> None:
    done = shell(place, f"reasrm {words}")
    assert done.returncode in {1, 2}
    assert lines_of(done)


@pytest.mark.parametrize("command", [f"{ONE} --json", MANY, f"{SCORE} --json", f"{COMPARE} --json",
                                     f"{ORACLE} --ledger dry.ledger --dry-run --json --prices 1,2"])  # fmt: skip
def test_what_is_called_json_is_json(place: Path, command: str) -> None:
    def refuse(name: str) -> Any:
        raise AssertionError(name)

    done = shell(place, command, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    for document in done.stdout.splitlines() if command is MANY else [done.stdout]:
        json.loads(document, parse_constant=refuse)


@pytest.mark.parametrize("command", ["reasrm --help", ONE, MANY, SCORE, f"{COMPARE} --json", ORACLE])
@pytest.mark.parametrize("sink", ["2>&1 | true; exit ${PIPESTATUS[0]}", "> /dev/full"])
def test_output_that_nobody_takes_ends_quietly(place: Path, command: str, sink: str) -> None:
    """A pipe whose reader has gone: no word at all; a full disk: one line."""
    done = shell(place, f"{command} {sink}")
    assert done.returncode == 1
    said = [line for line in lines_of(done) if not line.startswith("oracle: ")]
    assert said == (["reasrm: standard output cannot be written: No space left on device"] if "full" in sink else [])


def test_a_first_line_is_enough(place: Path) -> None:
    done = shell(place, f"{MANY} | head -1")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == b""


def test_what_was_paid_is_in_the_ledger_though_nobody_reads(place: Path) -> None:
    assert shell(place, f"{ORACLE} --ledger paid.ledger | true; exit ${{PIPESTATUS[0]}}").returncode == 1
    assert b"9 pairs asked" in shell(place, f"{ORACLE} --ledger paid.ledger").stdout
    done = shell(place, f"{MANY} --out judged.jsonl 2> >(true) | true; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 0, "nothing is printed, so nothing is lost"
    with Ledger(place / "judged.replies.jsonl") as kept:
        assert len(kept) == 2 * ROWS


@pytest.mark.parametrize("command", [f"{MANY} --out full.jsonl", SCORE, ORACLE.replace("o.jsonl", "full.jsonl")])
def test_a_full_disk_is_one_line_and_nothing_half_written(place: Path, command: str) -> None:
    done = shell(place, f"ulimit -f 1\n{command}", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 1
    lines = [line for line in lines_of(done) if not line.startswith("oracle: ")]
    assert len(lines) == 1
    assert not (place / "full.jsonl").exists()
    assert not list(place.glob(".*partial"))


@pytest.mark.parametrize(("out", "status"), [("/dev/null", 2), (".", 2), ("rows.jsonl/x", 1), ("x" * 300, 1)])
def test_an_output_that_is_no_file_is_refused_before_anybody_is_asked(place: Path, out: str, status: int) -> None:
    done = shell(
        place, f"{MANY.replace('served.yaml', 'nowhere.yaml')} --out {out}" if status == 2 else f"{MANY} --out {out}"
    )
    assert done.returncode == status
    assert len(lines_of(done)) == 1


@pytest.mark.parametrize("words", ["--jsonl -", "--prompt - --a x --b y"])
def test_a_closed_standard_input_is_said(place: Path, words: str) -> None:
    done = shell(place, f"reasrm judge {words} --served served.yaml <&-")
    assert done.returncode == 1
    assert "standard input is closed" in lines_of(done)[0]


@pytest.mark.parametrize(
    ("more", "said"), [([], "no more than is printed is kept"), (["--out", "int.jsonl"], "int.replies.jsonl keeps")]
)
def test_an_interrupt_says_what_is_kept(place: Path, more: list[str], said: str) -> None:
    slow = [{"prompt": f"Which {at}?", "a": "the right one", "b": "x"} for at in range(4000)]
    (place / "slow.jsonl").write_text("\n".join(map(json.dumps, slow)))
    command = [sys.executable, "-m", "reasrm.cli", "judge", "--jsonl", "slow.jsonl", "--served", "served.yaml", *more]
    env = os.environ | {"OPENAI_API_KEY": "test", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=place, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        if more:
            while not (place / "int.replies.jsonl").exists() or not (place / "int.replies.jsonl").stat().st_size:
                time.sleep(0.02)
        else:
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    (line,) = errors.decode().splitlines()
    assert line.startswith("reasrm judge: interrupted; ")
    assert said in line
