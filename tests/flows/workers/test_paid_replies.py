"""Which stages on workers buy replies, and that none buys what a clone has bought already."""

from pathlib import Path
from typing import Any

import pytest

from flows.running.stage_outcome import FlowError
from flows.workers.paid_replies import buying_stages, require_shared_ledgers
from reasrm.runtime.kept_folders import LEDGERS_VARIABLE
from reasrm.runtime.yaml_files import read_yaml, write_yaml

ROOT = Path(__file__).parents[3]
STAGES = ["collect_pairs", "distill_traces@first", "sft", "judge@sft", "judge@served", "probe@sft", "relabel@one"]
ORACLE = {"source": "oracle", "endpoint": "environment"}


@pytest.mark.parametrize(
    ("params", "buying"),
    [
        (
            {"distill_traces": ORACLE | {"endpoint": "local"}, "judge": {"engine": "vllm"}, "relabel": {"local": True}},
            [],
        ),
        ({"distill_traces": ORACLE | {"source": "published"}}, []),
        ({"distill_traces": ORACLE}, ["distill_traces@first"]),
        ({"relabel": {"local": False}}, ["relabel@one"]),
        ({"judge": {"engine": "api"}}, ["judge@served", "judge@sft", "probe@sft"]),
        (
            {"judge": {"engine": "vllm"}, "judge_variants": {"served": {"engine": "api"}}},
            ["judge@served", "judge@sft", "probe@sft"],
        ),
    ],
)
def test_who_buys(params: dict[str, Any], buying: list[str]) -> None:
    """Where one judge is asked over an API, all of them count: a stage reads the settings of several."""
    assert buying_stages(params, STAGES) == buying


def test_the_miniature_buys_nothing() -> None:
    assert buying_stages(read_yaml(ROOT / "params.yaml"), STAGES) == []


def test_a_worker_that_buys_needs_one_place_of_all_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LEDGERS_VARIABLE, raising=False)
    write_yaml(tmp_path / "params.yaml", {"distill_traces": ORACLE, "relabel": {"local": False}})
    require_shared_ledgers(tmp_path, ["sft"], for_worker=True)
    with pytest.raises(FlowError, match=r"of distill_traces@first for itself.*set REASRM_LEDGERS"):
        require_shared_ledgers(tmp_path, ["distill_traces@first"], for_worker=True)
    monkeypatch.setenv(LEDGERS_VARIABLE, str(tmp_path / "ledgers"))
    require_shared_ledgers(tmp_path, ["distill_traces@first"], for_worker=True)


def test_a_run_hands_out_nothing_that_its_own_checkout_has_bought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(LEDGERS_VARIABLE, raising=False)
    write_yaml(tmp_path / "params.yaml", {"distill_traces": ORACLE, "relabel": {"local": False}})
    require_shared_ledgers(tmp_path, STAGES)
    (tmp_path / "ledgers").mkdir()
    for ledger, stage in {"distill_traces-first": "distill_traces@first", "relabel": "relabel@one"}.items():
        file = tmp_path / "ledgers" / f"{ledger}.jsonl"
        file.touch()
        with pytest.raises(FlowError, match=f"holds replies of {stage}, and other clones would buy them again"):
            require_shared_ledgers(tmp_path, STAGES)
        file.unlink()
