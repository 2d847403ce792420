"""The miniature's own judge and benchmarks on both engines, through the stage: the same judgments.

Needs what `make demo` leaves in `data/`; without it, `test_vllm_engine.py` compares the engines on a judge made there.

Run: make test-vllm
"""

from pathlib import Path

import pytest

from reasrm.evaluation.benchmark_judgments import items_in_orders, read_items
from reasrm.inference.model_opening import EngineName
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.judgment import Judgment
from reasrm.records.ledger import Ledger
from stages.judge import BENCHMARKS, JudgeParams, RunningParams, judge_items

ROOT = Path(__file__).parents[2]
MODELS = ("sft", "grpo-full")
SPREAD = 9
"""Every ninth item is judged."""

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(
        not all((ROOT / "data/checkpoints" / model / "config.json").exists() for model in MODELS),
        reason="no miniature checkpoints in data/: run `make demo` first",
    ),
]


@pytest.fixture(scope="module")
def items() -> list[BenchmarkItem]:
    return [item for part in read_items(ROOT / BENCHMARKS).values() for item in part][::SPREAD]


def judged(model: str, engine: EngineName, items: list[BenchmarkItem], ledger: Path) -> list[Judgment]:
    """The stage's judgments of both orders."""
    given = JudgeParams.load(model).model_dump()
    changes = {"engine": engine, "checkpoint": ROOT / given["checkpoint"]}
    params = JudgeParams.model_validate(given | changes)
    with Ledger(ledger) as opened:
        judgments, _, identity = judge_items(
            items_in_orders(items, params.orders, params.seed), params, RunningParams.load(), opened
        )
    assert identity["engine_starts"] == 1
    return judgments


@pytest.mark.parametrize("model", MODELS)
def test_judgments_are_the_same(
    model: str, items: list[BenchmarkItem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    here = judged(model, EngineName.TRANSFORMERS, items, tmp_path / "transformers.jsonl")
    there = judged(model, EngineName.VLLM, items, tmp_path / "vllm.jsonl")
    assert len(here) > 400
    assert {one.verdict for one in here if one.verdict} == {"A", "B"}
    for one, other in zip(here, there, strict=True):
        assert one.reply is not None
        assert other.reply is not None
        assert other.reply.verdict_logprob == pytest.approx(one.reply.verdict_logprob, abs=1e-4)
        same = other.reply.model_copy(update={"verdict_logprob": one.reply.verdict_logprob})
        assert other.model_copy(update={"reply": same}) == one
