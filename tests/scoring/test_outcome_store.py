"""Outcomes spread over buckets come back whole, group by group, and score the same."""

import random
from pathlib import Path

from reasrm.benchmarks.benchmark import Outcome
from reasrm.commands.score import score_file
from reasrm.scoring.outcome_store import ROWS_PER_BUCKET, OutcomeStore
from tests.scoring.outcome_sets import OFFICIAL, card, judged, write_rows


def test_groups_come_back_whole_from_many_buckets() -> None:
    rng = random.Random(0)
    outcomes = [Outcome(f"g{n % 40}", "s", "c", f"u{n}", "", "", 0, rng.choice([0, 1, None])) for n in range(400)]
    with OutcomeStore(expected_rows=8 * ROWS_PER_BUCKET) as store:
        for line, outcome in enumerate(outcomes):
            store.add(line, outcome)
        groups = list(store.groups())
    assert len(groups) == 40
    for group in groups:
        lines = [located.line for located in group]
        assert lines == sorted(lines)
        assert [located.outcome for located in group] == [outcomes[line] for line in lines]
    assert sum(len(group) for group in groups) == 400


def test_a_file_scores_as_rows_in_memory(tmp_path: Path) -> None:
    rows = judged("rmb", lambda number: (1, 0, None)[number % 3])
    path = write_rows(tmp_path / "rmb.jsonl", rows)
    assert score_file("rmb", path, OFFICIAL) == card("rmb", rows)
