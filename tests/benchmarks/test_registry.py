"""What every benchmark of the registry must bring."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from reasrm.benchmarks.registry import BENCHMARKS, BenchmarkName, benchmark, display_name

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_rows_that_help_shows_can_be_read(name: str) -> None:
    rules = benchmark(name)
    assert rules.outcome_examples
    for example in rules.outcome_examples:
        row, _ = json.JSONDecoder().raw_decode(example)
        assert rules.outcomes(row)
        assert set(rules.outcome_keys) & set(row)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_readers_are_told_of_it(name: str) -> None:
    folder = benchmark(name).layout[0].partition("/")[0]
    told = {"data/raw/README.md": f"`{folder}/", "docs/researcher.md": f"`{name}`"}
    assert not {file: text for file, text in told.items() if text not in (ROOT / file).read_text(encoding="utf-8")}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_titles_tell_the_miniatures_rows_from_the_published_ones(name: str) -> None:
    assert display_name(name, miniature=False) == BENCHMARKS[name].title
    assert display_name(name, miniature=True) == f"mini-{BENCHMARKS[name].title}"


def test_unknown_names_are_refused_and_the_known_ones_named() -> None:
    for ask in (benchmark, lambda name: display_name(name, miniature=True)):
        with pytest.raises(ValueError, match=r"'mt_bench'; there are reward_bench, rm_bench"):
            ask("mt_bench")
    with pytest.raises(ValidationError, match="mt_bench"):
        TypeAdapter(BenchmarkName).validate_python("mt_bench")
