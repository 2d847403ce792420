"""Hashes of files: small ones are read each time, large ones again when they have changed."""

import hashlib
import os
from pathlib import Path

import pytest

from reasrm.runtime.work_folder import LARGE, file_hash


@pytest.mark.parametrize("size", [10, LARGE])
def test_a_changed_file_has_another_hash(tmp_path: Path, size: int) -> None:
    file = tmp_path / "weights"
    for content in (b"a" * size, b"b" * size):
        file.write_bytes(content)
        os.utime(file, ns=(0, content[0]))
        assert file_hash(file) == file_hash(file) == hashlib.sha256(content).hexdigest()


def test_a_folder_is_its_files_and_their_names(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    first = file_hash(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert file_hash(tmp_path) != first
