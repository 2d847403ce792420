"""Outcomes spread over buckets come back whole, group by group, and score the same."""

import random
from pathlib import Path

from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.scoring.outcome_files import ROWS_PER_BUCKET, OutcomeStore
from reasrm.scoring.outcome_scores import score_outcomes
from tests.scoring.outcome_sets import card, judged, write_rows


def test_groups_come_back_whole_from_many_buckets() -> None:
    rng = random.Random(0)
    outcomes = [
        BenchmarkOutcome(f"g{n % 40}", "s", "c", f"u{n}", "", "", 0, rng.choice([0, 1, None]), line=n)
        for n in range(400)
    ]
    with OutcomeStore(expected_rows=8 * ROWS_PER_BUCKET) as store:
        for outcome in outcomes:
            store.add(outcome)
        groups = list(store.groups())
    assert len(groups) == 40
    for group in groups:
        lines = [outcome.line for outcome in group]
        assert lines == sorted(lines)
        assert group == [outcomes[line] for line in lines]
    assert sum(len(group) for group in groups) == 400


def test_a_file_scores_as_rows_in_memory(tmp_path: Path) -> None:
    rows = judged("rmb", lambda number: (1, 0, None)[number % 3])
    path = write_rows(tmp_path / "rmb.jsonl", rows)
    assert score_outcomes("rmb", path, resamples=50) == card("rmb", rows)
    assert score_outcomes("rmb", rows, resamples=50) == card("rmb", rows)
