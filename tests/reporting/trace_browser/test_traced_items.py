"""Items joined with what was said about them, and what is refused."""

import shutil
from pathlib import Path

import pytest

from reasrm.records.jsonl import BadRecordError, read_records, write_records
from reasrm.records.judgment import Judgment
from reasrm.reporting.trace_browser.traced_items import judged_models, probe_titles, read_traced_items
from tests.reporting.trace_browser.browser_run import trace_folders, with_reasons


def test_a_judgment_of_no_item_is_refused_with_file_and_id(probed_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(probed_data, folder)
    file = folder / "judgments" / "base" / "rmb.jsonl"
    first, *others = read_records(file, Judgment)
    write_records(file, [first.model_copy(update={"item_id": "gone\u202e"}), *others])
    with pytest.raises(BadRecordError, match=r"base/rmb\.jsonl: is about rmb 'gone⟦U\+202E.*dvc repro judge@base"):
        read_traced_items(trace_folders(folder), ["base"])


def test_reasons_that_contradict_are_known_by_model_item_and_order(probed_data: Path, tmp_path: Path) -> None:
    with_reasons(probed_data, tmp_path / "data", "rmb")
    items = read_traced_items(trace_folders(tmp_path / "data"), ["base", "sft"])
    told = {(judged.model, judged.judgment.benchmark) for one in items for judged in one.judged if judged.contradicted}
    assert told == {("sft", "rmb")}
    file = tmp_path / "data/probes/sft/reason_verdict.judgments.jsonl"
    write_records(file, [{"benchmark": "rmb", "item_id": "x"}])
    with pytest.raises(BadRecordError, match="line 1: needs benchmark, item_id, better and agree"):
        read_traced_items(trace_folders(tmp_path / "data"), ["sft"])


def test_the_named_models_come_first_and_the_rest_by_name(probed_data: Path) -> None:
    models = judged_models(probed_data / "judgments", ["sft", "nobody", "base"])
    assert models[:2] == ["sft", "base"]
    assert models[2:] == sorted(models[2:])
    assert "nobody" not in models


def test_without_probes_there_are_items_all_the_same(made_up_data: Path) -> None:
    folders = trace_folders(made_up_data)
    items = read_traced_items(folders, ["sft"])
    assert items
    assert not any(one.probed for one in items)
    assert probe_titles(folders, ["sft"]) == {}
    assert {judged.model for one in items for judged in one.judged} == {"sft"}
