"""Stored figures: files that can be read, and one row of a table per ladder and seed."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from reasrm.reporting import stored_runs
from reasrm.reporting.run_settings import read_parameters, settings_hash
from reasrm.reporting.stored_runs import StoredRun, other_ladders, other_seeds, stored_rows, stored_sources


def run(model: str, accuracy: float, seed: int = 0) -> StoredRun:
    return StoredRun(
        ladder="x", seed=seed, model=model, accuracy=accuracy, n=9, ci95=(0, 1), command="c", measured_on="today"
    )


def test_the_stored_files_can_be_read_and_name_no_model_twice() -> None:
    for runs in (other_seeds(), *(ladder.runs for ladder in other_ladders())):
        keys = [(found.ladder, found.seed, found.model) for found in runs]
        assert len(keys) == len(set(keys))


def test_the_stored_seeds_are_of_the_committed_settings() -> None:
    """Who edits these settings measures the seeds again (`command` in the file), or removes them."""
    assert {found.settings for found in other_seeds() if found.ladder == "miniature"} == {
        settings_hash(read_parameters())
    }


def test_settings_differ_by_more_than_their_seeds() -> None:
    parameters = read_parameters()
    stored = settings_hash(parameters)
    seeded = {section: values | {"seed": 7} if "seed" in values else values for section, values in parameters.items()}
    assert settings_hash(seeded) == stored
    assert settings_hash(parameters | {"score": parameters["score"] | {"resamples": 9}}) == stored
    for section, key in (("grpo", "learning_rate"), ("base_model", "documents"), ("judge", "max_new_tokens")):
        assert settings_hash(parameters | {section: parameters[section] | {key: 9}}) != stored


def test_one_row_per_ladder_and_seed() -> None:
    rows = stored_rows([run("sft", 0.9, 1), run("sft", 0.8, 2), run("grpo", 0.95, 1)])
    assert [(row.seed, {name: one.accuracy for name, one in row.accuracies.items()}) for row in rows] == [
        (1, {"sft": 0.9, "grpo": 0.95}), (2, {"sft": 0.8}),
    ]  # fmt: skip


def test_a_command_that_several_seeds_share_is_named_once() -> None:
    assert stored_sources([run("sft", 0.9, 1), run("sft", 0.8, 2)]) == ((9, "today", "c"),)


def test_a_ladder_without_runs_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stored_runs, "__file__", str(tmp_path / "stored_runs.py"))
    (tmp_path / "other_ladders.json").write_text(json.dumps([{"title": "t", "text": "x", "runs": []}]))
    with pytest.raises(ValidationError, match="runs"):
        other_ladders()
