"""What is written is what was judged, text by text; and no text can be more than data, whatever it holds."""

import base64
import gzip
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.records.benchmark_folder import all_items
from reasrm.records.comparison import Side
from reasrm.records.harmless_text import harmless
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import Judgment
from reasrm.records.probe_row import ProbeRow
from reasrm.reporting.page import script_hash
from reasrm.reporting.trace_browser.browser_files import packed_json, render_browser, script, write_trace_browser
from stages.report import ReportParams
from tests.reporting.hostile_run import HOSTILE
from tests.reporting.trace_browser.browser_run import (
    FILE,
    PROBED,
    Written,
    part_of,
    trace_folders,
    written_browser,
)

SIDES = [Side.A, Side.B, None]


def joined(pieces: list[Any]) -> str:
    return "".join(pieces[1::2])


def judgments_in(written: Written) -> list[tuple[Any, ...]]:
    """Model, benchmark, item, order, verdict, cause, tokens and text of every judgment, from the data files alone."""
    index, found = written.index, []
    columns, items = index["judgments"], index["items"]
    places: dict[int, int] = {}
    for at, item in enumerate(columns["item"]):
        entry, rank = written.entries[item], places.get(item, 0)
        places[item] = rank + 1
        told = entry["judged"][rank]
        found.append((
            index["models"][columns["model"][at]]["name"], index["benchmarks"][items["benchmark"][item]]["name"],
            items["id"][item], SIDES[columns["order"][at]], SIDES[columns["verdict"][at]],
            index["causes"][columns["cause"][at]], columns["tokens"][at],
            joined(entry["replies"][told["reply"]]) if "reply" in told else None,
        ))  # fmt: skip
    return found


def judgments_of(data: Path) -> list[tuple[Any, ...]]:
    """The same from what the stages wrote."""
    return [
        (
            file.parent.name, one.benchmark, harmless(one.item_id), one.better, one.verdict,
            harmless(one.unreadable or ""), one.reply.completion_tokens if one.reply else -1,
            harmless(one.reply.text) if one.reply else None,
        )
        for file in data.glob("judgments/*/*.jsonl") for one in read_records(file, Judgment)
    ]  # fmt: skip


def sortable(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return sorted(tuple(map(str, row)) for row in rows)


def test_every_judgment_is_there_once_with_its_text(probed_data: Path, browser_data: Written) -> None:
    assert sortable(judgments_in(browser_data)) == sortable(judgments_of(probed_data))


def test_every_item_is_there_with_its_texts_in_the_benchmarks_order(probed_data: Path, browser_data: Written) -> None:
    items = list(all_items(probed_data / "benchmarks"))
    assert [(entry["better"], entry["worse"]) for entry in browser_data.entries] == [
        (item.pair.chosen, item.pair.rejected) for item in items
    ]
    assert [entry["turns"][-1][1] for entry in browser_data.entries] == [item.pair.question for item in items]
    assert browser_data.index["items"]["id"] == [item.item_id for item in items]


def test_a_probes_rows_stand_at_their_item(probed_data: Path, browser_data: Written) -> None:
    rows = list(read_records(probed_data / "probes" / PROBED / "attacks.jsonl", ProbeRow))
    (entry,) = [one for one in browser_data.entries if one["probed"]]
    place = browser_data.entries.index(entry)
    assert browser_data.index["items"]["id"][place] == rows[0].item_id
    assert [one["variant"] for one in entry["probed"]] == [row.variant for row in rows]
    attack, kind, cut, foreign = entry["probed"]
    assert (attack["changed"], kind["changed"], kind["draw"]) == (True, False, 3)
    assert joined(entry["replies"][attack["reply"]]) == rows[0].judgment.reply.text
    assert attack["answer_a"] == rows[0].shown.response_a
    assert "answer_b" not in attack
    kinds = [browser_data.index["marks"][mark][0] for mark in entry["replies"][attack["reply"]][::2]]
    assert "found" in kinds, "quotations are looked up in the answers as they were shown"
    assert (cut["margin"], cut["step"], cut["begun"]) == (-1.25, 2, "<eval>")
    assert foreign["unknown_words"]


def test_the_same_inputs_give_the_same_bytes(probed_data: Path, browser_folder: Path, tmp_path: Path) -> None:
    written_browser(probed_data, tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) >= 3
    assert [(tmp_path / file).read_bytes() for file in files] == [
        (browser_folder / file).read_bytes() for file in files
    ]


def test_hostile_texts_are_data_and_nothing_else(hostile_data: Path, tmp_path: Path) -> None:
    data = part_of(hostile_data, tmp_path / "data", ["base", "sft"], "rm_bench")
    written = written_browser(data, tmp_path)  # each file is one call of packed data, or reading back fails
    assert sortable(judgments_in(written)) == sortable(judgments_of(data))
    assert all(harmless(HOSTILE) in entry["better"] for entry in written.entries)
    page = (tmp_path / "pages/traces.html").read_text(encoding="utf-8")
    assert "pwned" not in page


JSON = st.recursive(
    st.one_of(st.text(), st.integers(-(2**53), 2**53), st.booleans(), st.none()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_packed_comes_back_and_never_leaves_its_string(value: Any) -> None:
    match = FILE.fullmatch(script("0000", "0" * 16, packed_json(value)))
    assert match is not None
    assert orjson.loads(gzip.decompress(base64.b64decode(match[3]))) == value


def test_the_policy_names_the_pages_own_script_and_style() -> None:
    page = render_browser(ReportParams.load().model_copy(update={"title": HOSTILE}), (("../index.html", HOSTILE),))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    (own,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy == (
        f"default-src 'none'; style-src '{script_hash(style)}'; script-src '{script_hash(own)}' 'strict-dynamic'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types trace-files"
    )
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|fetch\(", own)
    assert " style=" not in page


def test_a_failed_write_leaves_the_old_files(
    probed_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_browser(probed_data, tmp_path)
    before = {file: file.read_bytes() for file in (tmp_path / "traces").iterdir()}
    folders = trace_folders(probed_data)._replace(benchmarks=tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="not among the benchmarks' items"):
        write_trace_browser(folders, ReportParams.load(), tmp_path)
    assert {file: file.read_bytes() for file in (tmp_path / "traces").iterdir()} == before
