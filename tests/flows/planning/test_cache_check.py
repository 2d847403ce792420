"""Damaged objects of DVC's cache are named: DVC itself would hand them on."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.planning.cache_check import damaged_objects
from flows.planning.doctor import Health, _cache
from tests.flows.toy_project import environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    def dvc(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "dvc", *words, "-q"], cwd=tmp_path, check=True, env=environment())

    dvc("init", "--no-scm")
    (tmp_path / "folder").mkdir()
    for name in ("one", "folder/two", "folder/three"):
        (tmp_path / name).write_text(f"{name}\n")
    dvc("add", "one", "folder")
    return tmp_path


def test_one_flipped_byte_is_found_and_told_with_the_way_out(project: Path) -> None:
    assert damaged_objects(project) == (4, []), "three files and the list of a folder"
    path = next(one for one in project.glob(".dvc/cache/files/md5/??/*") if one.read_text() == "folder/two\n")
    path.chmod(0o644)
    path.write_text("folder/twO\n")
    path.chmod(0o444)  # DVC trusts what is write-protected
    assert damaged_objects(project) == (4, [path])
    (finding,) = _cache(project)
    assert finding.health is Health.BAD
    assert finding.text.startswith(
        f"1 of 4 objects are damaged, and outputs restored from them would be: `rm -f {path}`"
    )


def test_a_folder_without_dvc_is_a_note(tmp_path: Path) -> None:
    (finding,) = _cache(tmp_path)
    assert (finding.health, finding.text[:14]) == (Health.NOTE, "not looked at:")
