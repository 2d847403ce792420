"""What the run's tables say about judges and the oracle.

Run:     pytest tests/flows/test_headline.py
"""

import json
from pathlib import Path

from flows.headline import headline_rows, oracle_rows


def test_what_the_oracle_cost_stands_beside_each_other_by_pass(tmp_path: Path) -> None:
    assert oracle_rows(tmp_path) == []
    (tmp_path / "data/traces").mkdir(parents=True)
    first = {"asked": 9, "outcomes": {"ok": 8, "refused": 1}, "cache_read_tokens": 70, "usd": 0.25, "prices_as_of": "x"}
    for name, metrics in (("first", first), ("second", {"asked": 3, "usd": 0.5})):
        (tmp_path / f"data/traces/{name}.metrics.json").write_text(json.dumps(metrics))
    rows = {row["oracle"]: (row["first"], row["second"]) for row in oracle_rows(tmp_path)}
    assert rows["usd"] == ("0.25", "0.5")
    assert rows["outcomes.refused"] == ("1", "-")
    assert rows["cache_read_tokens"] == ("70", "-")
    assert "prices_as_of" not in rows


def test_benchmarks_of_the_miniature_are_named_as_such() -> None:
    model = {"accuracy": 0.5, "n": 4, "ci95": [0.4, 0.6], "flip_rate": 0.1, "benchmarks": {"rmb": {"score": 0.75}}}
    (row,) = headline_rows({"models": {"base": model}, "benchmark_labels": {"rmb": "mini-RMB"}})
    assert row["mini-RMB"] == "0.750"
    assert "rmb" not in row
