"""The funnel accounts for every pair and every trace."""

import shutil
from pathlib import Path

import pytest

from reasrm.datasets.origins import OriginOf
from reasrm.records.jsonl import BadRecordError, read_records, write_records
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.reporting.data_funnel import count_pass, read_funnel
from tests.reporting.made_up_run import SET, write_published_metrics


def test_each_trace_counts_once(made_up_data: Path) -> None:
    traces = list(read_records(made_up_data / "traces" / "first.jsonl", OracleTrace))
    counts = count_pass(TracePass.FIRST, traces)
    assert counts.asked == len(traces) == counts.right + counts.wrong + counts.unreadable.total() + counts.lost.total()


def test_kept_and_rejected_are_the_files(made_up_data: Path) -> None:
    funnel = read_funnel(made_up_data / "pairs", made_up_data / "traces")
    assert funnel.kept.total() == sum(1 for _ in (made_up_data / "traces" / "kept.jsonl").open())
    rejected = sum(reasons.total() for reasons in funnel.traces_rejected.values())
    assert rejected == sum(1 for _ in (made_up_data / "traces" / "rejected.jsonl").open())
    assert funnel.pairs == {"distill": 200, "reinforce": 80, "dev": 20}
    assert funnel.widest == 200
    assert ("pairs", "duplicate", 5) in funnel.losses()


def test_what_the_oracle_cost_is_the_sum_of_both_passes(made_up_data: Path) -> None:
    funnel = read_funnel(made_up_data / "pairs", made_up_data / "traces")
    assert (funnel.usd, funnel.prices_as_of) == (1.5, "2026-01-01")


@pytest.mark.parametrize("metrics", [None, '{"input_tokens": 1, "output_tokens": 1, "usd": null}'])
def test_a_cost_that_is_not_known_is_not_guessed(made_up_data: Path, tmp_path: Path, metrics: str | None) -> None:
    traces = tmp_path / "traces"
    shutil.copytree(made_up_data / "traces", traces)
    (traces / "second.metrics.json").unlink()
    if metrics is not None:
        (traces / "second.metrics.json").write_text(metrics)
    assert read_funnel(made_up_data / "pairs", traces).usd is None


def test_a_rejected_row_without_reason_is_refused(made_up_data: Path, tmp_path: Path) -> None:
    for name in ("distill", "reinforce", "dev"):
        write_records(tmp_path / f"{name}.jsonl", [])
    write_records(tmp_path / "rejected.jsonl", [{"why": "no"}])
    with pytest.raises(BadRecordError, match=r"rejected\.jsonl line 1"):
        read_funnel(tmp_path, made_up_data / "traces")


def test_published_traces_are_rows_of_others_and_cost_nothing(made_up_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(made_up_data, data)
    write_published_metrics(data)
    funnel = read_funnel(data / "pairs", data / "traces")
    assert (funnel.usd, funnel.widest) == (None, 300)
    assert ("published rows", "contradictory", 7) in funnel.losses()
    assert funnel.published is not None
    assert funnel.origins == {OriginOf.TRACES: (SET,)}
    (data / "traces" / "first.metrics.json").write_text('{"source": "files"}', encoding="utf-8")
    with pytest.raises(BadRecordError, match="not the metrics of published traces"):
        read_funnel(data / "pairs", data / "traces")
