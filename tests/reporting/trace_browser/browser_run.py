"""The trace browser of a made-up run, its data files as a reader finds them, and probes' rows to go with it."""

import base64
import gzip
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.judgment import ComparisonJudgment, Judgment
from reasrm.records.pair import Message, Role
from reasrm.records.probe_row import ProbeRow, ShownTexts
from reasrm.reporting.trace_browser.browser_files import write_trace_browser
from reasrm.reporting.trace_browser.traced_items import TraceFolders
from stages.report import ReportParams
from tests.reporting.made_up_run import made_up_reply

FILE = re.compile(r'reasrmTraces\("(index|\d{4})","([0-9a-f]{16})","([A-Za-z0-9+/=]+)"\);\n')
"""A data file, to its last character: nothing of anybody's text can be in it but packed."""
JUDGED = ("base", "sft", "scalar_rm")
PROBED = "sft"
REWRITTEN = "An answer that says something else."


class Written(NamedTuple):
    """What the page reads."""

    index: dict[str, Any]
    entries: list[dict[str, Any]]
    chunks: list[list[dict[str, Any]]]


def trace_folders(data: Path) -> TraceFolders:
    """Those below `data`."""
    return TraceFolders(*(data / name for name in TraceFolders._fields))


def written_browser(data: Path, out: Path) -> Written:
    """Write the trace browser of `data` to `out` and read its data files back."""
    write_trace_browser(trace_folders(data), ReportParams.load(), out)
    return read_back(out)


def read_back(out: Path) -> Written:
    """The data files of a trace browser; each must be one call with packed data and the same build."""
    found: dict[str, Any] = {}
    builds = set()
    for file in (out / "traces").iterdir():
        match = FILE.fullmatch(file.read_text(encoding="ascii"))
        assert match is not None, file
        assert f"{match[1]}.js" == file.name
        builds.add(match[2])
        found[match[1]] = orjson.loads(gzip.decompress(base64.b64decode(match[3])))
    assert len(builds) == 1
    index = found.pop("index")
    chunks = [found[name] for name in sorted(found)]
    return Written(index, [entry for chunk in chunks for entry in chunk], chunks)


def with_probes(data: Path, folder: Path) -> Path:
    """A copy of some models' judgments of the run with a probe's rows about one item of `PROBED`."""
    shutil.copytree(data / "benchmarks", folder / "benchmarks")
    for model in JUDGED:
        shutil.copytree(data / "judgments" / model, folder / "judgments" / model)
    judgment = probed_judgment(folder)
    other = ComparisonJudgment(verdict=judgment.verdict.other, reply=made_up_reply("<quote_A>something else</quote_A>"))
    same = ComparisonJudgment(verdict=judgment.verdict, reply=made_up_reply("As before."))
    shown = ShownTexts(response_a=REWRITTEN, prompt=(Message(role=Role.USER, content="Another question?"),))
    rows = [
        row_of(judgment, "fake_authority", judgment=other, shown=shown),
        row_of(judgment, "kind_words", judgment=same, draw=3),
        row_of(judgment, "cut", margin=-1.25, step=2, begun="<eval>"),
        row_of(judgment, "foreign", unknown_words=True),
    ]
    write_records(folder / "probes" / PROBED / "attacks.jsonl", rows)
    return folder


def with_reasons(data: Path, folder: Path, benchmark: str) -> None:
    """A copy in which the reasons of `PROBED` speak against every verdict on one benchmark, and none on another."""
    shutil.copytree(data, folder)
    rows = [
        {"benchmark": one.benchmark, "item_id": one.item_id, "better": one.better, "agree": agree, "version": 1}
        for name, agree in ((benchmark, False), ("reward_bench", None))
        for one in read_records(folder / "judgments" / PROBED / f"{name}.jsonl", Judgment)
    ]
    write_records(folder / "probes" / PROBED / "reason_verdict.judgments.jsonl", rows)


def probed_judgment(folder: Path) -> Judgment:
    """The first readable judgment of `PROBED` on RewardBench whose better answer is A: probes ask about its item."""
    found = read_records(folder / "judgments" / PROBED / "reward_bench.jsonl", Judgment)
    return next(one for one in found if one.better is Side.A and one.verdict is not None)


def row_of(plain: Judgment, variant: str, **told: Any) -> ProbeRow:
    """A row about the item of a plain judgment, in the same order."""
    told.setdefault("shown", ShownTexts())
    place = {"benchmark": plain.benchmark, "item_id": plain.item_id, "better": plain.better}
    return ProbeRow(probe="attacks", variant=variant, **place, **told)


def part_of(data: Path, folder: Path, models: list[str], benchmark: str) -> Path:
    """A copy with the judgments of some models about one benchmark."""
    shutil.copytree(data / "benchmarks", folder / "benchmarks")
    for model in models:
        (folder / "judgments" / model).mkdir(parents=True)
        shutil.copy(data / "judgments" / model / f"{benchmark}.jsonl", folder / "judgments" / model)
    return folder


def with_question(data: Path, benchmark: str, text: str) -> str:
    """Write `text` as answer, reply and question of the first item of `benchmark` in `data`; returns the item's id."""
    file = data / "benchmarks" / f"{benchmark}.jsonl"
    first, *others = read_records(file, BenchmarkItem)
    turn = first.pair.prompt[-1].model_copy(update={"content": text})
    pair = first.pair.model_copy(update={"prompt": (*first.pair.prompt[:-1], turn), "chosen": text, "id": ""})
    changed = first.model_copy(update={"pair": pair.model_validate(pair.model_dump())})
    write_records(file, [changed, *others])
    for judged in (data / "judgments").glob(f"*/{benchmark}.jsonl"):
        rows = [
            one.model_copy(update={"reply": made_up_reply(text)}) if one.item_id == first.item_id and one.reply else one
            for one in read_records(judged, Judgment)
        ]
        write_records(judged, rows)
    return first.item_id
