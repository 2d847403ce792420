"""What the run's tables say about the oracle.

Run:     pytest tests/flows/test_headline.py
"""

import json
from pathlib import Path

from flows.headline import oracle_rows


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
