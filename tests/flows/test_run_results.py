"""What the run's tables say about the oracle, and the commands that it ends with."""

import json
from pathlib import Path

from flows.run_results import cost_text, headline_rows, next_commands, oracle_rows


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


def test_the_miniatures_own_oracle_would_cost_but_does_not(tmp_path: Path) -> None:
    (tmp_path / "data/traces").mkdir(parents=True)
    (tmp_path / "data/traces/first.metrics.json").write_text('{"usd": 12.02}')
    (tmp_path / "params.yaml").write_text("distill_traces: {endpoint: local}\n")
    assert [row["oracle"] for row in oracle_rows(tmp_path)] == ["usd (would cost)"]
    assert cost_text(tmp_path, 12.02) == "would cost $12.02"
    (tmp_path / "params.yaml").write_text("distill_traces: {endpoint: environment}\n")
    assert [row["oracle"] for row in oracle_rows(tmp_path)] == ["usd"]
    assert cost_text(tmp_path, 12.02) == "$12.02"


def test_what_to_try_next_is_what_works_with_these_results(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("collect_pairs: {source: miniature}\n")
    (only,) = next_commands(tmp_path, ["base"])
    assert "webbrowser" in only
    (tmp_path / "data/checkpoints/grpo-full").mkdir(parents=True)
    _, compare, judge = next_commands(tmp_path, ["sft", "grpo-full"])
    assert compare.endswith("compare grpo-full sft")
    assert judge.endswith("--prompt 'sum a 2 b 1 c 1 d 1 e 2' --a 'it is 2' --b '## ** it is 3 **'")
    (tmp_path / "params.yaml").write_text("collect_pairs: {source: files}\n")
    assert len(next_commands(tmp_path, ["sft", "grpo-full"])) == 2


def test_benchmarks_of_the_miniature_are_named_as_such() -> None:
    model = {"accuracy": 0.5, "n": 4, "ci95": [0.4, 0.6], "flip_rate": 0.1, "benchmarks": {"rmb": {"score": 0.75}}}
    (row,) = headline_rows({"models": {"base": model}, "benchmark_labels": {"rmb": "mini-RMB"}})
    assert row["mini-RMB"] == "0.750"
    assert "rmb" not in row
