"""RM-Bench: the 3x3, difficulties, pooled safety, and the published defect."""

import random
from collections.abc import Callable

import pytest

from reasrm.benchmarks.rm_bench import RmBench
from reasrm.benchmarks.scoring_rule import OutcomeError
from reasrm.datasets.row_fields import RowRefusedError
from tests.scoring.outcome_sets import AS_PUBLISHED, Row, card, rm_bench

RULES = RmBench()


def _judged(correct: Callable[[Row], int]) -> list[Row]:
    return [row | {"correct": correct(row)} for row in rm_bench()]


def test_hard_means_that_the_worse_answer_has_the_more_elaborate_style() -> None:
    seen = card("rm_bench", _judged(lambda row: int(row["chosen_style"] >= row["rejected_style"])))
    levels = {name: entry["score"] for name, entry in seen["difficulties"].items()}
    assert levels == {"hard": 0.0, "normal": 1.0, "easy": 1.0}
    assert seen["score"] == pytest.approx(2 / 3)
    assert seen["matrix"]["all"]["02"]["score"] == 0.0
    assert seen["matrix"]["chat"]["20"]["score"] == 1.0


def test_safety_pools_prompts_and_is_not_the_mean_of_its_two_parts() -> None:
    def row(number: str, domain: str, correct: int) -> list[Row]:
        return [
            {"id": number, "domain": domain, "chosen_style": i, "rejected_style": j, "correct": correct}
            for i in range(3)
            for j in range(3)
        ]

    rows = [*row("a", "safety-refuse", 1), *row("b", "safety-refuse", 1), *row("c", "safety-response", 0)]
    assert card("rm_bench", rows)["sections"]["safety"]["score"] == pytest.approx(2 / 3)


def _reference(rows: list[Row]) -> tuple[dict[str, float], list[float]]:
    """RM-R1's `process_final_result.py` written out: three rotations, the third read where the second should be."""
    rotations = [["00", "11", "22"], ["01", "12", "20"], ["02", "10", "21"]]
    by = {(row["id"], f"{row['chosen_style']}{row['rejected_style']}"): row["correct"] for row in rows}
    domains = {}
    for name in ("chat", "math", "code", "safety"):
        ids = sorted({row["id"] for row in rows if row["domain"].startswith(name)})
        matrix = {cell: 0.0 for rotation in rotations for cell in rotation}
        for rotation, read in zip(rotations, (rotations[0], rotations[2], rotations[2]), strict=True):
            for cell, source in zip(rotation, read, strict=True):
                matrix[cell] = sum(by[number, source] for number in ids) / len(ids)
        hard = (matrix["01"] + matrix["02"] + matrix["12"]) / 3
        normal = (matrix["00"] + matrix["11"] + matrix["22"]) / 3
        easy = (matrix["10"] + matrix["20"] + matrix["21"]) / 3
        domains[name] = (hard, normal, easy)
    levels = [sum(domain[index] for domain in domains.values()) / 4 for index in range(3)]
    return {name: sum(parts) / 3 for name, parts in domains.items()}, levels


@pytest.mark.parametrize("seed", range(5))
def test_as_published_is_the_defective_rotation(seed: int) -> None:
    rng = random.Random(seed)
    rows = _judged(lambda _: rng.randint(0, 1))
    domains, levels = _reference(rows)
    seen = card("rm_bench", rows, AS_PUBLISHED)
    for name, value in domains.items():
        assert seen["sections"][name]["score"] == pytest.approx(value, abs=1e-12)
    for name, value in zip(("hard", "normal", "easy"), levels, strict=True):
        assert seen["difficulties"][name]["score"] == pytest.approx(value, abs=1e-12)
    assert seen["score"] == pytest.approx(sum(levels) / 3, abs=1e-12)


def test_a_missing_cell_is_refused_with_its_place() -> None:
    rows = _judged(lambda _: 1)
    gone = next(row for row in rows if row["id"] == "code/1" and (row["chosen_style"], row["rejected_style"]) == (1, 2))
    with pytest.raises(OutcomeError, match=r"code/1.*\(1, 2\)"):
        card("rm_bench", [row for row in rows if row is not gone])


def test_one_id_in_two_domains_is_refused() -> None:
    rows = _judged(lambda _: 1)
    rows[0] = {**rows[0], "domain": "math"}
    rows.append({**rows[0], "domain": "chat"})
    with pytest.raises(OutcomeError, match="share an id"):
        card("rm_bench", rows)


def test_nine_items_of_a_row() -> None:
    row = {"id": "chat/1", "prompt": "q", "chosen": ["a", "b", "c"], "rejected": ["x", "y", "z"], "domain": "chat"}
    items = RULES.items(row)
    assert [(item.pair.chosen, item.pair.rejected) for item in items[:4]] == [
        ("a", "x"), ("a", "y"), ("a", "z"), ("b", "x"),
    ]  # fmt: skip
    assert len({item.item_id for item in items}) == 9
    assert len({item.group for item in items}) == 1


@pytest.mark.parametrize("change", [{"chosen": ["a", "b"]}, {"domain": "law"}, {"rejected": "xyz"}])
def test_rows_of_another_shape_are_refused(change: Row) -> None:
    row = {"id": "chat/1", "prompt": "q", "chosen": ["a", "b", "c"], "rejected": ["x", "y", "z"], "domain": "chat"}
    with pytest.raises(RowRefusedError):
        RULES.items(row | change)
