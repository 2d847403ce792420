"""How DVC behaves in the process that brings a stage up to date, where its own behaviour loses something."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.flows.toy_project import become_clone, environment

BROKEN_OFF = """
    from flows.running.changed_dvc import change_dvc
    change_dvc(pull=False)
    from dvc.utils.serialize import dump_yaml, modify_yaml

    class Unwritable: pass

    for write in ("modify", "dump"):
        try:
            if write == "dump":
                dump_yaml("dvc.lock", {"schema": "2.0", "stages": Unwritable()})
            else:
                with modify_yaml("dvc.lock") as document:
                    document["stages"]["b"] = Unwritable()
        except Exception as error:
            print(write, type(error).__name__)
    with modify_yaml("dvc.lock") as document:
        document["stages"]["c"] = {"cmd": "c"}
"""


def in_process(folder: Path, script: str) -> str:
    """What a script prints; a process of its own, since it changes DVC's modules."""
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True, text=True).stdout


def test_dvc_lock_is_whole_however_its_writing_ends(tmp_path: Path) -> None:
    """By whichever of DVC's two ways it is written: each stage's end takes one, an entry that is removed the other."""
    become_clone(tmp_path)
    lock = tmp_path / "dvc.lock"
    lock.write_text("schema: '2.0'\nstages:\n  a:\n    cmd: a\n")
    assert in_process(tmp_path, BROKEN_OFF).splitlines() == ["modify RepresenterError", "dump RepresenterError"]
    assert lock.read_text() == "schema: '2.0'\nstages:\n  a:\n    cmd: a\n  c:\n    cmd: c\n"
    assert {path.name for path in tmp_path.iterdir()} == {"dvc.lock", "flows"}


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_process_that_has_the_number_of_a_killed_one_holds_nothing(toy: Path) -> None:
    with subprocess.Popen(["sleep", "1000"]) as other:
        held = {"write": {str(toy / "out/a"): {"pid": other.pid, "cmd": "dvc repro a"}}, "read": {}}
        (toy / ".dvc/tmp").mkdir(exist_ok=True)
        (toy / ".dvc/tmp/rwlock").write_text(json.dumps(held))
        command = [sys.executable, "-m", "flows.running.reproduce", "a"]
        done = subprocess.run(command, cwd=toy, env=environment(), check=False, capture_output=True, text=True)
        other.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (toy / "out/a").exists()
