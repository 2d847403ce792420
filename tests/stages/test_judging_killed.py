"""The stage killed by kill -9 half-way and run again: every distinct prompt asked once, in all, from one engine start.

Over the miniature's benchmarks, and over the rows of real benchmarks where `../shared/data/benchmarks` is beside the
checkout. The judges are untrained: what is tested does not depend on what they say.

Run: pytest -m slow tests/stages/test_judging_killed.py      (some minutes)
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.benchmark_judgments import comparisons, items_in_orders, read_items
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from stages.judge import BENCHMARKS, JUDGMENTS, JudgeParams

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared/data/benchmarks"
MODEL = "untrained"
CHECKPOINT = Path("data/checkpoints") / MODEL
LEDGER = Path(f"ledgers/judge-{MODEL}.jsonl")
JUDGE: dict[str, Any] = {"max_new_tokens": 8, "batch_size": 64, "batch_tokens": 16384, "threads": 1}
MINIATURE: dict[str, Any] = {
    "judge": JUDGE | {"max_context_tokens": 512, "orders": "both"},
    "collect_benchmarks": {"source": "miniature", "benchmarks": ["reward_bench", "rm_bench", "rmb"]},
}
SMALL_DATA: dict[str, Any] = {
    "judge": JUDGE | {"max_context_tokens": 16384, "orders": "hashed", "attention": "sdpa"},
    "collect_benchmarks": {"source": "files", "benchmarks": ["reward_bench", "rm_bench", "rmb", "judge_bench"]},
}


def stage(name: str, *words: str) -> "subprocess.Popen[bytes]":
    """Start a stage in the current folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", f"stages.{name}", *words], env=environment)


def set_up(changes: dict[str, Any], context: int) -> None:
    """Parameters, benchmarks and an untrained checkpoint in the current folder."""
    document = read_yaml(ROOT / "params.yaml")
    for section, values in changes.items():
        document[section] |= values
    judge = {"checkpoint": str(CHECKPOINT), "kind": "generative", "prompt": "full", "reads": str(BENCHMARKS)}
    document["judge_variants"] = {MODEL: judge}
    write_yaml(Path("params.yaml"), document)
    shutil.copytree(ROOT / "revisions", "revisions")
    assert stage("collect_benchmarks", "--files", str(REAL)).wait() == 0

    from reasrm.miniature.tiny_model import TinyShape, new_model, train_tokenizer

    items = [item for part in read_items(BENCHMARKS).values() for item in part]
    texts = [text for item in islice(items, 0, None, 20) for text in (item.pair.chosen, item.pair.rejected)]
    tokenizer = train_tokenizer(texts, 2048)
    shape = TinyShape(
        hidden_size=32, layers=1, heads=1, intermediate_size=64, vocabulary=2048, context=context, initial_std=0.05
    )
    new_model(tokenizer, shape, seed=0).save_pretrained(CHECKPOINT)
    tokenizer.save_pretrained(CHECKPOINT)


def distinct_prompts() -> int:
    """How many different conversations the benchmarks put before the judge."""
    params = JudgeParams.load(MODEL)
    items = [item for part in read_items(BENCHMARKS).values() for item in part]
    shown = comparisons(items_in_orders(items, params.orders, params.seed))
    return len({messages for comparison in shown for messages in params.template().prompts(comparison)})


def lines() -> list[bytes]:
    """The ledger's whole lines."""
    found = LEDGER.read_bytes().splitlines(keepends=True) if LEDGER.exists() else []
    return [line for line in found if line.endswith(b"\n")]


def prompts_in(entries: list[bytes]) -> list[str]:
    return [prompt for line in entries for prompt in json.loads(line)["prompts"]]


def judgments() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (JUDGMENTS / MODEL).iterdir()}


def kill_half_way(batches: int) -> list[bytes]:
    """Judge until the ledger has half of its `batches`, then kill -9; returns the ledger's lines."""
    judge = stage("judge", MODEL)
    while len(lines()) < batches // 2:
        assert judge.poll() is None, "the stage was over before it could be killed"
        time.sleep(0.01)
    os.kill(judge.pid, signal.SIGKILL)
    assert judge.wait() == -signal.SIGKILL
    assert not (JUDGMENTS / MODEL).exists()
    return lines()


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        pytest.param(MINIATURE, 4000, id="miniature"),
        pytest.param(
            SMALL_DATA,
            3500,
            id="small_data",
            marks=pytest.mark.skipif(not REAL.exists(), reason="../shared/data is not beside the checkout"),
        ),
    ],
)
def test_killed_half_way_and_resumed_nothing_is_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], least: int
) -> None:
    monkeypatch.chdir(tmp_path)
    set_up(changes, changes["judge"]["max_context_tokens"])
    assert stage("judge", MODEL).wait() == 0
    whole, expected = lines(), judgments()
    LEDGER.unlink()
    shutil.rmtree(JUDGMENTS / MODEL)

    half = kill_half_way(len(whole))
    assert len(half) < len(whole)
    assert stage("judge", MODEL).wait() == 0

    first, second = prompts_in(half), prompts_in(lines()[len(half) :])
    assert first
    assert second
    assert len(set(first + second)) == len(first) + len(second)
    account = json.loads((JUDGMENTS / MODEL / "identity.json").read_text())
    assert account["asked"] == len(first) + len(second)
    assert account["asked"] + account["too_long"] == distinct_prompts()
    assert account["asked"] > least
    assert account["engine_starts"] == 1
    assert lines() == whole
    assert judgments() == expected
