"""Scores and comparisons from Python: names, paths or rows in; plain dictionaries out; nothing heavy imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from reasrm.benchmarks.scoring_rule import OutcomeError
from reasrm.scoring.outcome_scores import compare_outcomes, score_outcomes
from tests.scoring.outcome_sets import AS_PUBLISHED, card, judged, write_rows


def test_rows_and_files_score_alike_and_by_the_rule_that_is_asked_for(tmp_path: Path) -> None:
    rows = judged("rm_bench", lambda number: (1, 0, None)[number % 3])
    file = write_rows(tmp_path / "rows.jsonl", rows)
    for outcomes in (file, str(file), rows, iter(rows)):
        assert score_outcomes("rm_bench", outcomes, resamples=50) == card("rm_bench", rows)
    published = score_outcomes("rm_bench", rows, as_published=True, resamples=50)
    assert published == card("rm_bench", rows, AS_PUBLISHED)
    worth = [score_outcomes("rm_bench", rows, unreadable=rule, resamples=50)["score"] for rule in ("zero", "half")]
    assert worth[0] < worth[1]


def test_comparing_rows_is_comparing_files_and_names_the_sides(tmp_path: Path) -> None:
    a, b = judged("rmb", lambda _: 1), judged("rmb", lambda number: number % 2)
    files = [write_rows(tmp_path / name / "rmb.jsonl", rows) for name, rows in (("a", a), ("b", b))]
    from_rows = compare_outcomes("rmb", a, iter(b), names=("mine", "yours"), resamples=50)
    from_files = compare_outcomes("rmb", *files, names=("mine", "yours"), resamples=50)
    assert [from_rows[side].pop("file") for side in "ab"] == ["rows of mine", "rows of yours"]
    assert [from_files[side].pop("file") for side in "ab"] == [str(file) for file in files]
    assert from_rows == from_files
    assert from_rows["a"]["name"] == "mine"
    assert from_rows["score"]["a_minus_b"] > 0


def test_faults_name_the_row_and_unknown_names_are_refused() -> None:
    with pytest.raises(OutcomeError, match="rows line 2: no field `correct`"):
        score_outcomes("reward_bench", [{"subset": "hep-go", "id": 1, "correct": 1}, {"subset": "hep-go", "id": 2}])
    with pytest.raises(ValueError, match="mt_bench"):
        score_outcomes("mt_bench", [])
    with pytest.raises(ValueError, match="quarter"):
        score_outcomes("rmb", [], unreadable="quarter")


def test_scoring_imports_no_model_library() -> None:
    heavy = ("torch", "transformers", "pyarrow", "datasets", "huggingface_hub", "scipy", "prefect")
    program = f"import sys, reasrm.scoring.outcome_scores; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
