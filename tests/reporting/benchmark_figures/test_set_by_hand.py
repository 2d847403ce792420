"""The box says what the parameters of the run say, and nothing where the run is not the miniature's."""

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.miniature.benchmark_rows import benchmark_rows
from reasrm.miniature.oracle_replies import LAZY_SHARES
from reasrm.miniature.slices import Slice
from reasrm.miniature.styles import strip_style
from reasrm.reporting.benchmark_figures.set_by_hand import covered_slices, read_set_by_hand
from reasrm.reporting.data_funnel import Funnel
from reasrm.reporting.run_settings import read_parameters

FUNNEL = Funnel({"distill": 960, "reinforce": 7040, "dev": 600}, {}, Counter(), (), Counter(), Counter(), {})


def parameters(**sections: dict[str, Any]) -> dict[str, Any]:
    read = read_parameters()
    return read | {name: read[name] | values for name, values in sections.items()}


def test_the_habits_are_those_of_the_parameters() -> None:
    given = read_parameters()["base_model"]["habits"]
    found = read_set_by_hand(parameters(), FUNNEL).habits
    assert found is not None
    assert [name for name, _ in found.works] == [one.value for one in Slice]
    for name, shares in found.works:
        assert dict(zip(found.prompts, shares, strict=True)) == {v: given["works"][v][name] for v in found.prompts}
    assert (found.stock_share, found.answer_only_right) == (given["stock_rubric"], given["answer_only_right"])


def test_a_share_that_the_base_is_not_trained_with_cannot_be_shown() -> None:
    habits = read_parameters()["base_model"]["habits"]
    with pytest.raises(ValidationError, match="stock_rubric"):
        read_set_by_hand(parameters(base_model={"habits": habits | {"stock_rubric": 2}}), FUNNEL)


def test_the_shift_is_what_was_distilled() -> None:
    found = read_set_by_hand(parameters(collect_pairs={"distill_slices": ["safe", "dial-short"]}), FUNNEL).cover
    assert found is not None
    assert found.covered == ("dial-short", "safe")
    assert set(found.covered) | set(found.shift) == {one.value for one in Slice}
    assert (found.distilled, found.pairs) == (960, 8000)
    assert read_set_by_hand(parameters(collect_pairs={"distill_slices": None}), FUNNEL).cover is None


def test_the_subsets_that_mislead_by_layout_always_do() -> None:
    cues = read_set_by_hand(parameters(), FUNNEL).cues
    assert cues is not None
    richer = [
        strip_style(row["rejected"])[0] > strip_style(row["chosen"])[0]
        for row in benchmark_rows(0)["reward_bench"]
        if row["subset"].startswith(cues.misleading)
    ]
    assert richer
    assert all(richer)


def test_only_a_lazy_oracle_of_the_miniature_is_called_lazy() -> None:
    def lazy(first: str, second: str, endpoint: str = "local") -> tuple[tuple[str, float], ...]:
        variants = {name: {"model": model} for name, model in (("first", first), ("second", second))}
        asked = parameters(distill_traces={"endpoint": endpoint}) | {"distill_traces_variants": variants}
        return read_set_by_hand(asked, FUNNEL).lazy

    shares = tuple((family.value, share) for family, share in LAZY_SHARES.items())
    assert lazy("miniature-careful-1", "miniature-careful-1") == ()
    assert lazy("miniature-lazy-1", "miniature-lazy-1") == lazy("miniature-careful-1", "miniature-lazy-1") == shares
    assert lazy("some-model", "some-model", "environment") == ()


@pytest.mark.parametrize("source", ["files", "hub"])
def test_of_other_data_and_another_base_nothing_is_said(source: str) -> None:
    other = parameters(collect_pairs={"source": source}, base_model={"source": source})
    found = read_set_by_hand(other, FUNNEL)
    assert not found
    assert not found.is_miniature
    assert covered_slices(other) == frozenset()
    assert covered_slices(parameters()) == set(read_parameters()["collect_pairs"]["distill_slices"])
