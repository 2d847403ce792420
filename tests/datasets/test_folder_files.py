"""The files below a folder: each is read, or named with the reason why not."""

import os
import socket
from pathlib import Path

import pytest

from reasrm.datasets.folder_files import files_below, printable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "top"
    (top / "pairs").mkdir(parents=True)
    return top


def _why(folder: Path) -> dict[str, str]:
    return {file.name: file.why_not for file in files_below(folder, "pairs")}


def test_every_kind_of_file_has_its_line(folder: Path) -> None:
    pairs, outside = folder / "pairs", folder.parent / "outside.jsonl"
    outside.write_text("{}")
    (pairs / "empty.json").mkdir()
    (pairs / "a.jsonl").mkdir()
    (pairs / "a.jsonl" / "part.jsonl").write_text("{}")
    (pairs / "linked.jsonl").symlink_to(outside)
    (pairs / "nowhere.jsonl").symlink_to(folder / "gone")
    (pairs / "itself.jsonl").symlink_to(pairs / "itself.jsonl")
    (pairs / "loop").symlink_to(pairs)
    (pairs / "empty.jsonl").touch()
    os.mkfifo(pairs / "fifo.jsonl")
    (pairs / "lfs.jsonl").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    (pairs / "._a.jsonl").write_text("{}")
    (pairs / "~$a.csv").write_text("x")
    (pairs / ".ipynb_checkpoints").mkdir()
    (pairs / ".ipynb_checkpoints" / "a-checkpoint.jsonl").write_text("{}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(pairs / "s.jsonl"))
        why = _why(folder)
    assert [name for name, reason in why.items() if not reason] == ["pairs/a.jsonl/part.jsonl", "pairs/linked.jsonl"]
    expected = {
        "nowhere": "No such file",
        "itself": "links",
        "empty": "empty",
        "fifo": "regular",
        "lfs": "git lfs pull",
        "s": "regular",
    }
    for name, reason in expected.items():
        assert reason in why[f"pairs/{name}.jsonl"]
    assert "link to a folder" in why["pairs/loop"]
    assert why["pairs/empty.json"] == "an empty folder"
    assert why["pairs/._a.jsonl"] == why["pairs/~$a.csv"] == "a hidden file"
    assert why["pairs/.ipynb_checkpoints"] == "a hidden folder"


def test_the_folder_itself_may_be_a_link(folder: Path) -> None:
    (folder / "pairs" / "b.jsonl").write_text("{}")
    (folder.parent / "linked").symlink_to(folder / "pairs")
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "pairs").symlink_to(folder / "pairs")
    assert [file.name for file in files_below(folder.parent / "linked")] == ["b.jsonl"]
    assert [file.name for file in files_below(folder.parent / "other", "pairs")] == ["pairs/b.jsonl"]


def test_a_name_of_any_bytes_can_be_written_and_shown(folder: Path) -> None:
    for name in (b"\xb2\xe2.jsonl", b"a\nb\x1b[2J.jsonl", "é\u202e.jsonl".encode()):
        Path(os.fsdecode(os.fsencode(folder / "pairs") + b"/" + name)).write_text("{}")
    names = [file.name for file in files_below(folder, "pairs")]
    assert names == [r"pairs/a\nb\x1b[2J.jsonl", r"pairs/é\u202e.jsonl", r"pairs/\xb2\xe2.jsonl"]
    assert printable(Path("plain/ö.jsonl")) == "plain/ö.jsonl"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(folder: Path) -> None:
    (folder / "pairs" / "b.jsonl").write_text("{}")
    (folder / "pairs" / "b.jsonl").chmod(0)
    (folder / "pairs" / "c.jsonl").mkdir(mode=0)
    assert "Permission" in _why(folder)["pairs/b.jsonl"]
    assert "Permission" in _why(folder)["pairs/c.jsonl"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert files_below(tmp_path, "pairs") == []
