"""Traces that an oracle of ours did not write: every row is a trace or refused by name, and nothing is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reasrm.data_quality.trace_rules import Evidence, TraceFault, TraceRules, trace_fault
from reasrm.datasets.row_fields import Refusal
from reasrm.datasets.row_files import RowInFile
from reasrm.distillation.published_traces import TraceSet, TraceSource, read_source, trace_set, write_pass
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.comparison import Side, hashed_side, show
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.trace import KeptTrace, OracleTrace, RejectedTrace, TraceOutcome, TracePass
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.fixtures.json_values import JSON_VALUES
from tests.fixtures.rm_r1_prompts import rm_r1_prompt, rm_r1_row

ROOT = Path(__file__).parents[2]
SHA = "5b1f0a3c" * 5
REPO = "gaotang/RM-R1-Distill-SFT"
GOOD, BAD = "Jupiter is by far the largest one.", "I think that Mars may be."
CHAT = (
    "<type>Chat</type>\n\n<rubric>\n1. Accuracy\n2. Clarity\n<justify>A fact is asked for.</justify>\n</rubric>\n\n"
    f"<eval>\n<quote_A>{GOOD}</quote_A> is right; <summary_B>it names Mars</summary_B> is not.\n</eval>\n\n"
    "<answer>[[A]]</answer>"
)
REASONING = (
    f"<type>Reasoning</type>\n\n<solution>Jupiter.</solution>\n\n<eval><summary_A>Jupiter</summary_A>, "
    f"<quote_B>{BAD}</quote_B></eval>\n\n<answer>[[A]]</answer>"
)
RM_R1_RULES = TraceRules(PromptVariant.FULL, 16000, None, Evidence.QUOTES_OR_SUMMARIES)


def rows(*given: Any, file: str = "a.jsonl") -> list[RowInFile]:
    return [RowInFile(file, place, one) for place, one in enumerate(given, start=1)]


def published(text: str, question: str = "Which planet is the largest?", **labels: str) -> dict[str, Any]:
    return rm_r1_row(question, GOOD, BAD, **{"winner": text, "ground_truth": "model_a"} | labels)


def own(number: int, which: TracePass = TracePass.FIRST, **changes: Any) -> OracleTrace:
    prompt = (Message(role=Role.USER, content=f"question {number}"),)
    pair = PreferencePair(prompt=prompt, chosen=GOOD, rejected=BAD, source="s", labels={"k": "v"})
    values = {"pair": pair, "better": hashed_side(pair, 0), "oracle_pass": which, "model": "m-1", "text": CHAT}
    return OracleTrace(**values | {"outcome": TraceOutcome.OK, "completion_tokens": 7} | changes)


def only(found: TraceSet) -> OracleTrace:
    (trace,) = found.traces[TracePass.FIRST]
    assert not found.refused
    return trace


@pytest.mark.parametrize("text", [CHAT, REASONING, f"<think>Is B better? <answer>[[B]]</answer>?</think>\n{CHAT}"])
def test_a_published_row_is_judged_like_an_oracles(text: str) -> None:
    trace = only(trace_set(rows(published(text)), "set", None))
    assert (trace.better, trace.pair.chosen, trace.pair.source, trace.origin) == (Side.A, GOOD, "set", "a.jsonl")
    assert trace_fault(trace, RM_R1_RULES) is None
    strict = TraceRules(PromptVariant.FULL, 16000, 0.5, Evidence.QUOTES)
    kind = TraceFault.SIDE_NOT_QUOTED if "Reasoning" in text else TraceFault.NO_RUBRIC_WEIGHTS
    assert trace_fault(trace, strict) is kind
    wrong = only(trace_set(rows(published(text, ground_truth="model_b")), "set", None))
    assert trace_fault(wrong, RM_R1_RULES) is TraceFault.WRONG_VERDICT


def test_a_thought_without_an_end_has_no_verdict() -> None:
    trace = only(trace_set(rows(published(f"<think>So: {CHAT}")), "set", None))
    assert trace_fault(trace, RM_R1_RULES) is TraceFault.UNREADABLE


def test_a_hint_in_the_prompt_says_which_pass_it_was() -> None:
    row = published(CHAT)
    row["context_messages"][1]["content"] += "\n\n For this sample case, the correct verdict is [[A]]. The previous ..."
    assert only(trace_set(rows(row), "set", None)).oracle_pass is TracePass.SECOND


def test_where_nothing_else_says_it_the_replys_verdict_is_the_label_and_counted() -> None:
    user = {"role": "user", "content": rm_r1_prompt("q", GOOD, BAD)}
    chat = {"messages": [user, {"role": "assistant", "content": CHAT}]}
    found = trace_set(rows(chat, published(CHAT)), "set", None)
    assert (len(found.traces[TracePass.FIRST]), found.labelled_by_reply) == (2, 1)
    mute = {"messages": [user, {"role": "assistant", "content": "I cannot say."}]}
    (refused,) = trace_set(rows(mute), "set", None).refused
    assert (refused["reason"], "no_answer" in refused["detail"]) == ("missing_field", True)


def test_another_runs_files_give_its_passes_again(tmp_path: Path) -> None:
    first = [own(n, text="no verdict" if n == 2 else CHAT) for n in range(4)]
    second, alone = [own(2, TracePass.SECOND)], own(9, TracePass.SECOND)
    folder = tmp_path / "other"
    write_records(folder / "first.jsonl", first)
    write_records(folder / "second.jsonl", [*second, alone])
    shown = show(first[0].pair, first[0].better)
    kept = KeptTrace(comparison=shown, text=CHAT, source="s", oracle_pass=TracePass.FIRST)
    write_records(folder / "kept.jsonl", [kept])
    write_records(folder / "rejected.jsonl", [RejectedTrace(trace=first[2], reason="unreadable")])
    (folder / "funnel.json").write_text('{"pairs": 4}', encoding="utf-8")
    found, origin = read_source(TraceSource.FILES, REPO, folder)
    assert found.traces == {TracePass.FIRST: [*first, alone], TracePass.SECOND: second}
    assert [(one["file"], one["reason"]) for one in found.refused] == [
        ("funnel.json", "unknown_format"), ("kept.jsonl", "duplicate_id"), ("rejected.jsonl", "duplicate_id"),
    ]  # fmt: skip
    for which in TracePass:
        write_pass(which, TraceSource.FILES, found, origin, 0.8, tmp_path / f"{which}.jsonl")
    assert (tmp_path / "second.jsonl").read_bytes() == (folder / "second.jsonl").read_bytes().splitlines(True)[0]
    assert (tmp_path / "first.jsonl").read_bytes().startswith((folder / "first.jsonl").read_bytes())
    (alone_kept,) = trace_set(rows(kept.model_dump(mode="json")), "set", None).traces[TracePass.FIRST]
    assert alone_kept.pair.id == first[0].pair.id


TRACES = st.builds(own, st.integers(0, 3), st.sampled_from(list(TracePass)))
SOME = st.sampled_from(["model_a", "model_b", "tie", CHAT, "", None, 3, rm_r1_prompt("q", GOOD, BAD)])
ROWS = (
    JSON_VALUES
    | TRACES.map(lambda trace: trace.model_dump(mode="json"))
    | TRACES.map(lambda trace: {"trace": trace.model_dump(mode="json"), "reason": "empty"})
    | st.builds(lambda q, text: published(text, q), st.text(max_size=8), st.sampled_from([CHAT, REASONING, "", "x"]))
    | st.dictionaries(st.sampled_from(["prompt", "completion", "winner", "ground_truth", "label", "response"]), SOME)
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, max_size=8))
def test_whatever_rows_come_each_is_a_trace_or_refused_by_name(given_rows: list[Any]) -> None:
    found = trace_set(rows(*given_rows), "set", None)
    traces = [trace for which in TracePass for trace in found.traces[which]]
    assert found.rows_in == len(given_rows) == len(traces) + len(found.refused)
    assert all(one["file"] == "a.jsonl" and one["detail"] and Refusal(one["reason"]) for one in found.refused)
    assert len({one["place"] for one in found.refused}) == len(found.refused)
    first = [trace.pair.id for trace in found.traces[TracePass.FIRST]]
    assert len(first) == len(set(first))
    assert {trace.pair.id for trace in found.traces[TracePass.SECOND]} <= set(first)


def test_what_cannot_be_used_fails_with_its_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    with pytest.raises(StageError, match=r"mine holds no file: put traces there .*`reads`"):
        read_source(TraceSource.FILES, REPO, folder)
    folder.mkdir()
    lines = [json.dumps(published(CHAT)), json.dumps({"a": 1})]
    (folder / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found, origin = read_source(TraceSource.FILES, REPO, folder)
    with pytest.raises(StageError, match=r"only 50.0% of 2 rows of .*mine are traces.*t\.jsonl at 2.*first\.refused"):
        write_pass(TracePass.FIRST, TraceSource.FILES, found, origin, 0.9, tmp_path / "first.jsonl")
    assert not (tmp_path / "first.jsonl").exists()
    said = write_pass(TracePass.FIRST, TraceSource.FILES, found, origin, 0.5, tmp_path / "first.jsonl")
    assert "1 traces of" in said
    assert "unknown_format 1" in said
    empty = write_pass(TracePass.SECOND, TraceSource.FILES, found, origin, 0.5, tmp_path / "second.jsonl")
    assert "no oracle is asked" in empty
    assert (tmp_path / "second.jsonl").read_bytes() == b""
    assert [row["place"] for row in json.loads((tmp_path / "first.refused.json").read_bytes())] == [2]
    assert (tmp_path / "second.refused.json").read_text(encoding="utf-8") == "[]\n"


@pytest.mark.slow
def test_the_stage_reads_a_hub_set_offline_at_its_revision(tmp_path: Path) -> None:
    """A cache of the hub's own shape; without one, and without a revision, the error says what to do."""
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    document = read_yaml(tmp_path / "params.yaml")
    document["distill_traces"]["source"] = "published"
    for variant in document["distill_traces_variants"].values():
        variant["reads"] = "revisions/traces.json"
    write_yaml(tmp_path / "params.yaml", document)
    offline = {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "stages.distill_traces", "first"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | offline
        return subprocess.run([*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True)

    failed = run()
    assert failed.returncode == 1
    assert f'write `"{REPO}": "<its full hash>"` into revisions/traces.json' in failed.stderr
    snapshot = tmp_path / "hub" / f"datasets--{REPO.replace('/', '--')}" / "snapshots" / SHA
    (snapshot / "data").mkdir(parents=True)
    (snapshot / "README.md").write_text("---\nlicense: mit\n---\n# Card\n", encoding="utf-8")
    table = pyarrow.Table.from_pylist([published(CHAT, "q 1"), published(REASONING, "q 2"), published(CHAT, "q 1")])
    pyarrow.parquet.write_table(table, snapshot / "data" / "train-00000-of-00001.parquet")
    (tmp_path / "revisions").mkdir(exist_ok=True)
    (tmp_path / "revisions/traces.json").write_text(json.dumps({REPO: SHA}), encoding="utf-8")
    done = run()
    assert done.returncode == 0, done.stderr
    assert f"2 traces of {REPO} (revision {SHA}, licence mit): 3 rows, 1 refused (duplicate_id 1)" in done.stdout
    traces = list(read_records(tmp_path / "data/traces/first.jsonl", OracleTrace))
    assert {trace.origin for trace in traces} == {f"{REPO} at {SHA}"}
    assert all("Claude" in trace.model for trace in traces)
    assert json.loads((tmp_path / "revisions/traces.json").read_text())[REPO] == {"revision": SHA, "licence": "mit"}
    assert json.loads(run("--dry-run", "--json").stdout)["to_ask"] == 0
