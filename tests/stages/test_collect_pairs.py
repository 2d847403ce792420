"""The stage `collect_pairs`: the miniature's training questions, files, and benchmark prompts kept out."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.pair_selection import Purpose, select
from reasrm.runtime.params import PARAMS_FILE
from reasrm.runtime.stage_main import StageError
from stages.collect_benchmarks import CollectBenchmarksParams, collect_benchmark
from stages.collect_pairs import CollectPairsParams, candidates

ROOT = Path(__file__).parents[2]
VALUES: dict[str, Any] = {
    "source": "miniature", "seed": 0, "counts": {"distill": 200, "reinforce": 100, "dev": 50},
    "shares": {"distill": 0.5, "reinforce": 0.3, "dev": 0.2}, "limits": {}, "source_limits": {}, "skip_parts": [],
    "max_chars": None, "overlap_ngram": 13, "overlap_share": 1.0,
}  # fmt: skip


def _params(**change: Any) -> CollectPairsParams:
    return CollectPairsParams.model_validate(VALUES | change)


def test_committed_parameters_are_valid() -> None:
    assert CollectPairsParams.load(file=ROOT / PARAMS_FILE).counts


def test_the_miniature_gives_what_was_asked_for_and_no_test_question() -> None:
    params = _params()
    settings = {"source": "miniature", "benchmarks": ["reward_bench"], "seed": 0, "training_shares": {}, "limits": {}}
    collected = collect_benchmark(CollectBenchmarksParams.model_validate(settings), "reward_bench", Path("unused"))
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
    with pytest.raises(StageError, match=r"pairs/\*\*/\*\.jsonl"):
        list(candidates(_params(source="files"), tmp_path))


def test_every_purpose_needs_its_part() -> None:
    with pytest.raises(ValidationError, match="dev"):
        _params(counts={"distill": 1, "reinforce": 1})
    assert Purpose.DEV in _params(source="files", counts={}).shares
