"""The stage `score`: its parameters, and its files from judgments on disk."""

import json
from pathlib import Path

import pytest

from reasrm.benchmarks.collection import RowSelection, collect, write_benchmarks
from reasrm.benchmarks.registry import benchmark
from reasrm.benchmarks.scoring_rule import UnreadableRule
from reasrm.datasets.row_files import DataSource, RowInFile
from reasrm.records.comparison import Side
from reasrm.records.jsonl import write_records
from reasrm.records.judgment import Judgment
from reasrm.runtime.params import PARAMS_FILE, ParamsError
from reasrm.runtime.stage_main import StageError
from stages.score import ScoreParams, main

ROOT = Path(__file__).parents[2]
SECTION = """score:
  models: [m]
  headline: [{headline}]
  unreadable: zero
  resamples: 100
  seed: 3
  prices: {{m: {{input: 2, output: 10}}}}
"""


def _write_run(folder: Path, headline: str = "reward_bench") -> None:
    (folder / PARAMS_FILE).write_text(SECTION.format(headline=headline), encoding="utf-8")
    rows = [{"subset": "hep-go", "id": n, "prompt": f"q{n}", "chosen": "good", "rejected": "bad"} for n in range(4)]
    collected = collect(
        benchmark("reward_bench"), (RowInFile("f", n, row) for n, row in enumerate(rows)), RowSelection(seed=0)
    )
    write_benchmarks(folder / "data/benchmarks", [collected], DataSource.FILES)
    judgments = [
        Judgment(benchmark="reward_bench", item_id=item.item_id, better=side, verdict=Side.A, scores=(1.0, 0.0))
        for item in collected.items
        for side in Side
    ]
    write_records(folder / "data/judgments/m/reward_bench.jsonl", judgments)
    write_records(folder / "data/judgments/m/budgets/32/reward_bench.jsonl", judgments)


def test_committed_parameters_are_valid() -> None:
    assert ScoreParams.load(file=ROOT / PARAMS_FILE).headline


def test_parameters_become_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    settings = ScoreParams.load().settings()
    assert settings.prices == {"m": (2.0, 10.0)}
    assert settings.headline == ("reward_bench",)
    assert (settings.scores.unreadable, settings.scores.seed) == (UnreadableRule.ZERO, 3)


def test_an_unknown_benchmark_is_refused_with_the_known_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_run(tmp_path, headline="mt_bench")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamsError, match=r"headline.*'mt_bench'; there are reward_bench"):
        ScoreParams.load()


def test_a_score_file_holds_the_budgets_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main() == "m 0.500"
    card = json.loads((tmp_path / "data/scores/m.json").read_text(encoding="utf-8"))
    assert (card["accuracy"], card["average"]["of"], card["flip_rate"]) == (0.5, ["reward_bench"], 1.0)
    assert card["token_budgets"]["32"]["accuracy"] == 0.5


def test_a_model_without_judgments_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_run(tmp_path)
    (tmp_path / "data/judgments/m").rename(tmp_path / "data/judgments/other")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StageError, match="no judgments of 'm'"):
        main()
