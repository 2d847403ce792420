"""The measurement of benchmarks/dev_budgets.py: one row per budget, each of the judge and the prompt that it names."""

from pathlib import Path

import pytest

from benchmarks.dev_budgets import judged
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair


@pytest.mark.slow
def test_a_row_says_which_prompt_and_budget_it_is_of(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    pairs = list(read_records(Path("data/pairs/dev.jsonl"), PreferencePair))[:6]
    rows = judged("base", PromptVariant.PLAIN, [4, None], Path("data"), pairs)
    assert [row[:3] for row in rows] == [["base", "plain", "4"], ["base", "plain", "none"]]
    short, whole = (float(row[-1]) for row in rows)
    assert 0 < short <= 4 + 8, "the budget and the forced verdict"
    assert whole > short, "a base that has learnt nearly nothing writes on"
    assert judged("base", None, [None], Path("data"), pairs)[0][1] == "full", "its own prompt, if none is named"
