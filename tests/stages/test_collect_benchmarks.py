"""The stage `collect_benchmarks`: the miniature's rows, files of a folder, parameters."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.benchmarks.collection import write_benchmarks
from reasrm.benchmarks.reward_bench import SECTION_OF, SECTIONS
from reasrm.datasets.row_files import DataSource
from reasrm.records.jsonl import read_rows
from reasrm.runtime.params import PARAMS_FILE
from reasrm.runtime.stage_main import StageError
from stages.collect_benchmarks import CollectBenchmarksParams, collect_benchmark

ROOT = Path(__file__).parents[2]


def _params(**change: Any) -> CollectBenchmarksParams:
    values = {"source": "miniature", "benchmarks": ["reward_bench"], "seed": 0, "training_shares": {}, "limits": {}}
    return CollectBenchmarksParams.model_validate(values | change)


def test_committed_parameters_are_valid() -> None:
    assert CollectBenchmarksParams.load(file=ROOT / PARAMS_FILE).benchmarks


def test_the_miniature_has_every_section_of_every_benchmark() -> None:
    params = _params(benchmarks=["reward_bench", "rm_bench", "rmb"])
    collected = {name: collect_benchmark(params, name, Path("unused")) for name in params.benchmarks}
    sections = {SECTION_OF[str(item.keys["subset"])] for item in collected["reward_bench"].items}
    assert sections == set(SECTIONS)
    domains = {str(item.keys["domain"]).split("-")[0] for item in collected["rm_bench"].items}
    assert domains == {"chat", "math", "code", "safety"}
    goals = {(item.keys["kind"], str(item.keys["category"]).split("/")[0]) for item in collected["rmb"].items}
    assert len(goals) == 4
    for one in collected.values():
        assert not one.refused
        assert all("family" in item.keys for item in one.items)
    assert len({item.group for one in collected.values() for item in one.items}) >= 1000


def test_files_are_read_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    row = {"prompt": "q", "chosen": "a", "rejected": "b", "subset": "hep-go", "id": 1}
    folder = tmp_path / "reward_bench"
    folder.mkdir()
    rows = [row, row | {"subset": "?"}, row]
    (folder / "filtered.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    account = collect_benchmark(_params(source="files"), "reward_bench", tmp_path).account()
    assert (account["rows_in"], account["rows_used"], account["rows_refused"]) == (3, 1, 2)
    assert account["files_not_read"] == 1


def test_nothing_usable_stops_the_stage_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "reward_bench"
    folder.mkdir()
    (folder / "filtered.jsonl").write_text('{"subset": "?"}\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    collected = collect_benchmark(_params(source="files"), "reward_bench", tmp_path)
    with pytest.raises(StageError, match=r"none of its 1 rows .*reward_bench/filtered\.jsonl at 1: .*'\?'"):
        write_benchmarks(Path("data/benchmarks"), [collected], DataSource.FILES)
    assert not Path("data/benchmarks").exists()
    ((_, refused),) = read_rows(Path("work/collect_benchmarks/refused.jsonl"))
    assert refused["file"] == "reward_bench/filtered.jsonl"
    write_benchmarks(
        Path("data/benchmarks"), [collect_benchmark(_params(), "reward_bench", tmp_path)], DataSource.FILES
    )
    assert not Path("work/collect_benchmarks/refused.jsonl").exists()


def test_an_odd_row_costs_itself(tmp_path: Path) -> None:
    row = {"id": "chat/1", "prompt": "How?", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"], "domain": "chat"}
    rows = [row | {"id": f"chat/{n}", "prompt": f"How {n}?"} for n in range(4)]
    texts = [json.dumps(one) for one in rows]
    texts[1] = texts[1].replace("How", "\\ud83d")
    texts[2] = texts[2].replace(": [", ": " + "[" * 5000, 1)
    texts.append(json.dumps(row | {"id": 2**70, "unused": float("nan")}))
    (tmp_path / "rm_bench").mkdir()
    (tmp_path / "rm_bench" / "total_dataset.json").write_text(f"[{', '.join(texts)}", encoding="utf-8")
    collected = collect_benchmark(_params(source="files", benchmarks=["rm_bench"]), "rm_bench", tmp_path)
    account = collected.account()
    assert account["rows_in"] == account["rows_used"] + account["rows_refused"]
    assert {item.pair.question for item in collected.items} == {"How 0?"}
    assert [(entry["place"], entry["reason"]) for entry in collected.refused[:2]] == [
        (1, "unreadable"),
        (2, "unreadable"),
    ]


def test_the_miniature_cannot_give_what_it_has_not() -> None:
    with pytest.raises(ValidationError, match="judge_bench"):
        _params(benchmarks=["judge_bench"])
