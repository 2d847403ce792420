"""The index's columns: probabilities that never overstate, flags and probes by number."""

import math

import pytest

from reasrm.records.reply import Finish, Reply
from reasrm.reporting.trace_browser.judgment_flags import Flag
from reasrm.reporting.trace_browser.trace_index import NOT_KNOWN, per_ten_thousand
from tests.reporting.trace_browser.browser_run import PROBED, Written


@pytest.mark.parametrize(
    ("logprob", "shown"),
    [(None, NOT_KNOWN), (0.0, 10_000), (-1e-9, 9_999), (math.log(0.57), 5_700), (-50.0, 0), (1e-7, 10_000)],
)
def test_only_a_certain_verdict_is_shown_as_certain(logprob: float | None, shown: int) -> None:
    reply = Reply(text="", finish=Finish.STOP, prompt_tokens=1, completion_tokens=1, verdict_logprob=logprob)
    assert per_ten_thousand(reply) == shown


def test_a_judge_that_writes_nothing_has_no_probability() -> None:
    assert per_ten_thousand(None) == NOT_KNOWN


def test_the_models_stand_in_the_ladders_order_with_readers_names(browser_data: Written) -> None:
    models = browser_data.index["models"]
    assert [model["name"] for model in models] == ["base", "sft", "scalar_rm"]
    assert models[0]["label"] == "Base model"


def test_one_judgment_was_changed_by_the_probe(browser_data: Written) -> None:
    index = browser_data.index
    columns = index["judgments"]
    changed = [at for at, change in enumerate(columns["change"]) if index["changes"][change]]
    assert [index["models"][columns["model"][at]]["name"] for at in changed] == [PROBED]
    assert [index["probes"][probe]["name"] for probe in index["changes"][columns["change"][changed[0]]]] == ["attacks"]


def test_quotations_that_nobody_said_are_flagged_and_nothing_is_contradicted_where_nothing_tells(
    browser_data: Written,
) -> None:
    columns = browser_data.index["judgments"]
    places: dict[int, int] = {}
    for item, flags in zip(columns["item"], columns["flags"], strict=True):
        entry = browser_data.entries[item]
        told = entry["judged"][places.get(item, 0)]
        places[item] = places.get(item, 0) + 1
        text = "".join(entry["replies"][told["reply"]][1::2]) if "reply" in told else ""
        assert "never said" not in text or flags & Flag.UNGROUNDED
        assert not flags & Flag.CONTRADICTED
    assert any(flags & Flag.UNGROUNDED for flags in columns["flags"])
