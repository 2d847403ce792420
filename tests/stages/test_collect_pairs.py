"""The stage `collect_pairs`: the miniature's training questions, files, and benchmark prompts kept out."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.pair_selection import select
from reasrm.records.jsonl import read_rows
from reasrm.records.pair import Purpose
from reasrm.runtime.params import PARAMS_FILE
from reasrm.runtime.stage_main import StageError
from stages.collect_benchmarks import CollectBenchmarksParams, collect_benchmark
from stages.collect_pairs import CollectPairsParams, candidates
from tests.fixtures.json_values import JSON_VALUES

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data"
VALUES: dict[str, Any] = {
    "source": "miniature", "seed": 0, "counts": {"distill": 200, "reinforce": 100, "dev": 50},
    "shares": {"distill": 0.5, "reinforce": 0.3, "dev": 0.2}, "limits": {}, "source_limits": {}, "skip_parts": [],
    "distill_slices": None,
    "max_chars": None, "hub_sets": ["gaotang/RM-R1-Entire-RLVR-Train"], "overlap_ngram": 13, "overlap_share": 1.0,
}  # fmt: skip


def _params(**change: Any) -> CollectPairsParams:
    return CollectPairsParams.model_validate(VALUES | change)


def test_committed_parameters_are_valid() -> None:
    assert CollectPairsParams.load(file=ROOT / PARAMS_FILE).counts


def test_the_miniature_gives_what_was_asked_for_and_no_test_question() -> None:
    params = _params()
    values = {"source": "miniature", "benchmarks": ["reward_bench"], "seed": 0, "training_shares": {}, "limits": {}}
    collected = collect_benchmark(CollectBenchmarksParams.model_validate(values), "reward_bench", Path("unused"))
    prompts = BenchmarkPrompts([(item.item_id, item.pair.prompt) for item in collected.items], 13, 1.0)
    selected = select(candidates(params, Path("unused")), params.rules(), prompts)
    assert {purpose.value: len(pairs) for purpose, pairs in selected.pairs.items()} == VALUES["counts"]
    assert not selected.rejected
    ids = [pair.id for pairs in selected.pairs.values() for pair in pairs]
    assert len(ids) == len(set(ids))


def test_files_of_all_kinds_are_read(tmp_path: Path) -> None:
    category = tmp_path / "rmb/RMB_dataset/Pairwise_set/Harmlessness"
    category.mkdir(parents=True)
    turns = [{"role": "user", "content": "from rmb"}]
    pair = {"pair_uid": "1", "conversation_input": turns, "category_path": "Pairwise_set/Harmlessness/S1"}
    pair |= {"chosen": {"answer": "a"}, "reject": {"answer": "b"}}
    (category / "S1.json").write_text(json.dumps([pair]), encoding="utf-8")
    (tmp_path / "pairs").mkdir()
    plain = {"prompt": "from pairs", "chosen": "a", "rejected": "b"}
    lines = json.dumps(plain) + "\n" + json.dumps({"prompt": "broken"}) + "\n"
    (tmp_path / "pairs" / "own.jsonl").write_text(lines, encoding="utf-8")
    found = list(candidates(_params(source="files"), tmp_path))
    assert [candidate.pair.question if candidate.pair else None for candidate in found] == [
        "from rmb",
        "from pairs",
        None,
    ]
    assert "chosen" in found[-1].fault


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"pairs/\*\*"):
        list(candidates(_params(source="files"), tmp_path))


def _written(folder: Path, files: dict[str, bytes], **change: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The funnel and the rejected rows of a run over these files, in a working directory of its own."""
    for name, data in files.items():
        path = Path(os.fsdecode(os.fsencode(folder / "pairs") + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    params = _params(source="files", **change)
    selected = select(candidates(params, folder), params.rules(), BenchmarkPrompts([], 13, 1.0))
    selected.write(Path("data/pairs"), {})
    funnel = json.loads(Path("data/pairs/funnel.json").read_text(encoding="utf-8"))
    return funnel, [row for _, row in read_rows(Path("data/pairs/rejected.jsonl"))]


def _line(question: str, **change: Any) -> bytes:
    return json.dumps({"prompt": question, "chosen": "a", "rejected": "b"} | change).encode() + b"\n"


GOOD = b"".join(_line(f"question {n}") for n in range(40))


def test_odd_rows_and_files_are_named_and_the_others_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "a.jsonl": GOOD + _line("nan", unused=float("nan")) + b'{"prompt": "cut', "b.JSONL": _line("upper case"),
        "c.json": b'[{"prompt": "c", "chosen": "a", "rejected": "b"}, {"prompt": "\\ud83d"}]', "d.txt": b"notes",
        os.fsdecode(b"\xff.jsonl"): _line("bytes", chosen=1), "._a.jsonl": b"\0",
        "e.csv": b"prompt,chosen,rejected\nq,a,b\n",
        "f.jsonl": _line("tie", chosen_score=1, rejected_score=1) + _line("same", rejected="a"),
    }  # fmt: skip
    funnel, rejected = _written(tmp_path / "raw", files)
    assert funnel["rows_in"] == 49 == funnel["kept"] + funnel["rejected"]
    assert funnel["by_reason"] == {"identical_answers": 1, "tie": 1, "unusable_row": 3}
    assert funnel["files_not_read"] == 2
    assert sorted((row["file"], row["place"], row["reason"]) for row in rejected) == [
        ("pairs/._a.jsonl", 0, "file_not_read"), (r"pairs/\xff.jsonl", 1, "unusable_row"),
        ("pairs/a.jsonl", 42, "unusable_row"), ("pairs/c.json", 1, "unusable_row"), ("pairs/d.txt", 0, "file_not_read"),
        ("pairs/f.jsonl", 1, "tie"), ("pairs/f.jsonl", 2, "identical_answers"),
    ]  # fmt: skip
    assert all(row["detail"] for row in rejected if row["reason"] != "identical_answers")


def test_when_nothing_is_left_the_reasons_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        StageError, match=r"0 of 2 rows .*pairs/a\.jsonl at 1: .*'a'; .*work/collect_pairs/rejected\.jsonl"
    ):
        _written(tmp_path / "raw", {"a.jsonl": b'{"a": 1}\n{"b": 2}\n'})
    assert len(list(read_rows(Path("work/collect_pairs/rejected.jsonl")))) == 2
    assert not Path("data/pairs").exists()
    _written(tmp_path / "raw", {"a.jsonl": GOOD})
    assert not Path("work/collect_pairs/rejected.jsonl").exists()


NAMES = st.sampled_from(["a.jsonl", "b.json", "c.csv", "d.parquet", "e.json.gz", "f.txt", ".g.json"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        NAMES, st.binary(max_size=80) | st.lists(JSON_VALUES, max_size=3).map(lambda v: json.dumps(v).encode())
    )
)
def test_whatever_the_files_hold_the_counts_add_up(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("any"))
    funnel, rejected = _written(Path("raw"), {**files, "z.jsonl": GOOD})
    assert funnel["rows_in"] == funnel["kept"] + funnel["rejected"]
    assert len(rejected) == funnel["rejected"] + funnel.get("files_not_read", 0)
    assert funnel["kept"] >= 40
    assert {row["file"] for row in rejected} | {"pairs/z.jsonl"} >= {f"pairs/{name}" for name in files}


@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is not there: real preference pairs beside the checkout")
def test_real_sets_are_read_whole_in_their_own_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """hh-rlhf, CoCoNot and LLMBar; RewardBench took its `llmbar-*` rows from LLMBar, so they are found again."""
    monkeypatch.chdir(tmp_path)
    params = _params(source="files")
    values = {"source": "files", "benchmarks": ["reward_bench"], "seed": 0, "training_shares": {}, "limits": {}}
    bench = collect_benchmark(CollectBenchmarksParams.model_validate(values), "reward_bench", REAL / "benchmarks")
    asked = {item.pair.question for item in bench.items if str(item.keys["subset"]).startswith("llmbar-")}
    prompts = BenchmarkPrompts([(item.item_id, item.pair.prompt) for item in bench.items], 13, 1.0)
    selected = select(candidates(params, REAL), params.rules(), prompts)
    selected.write(Path("data/pairs"), {})
    funnel = selected.funnel()
    assert funnel["rows_in"] == 2312 + 927 + 419 == funnel["kept"] + funnel["rejected"]
    reasons = Counter((row["file"].split("/")[1].split("_")[0], row["reason"]) for row in selected.rejected)
    assert reasons.pop(("llmbar", "benchmark_overlap")) >= len(asked) > 100
    assert reasons == {("hh", "empty_answer"): 4, ("hh", "unusable_row"): 5}
    kept = {pair.question for pairs in selected.pairs.values() for pair in pairs}
    assert not kept & asked


def test_every_purpose_needs_its_part() -> None:
    with pytest.raises(ValidationError, match="dev"):
        _params(counts={"distill": 1, "reinforce": 1})
    assert Purpose.DEV in _params(source="files", counts={}).shares
    without = {"distill": 0, "reinforce": 0.9, "dev": 0.1}
    assert _params(source="files", shares=without).unused() == {Purpose.DISTILL}
    assert _params(counts={"distill": 8000, "reinforce": 0, "dev": 600}).unused() == {Purpose.REINFORCE}
    with pytest.raises(ValidationError, match="`shares` must say how much goes to distill or reinforce"):
        _params(source="files", shares=without | {"reinforce": 0})
    with pytest.raises(ValidationError, match="`counts` must say how much goes to dev"):
        _params(counts={"distill": 1, "reinforce": 1, "dev": 0})


def test_only_known_sets_are_taken_by_name() -> None:
    with pytest.raises(ValidationError, match=r"some/set cannot be read by name, only Skywork/.*`source: files`"):
        _params(source="hub", hub_sets=["some/set"])
