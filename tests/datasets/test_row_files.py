"""Files in the published layout, and a hub cache and a git repository on this disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reasrm.benchmarks.registry import BENCHMARKS
from reasrm.datasets.hub import GitData, download, read_revisions
from reasrm.datasets.row_fields import Refusal
from reasrm.datasets.row_files import ending_of, rows_below
from reasrm.runtime.stage_main import StageError

ROOT = Path(__file__).parents[2]
SHA = "0123456789abcdef0123456789abcdef01234567"


def test_rows_say_where_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / "rm_bench" / "total_dataset.json"
    file.parent.mkdir()
    file.write_text(json.dumps([{"id": "a"}, {"id": "b"}]), encoding="utf-8")
    rows = list(rows_below(tmp_path, BENCHMARKS["rm_bench"].layout, "rm_bench"))
    assert [(row.file, row.place, row.row["id"]) for row in rows] == [
        ("rm_bench/total_dataset.json", 0, "a"),
        ("rm_bench/total_dataset.json", 1, "b"),
    ]
    (file.parent / "chat_filtered.json").write_text("[]", encoding="utf-8")
    *_, beside = rows_below(tmp_path, BENCHMARKS["rm_bench"].layout, "rm_bench")
    assert beside.file == "rm_bench/chat_filtered.json"
    assert beside.fault is not None
    assert beside.fault.reason is Refusal.NOT_IN_LAYOUT


def test_a_missing_file_says_where_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"reward_bench/filtered\.jsonl"):
        list(rows_below(tmp_path, BENCHMARKS["reward_bench"].layout, "reward_bench"))
    (tmp_path / "reward_bench").mkdir()
    (tmp_path / "reward_bench" / "filtered.jsonl.gz").write_bytes(b"x")
    with pytest.raises(StageError, match=r"there is reward_bench/filtered\.jsonl\.gz"):
        list(rows_below(tmp_path, BENCHMARKS["reward_bench"].layout, "reward_bench"))


def test_a_companion_of_a_file_is_not_read_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "rmb/RMB_dataset/Pairwise_set/Harmlessness"
    (tmp_path / "rmb/RMB_dataset/BoN_set").mkdir(parents=True)
    folder.mkdir(parents=True)
    (tmp_path / "rmb/RMB_dataset/BoN_set/S1.json").write_text('[{"n": 2}]', encoding="utf-8")
    (folder / "S1.json").write_text('[{"n": 1}]', encoding="utf-8")
    (folder / "._S1.json").write_bytes(b"\x00\x05\x16\x07")
    (folder / "S2.json").mkdir()
    rows = list(rows_below(tmp_path, BENCHMARKS["rmb"].layout, "rmb"))
    assert [row.row for row in rows if row.fault is None] == [{"n": 1}, {"n": 2}]
    unread = {row.file: row.fault.reason for row in rows if row.fault}
    assert unread == dict.fromkeys(
        (f"rmb/RMB_dataset/Pairwise_set/Harmlessness/{name}" for name in ("._S1.json", "S2.json")),
        Refusal.FILE_NOT_READ,
    )


def test_an_ending_counts_in_any_case_and_under_a_compression() -> None:
    endings = {name: ending_of(name) for name in ("a.JSONL", "a.json.GZ", "a.b.csv", "a.parquet.gz", "a.txt", "jsonl")}
    assert list(endings.values()) == [".jsonl", ".json", ".csv", None, None, None]


@pytest.mark.parametrize("content", ["[{]", '"no object', "", "[]"])
def test_a_broken_file_is_a_refusal_with_its_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "rm_bench" / "total_dataset.json"
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    if not content:
        with pytest.raises(StageError, match=r"total_dataset\.json \(empty\)"):
            list(rows_below(tmp_path, BENCHMARKS["rm_bench"].layout, "rm_bench"))
        return
    (row,) = rows_below(tmp_path, BENCHMARKS["rm_bench"].layout, "rm_bench")
    assert row.file == "rm_bench/total_dataset.json"
    assert row.fault is not None


def test_git_data_is_taken_at_its_commit_and_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    origin = tmp_path / "origin"
    (origin / "RMB_dataset").mkdir(parents=True)
    (origin / "RMB_dataset" / "a.json").write_text('[{"x": 1}]', encoding="utf-8")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for step in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", str(origin), *step], check=True)
    head = subprocess.run(["git", "-C", str(origin), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    commit = head.stdout.strip()
    source = GitData(origin.as_uri(), commit, ("RMB_dataset/**/*.json",))
    revisions = tmp_path / "revisions.json"
    assert [row.row for row in download(source, revisions)] == [{"x": 1}]
    assert read_revisions(revisions) == {origin.as_uri(): commit}


@pytest.mark.slow
def test_hub_data_is_taken_at_the_revision_that_was_resolved_first(tmp_path: Path) -> None:
    """A cache of the hub's own shape, offline: `main` is resolved once, then the written commit is used."""
    cache = tmp_path / "hub" / "datasets--allenai--reward-bench"
    data = cache / "snapshots" / SHA / "data"
    data.mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(SHA, encoding="utf-8")
    code = f"""
import pyarrow, pyarrow.parquet
from pathlib import Path
from reasrm.benchmarks.registry import BENCHMARKS
from reasrm.datasets.hub import download, read_revisions
row = {{"prompt": "q", "chosen": "a", "rejected": "b", "subset": "hep-go", "id": 1}}
pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), {str(data / "filtered-00000-of-00001.parquet")!r})
lock = Path("revisions.json")
source = BENCHMARKS["reward_bench"].source
assert [entry.row for entry in download(source, lock)] == [row]
assert read_revisions(lock) == {{"allenai/reward-bench": {SHA!r}}}
Path({str(cache / "refs" / "main")!r}).write_text("f" * 40)
assert [entry.row for entry in download(source, lock)] == [row]
"""
    offline = {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ | offline, check=True)
