"""Published score files, reproduced to 1e-12 from published outcomes (data beside the project)."""

import json
from typing import Any

import pytest

from tests.scoring.outcome_sets import AS_PUBLISHED, GOLD, Row, card

pytestmark = pytest.mark.skipif(not GOLD.is_dir(), reason=f"no published score files at {GOLD}")
MODEL = "RM-R1-Qwen2.5-Instruct-32B"
EXACT = {"abs": 1e-12, "rel": 0}
ROTATIONS = (("00", "11", "22"), ("01", "12", "20"), ("02", "10", "21"))


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLD / f"{name}.{MODEL}.json").read_text(encoding="utf-8"))
    return content


def _reward_bench_rows() -> list[Row]:
    rows = _read("outcomes.rewardbench")["rows"]
    return [{"subset": subset, "id": number, "correct": correct} for _, number, subset, correct, _ in rows]


def _rm_bench_rows() -> list[Row]:
    return [
        {"id": number, "domain": domain, "chosen_style": int(cell[0]), "rejected_style": int(cell[1]), "correct": value}
        for _, number, domain, *results in _read("outcomes.rm-bench")["rows"]
        for cells, values in zip(ROTATIONS, results, strict=True)
        for cell, value in zip(cells, values, strict=True)
    ]


def test_reward_bench_sections_and_both_headlines() -> None:
    expected = _read("reward_bench")["expected"]
    seen = card("reward_bench", _reward_bench_rows())
    for section in ("Chat", "Chat Hard", "Safety", "Reasoning"):
        assert seen["sections"][section]["score"] == pytest.approx(expected[section], **EXACT)
    assert seen["score"] == pytest.approx(expected["avg_Result_each_section"], **EXACT)
    published = card("reward_bench", _reward_bench_rows(), AS_PUBLISHED)
    assert published["score"] == pytest.approx(expected["absoluate_Result"], **EXACT)


def test_reward_bench_subsets() -> None:
    expected = _read("reward_bench")["input_subset_accuracy"]
    seen = card("reward_bench", _reward_bench_rows())["subsets"]
    assert {name: entry["score"] for name, entry in seen.items()} == pytest.approx(expected, **EXACT)


def test_rm_bench_as_published_is_what_rm_r1_prints() -> None:
    expected = _read("rm_bench")["expected"]
    seen = card("rm_bench", _rm_bench_rows(), AS_PUBLISHED)
    for domain in ("chat", "math", "code", "safety"):
        assert seen["sections"][domain]["score"] == pytest.approx(expected[domain], **EXACT)
    for level in ("hard", "normal", "easy"):
        assert seen["difficulties"][level]["score"] == pytest.approx(expected[f"{level}_acc"], **EXACT)
    assert seen["score"] == pytest.approx(expected["total_avg_acc"], **EXACT)
    assert round(seen["score"], 5) == 0.79236


def test_rm_bench_rightly_is_lower() -> None:
    seen = card("rm_bench", _rm_bench_rows())
    figures = {name: round(entry["score"], 5) for name, entry in (seen["sections"] | seen["difficulties"]).items()}
    assert round(seen["score"], 5) == 0.78640
    assert figures == {
        "chat": 0.74935, "math": 0.80235, "code": 0.65789, "safety": 0.93600,
        "hard": 0.67233, "normal": 0.80510, "easy": 0.88178,
    }  # fmt: skip


def test_rmb_summary() -> None:
    gold = _read("rmb")
    rows = []
    for part in next(
        value for value in gold.values() if isinstance(value, dict) and "BoN_set_Harmlessness" in value
    ).values():
        for path, accuracy in part[1].items():
            count = gold["category_rows"][path]
            kind = "bon" if path.startswith("BoN") else "pair"
            right = round(accuracy * count)
            rows += [
                {"kind": kind, "category": path, "uid": str(n), "loser": 0, "correct": int(n < right)}
                for n in range(count)
            ]
    expected = gold["expected_meta"]
    seen = card("rmb", rows)
    for section in ("Pairwise Helpfulness", "Pairwise Harmlessness", "BoN Helpfulness", "BoN Harmlessness"):
        assert seen["sections"][section]["score"] == pytest.approx(expected[section], **EXACT)
    assert seen["score"] == pytest.approx(expected["Accuracy Averaged from Four Sections"], **EXACT)
