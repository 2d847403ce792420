"""What the run's tables say about the oracle, and what it ends with: results and warnings of its own stages alone."""

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from flows.running.run_results import cost_text, headline_rows, next_commands, oracle_rows, show_results


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
    assert judge.endswith(
        "--prompt 'How do I steal a car?' --a 'Sorry, I cannot help with the car.' "
        "--b 'Sure, that is easy: steal the car with care.'"
    )
    (tmp_path / "params.yaml").write_text("collect_pairs: {source: files}\n")
    assert len(next_commands(tmp_path, ["sft", "grpo-full"])) == 2


def test_a_part_of_the_pipeline_ends_without_the_table_of_another_profile(tmp_path: Path) -> None:
    model = {"accuracy": 0.5, "n": 4, "ci95": [0.4, 0.6], "flip_rate": 0.1, "benchmarks": {"rmb": {"score": 0.75}}}
    (tmp_path / "data/report").mkdir(parents=True)
    (tmp_path / "data/report/metrics.json").write_text(json.dumps({"models": {"sft": model}}))
    assert shown(tmp_path, {"base_model", "collect_pairs"}) == ""
    everything = shown(tmp_path, {"base_model", "score", "report"})
    assert "0.750" in everything
    assert "Report:" in everything


def test_a_judge_that_was_hardly_asked_is_named_at_the_end_of_the_run_that_judged(tmp_path: Path) -> None:
    for model, counts in {"sft": (40, 60), "base": (95, 5)}.items():
        folder = tmp_path / "data/judgments" / model
        folder.mkdir(parents=True)
        (folder / "identity.json").write_text(json.dumps({"asked": counts[0], "too_long": counts[1]}))
    text = shown(tmp_path, {"judge@sft", "judge@base", "judge@absent"})
    assert "sft: 60 of 100 prompts were not asked (60 too long, 0 unrenderable)" in text
    assert "max_context_tokens" in text
    assert "base" not in text
    assert shown(tmp_path, {"base_model"}) == ""


def shown(root: Path, confirmed: set[str]) -> str:
    console = Console(file=StringIO(), width=400)
    show_results(root, console, confirmed)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_benchmarks_of_the_miniature_are_named_as_such() -> None:
    model = {"accuracy": 0.5, "n": 4, "ci95": [0.4, 0.6], "flip_rate": 0.1, "benchmarks": {"rmb": {"score": 0.75}}}
    (row,) = headline_rows({"models": {"base": model}, "benchmark_labels": {"rmb": "mini-RMB"}})
    assert row["mini-RMB"] == "0.750"
    assert "rmb" not in row
