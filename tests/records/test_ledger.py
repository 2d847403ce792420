"""The ledger survives kills, torn lines and a second writer.

Run:     pytest tests/records/test_ledger.py
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.records.content_hash import content_hash
from reasrm.records.ledger import FINAL, Ledger, LedgerBusyError, ReadOnlyLedger


def key(number: int) -> str:
    return content_hash(["test", number])


def test_what_was_appended_is_found_again_after_reopening(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    with Ledger(file) as ledger:
        ledger.append(key(1), "sent", {"n": 0})
        ledger.append(key(1), FINAL, {"text": "ä" * 100_000})
        ledger.append(key(2), "failed", {"trouble": "timeout"})
        assert ledger.get(key(1)) is not None
    with Ledger(file) as ledger:
        found = ledger.get(key(1))
        assert found is not None
        assert found["text"] == "ä" * 100_000
        assert key(2) not in ledger
        assert ledger.get(key(2)) is None
        assert len(ledger) == 1
        assert [entry["state"] for entry in ledger.entries()] == ["sent", FINAL, "failed"]


def test_the_last_final_entry_settles_a_key(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    with Ledger(file) as ledger:
        ledger.append(key(1), FINAL, {"outcome": "gave_up"})
        ledger.append(key(1), FINAL, {"outcome": "ok"})
        assert (ledger.get(key(1)) or {})["outcome"] == "ok"
    with Ledger(file) as ledger:
        assert (ledger.get(key(1)) or {})["outcome"] == "ok"


def test_a_full_disk_costs_the_entry_alone(tmp_path: Path) -> None:
    """A limit on the file's size stands for the full disk: the kernel writes a part, and says so."""
    file = tmp_path / "ledger.jsonl"
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from reasrm.records.ledger import FINAL, Ledger\n"
        "with Ledger(Path(sys.argv[1])) as ledger:\n"
        "    ledger.append('01', FINAL, {'text': 'a' * 500})\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        ledger.append('02', FINAL, {'text': 'b' * 800})\n"
        "    except OSError as error:\n"
        "        print(error)\n"
        "    ledger.append('03', FINAL, {'text': 'c'})\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
    assert str(file) in done.stdout
    assert "bytes could be written" in done.stdout
    with Ledger(file) as ledger:
        assert [entry["key"] for entry in ledger.entries()] == ["01", "03"]
        assert (ledger.get("03") or {})["text"] == "c"


def test_an_estimate_reads_the_ledger_as_it_stood_when_it_was_opened(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    with Ledger(file) as ledger:
        ledger.append(key(1), FINAL, {})
        with ReadOnlyLedger(file) as seen:
            ledger.append(key(2), FINAL, {})
            with file.open("ab") as torn:
                torn.write(b'{"key": "to')
            assert [entry["key"] for entry in seen.entries()] == [key(1)]


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(min_value=0, max_value=400))
def test_a_torn_tail_costs_at_most_the_torn_entry(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("torn") / "ledger.jsonl"
    with Ledger(file) as ledger:
        for number in range(4):
            ledger.append(key(number), FINAL, {"number": number})
    whole = file.read_bytes()
    kept = whole[: max(0, len(whole) - cut)]
    file.write_bytes(kept)
    with Ledger(file) as ledger:
        complete = kept.count(b"\n")
        assert len(ledger) == complete
        ledger.append(key(99), FINAL, {"number": 99})
    with Ledger(file) as ledger:
        assert len(ledger) == complete + 1
        assert (ledger.get(key(99)) or {})["number"] == 99


def test_a_complete_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b'{"key": broken}\n')
    with pytest.raises(ValueError, match=r"ledger\.jsonl byte 0: a complete line is not JSON"):
        Ledger(file)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    with Ledger(file) as ledger:
        ledger.append(key(1), FINAL, {"text": "yes"})
        named = rf"is being written by another run \(process {os.getpid()} of .*\); wait for it or cancel it"
        with pytest.raises(LedgerBusyError, match=named):
            Ledger(file)
        with ReadOnlyLedger(file) as reader:
            assert (reader.get(key(1)) or {})["text"] == "yes"
            with pytest.raises(TypeError, match="read-only"):
                reader.append(key(2), FINAL, {})
    assert [one.name for one in tmp_path.iterdir()] == ["ledger.jsonl"], "the writer's note went with it"


def test_a_reader_of_a_ledger_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    with ReadOnlyLedger(tmp_path / "none.jsonl") as reader:
        assert len(reader) == 0
        assert list(reader.entries()) == []
    assert not (tmp_path / "none.jsonl").exists()


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    Ledger(file).close()
    assert file.stat().st_mode & 0o777 == 0o600


WRITER = """
import sys
from pathlib import Path
from reasrm.records.content_hash import content_hash
from reasrm.records.ledger import FINAL, Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(1_000_000):
    ledger.append(content_hash(["test", number]), FINAL, {"number": number})
    print(number, flush=True)
"""


def test_kill_minus_9_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    last = -1
    while last < 500:
        last = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    last = max([last, *(int(line) for line in writer.stdout.read().split()[:-1])])
    writer.wait()
    with Ledger(file) as ledger:
        assert all(key(number) in ledger for number in range(last + 1))
