"""Several processes for real: the replies and bytes of one, killed and resumed, and what a dying one leaves behind."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.engine import Engine, Prompt, Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model, open_scorer
from reasrm.inference.prompt_rendering import render_all
from reasrm.inference.prompt_run import ask_all, ask_each
from reasrm.inference.verdict_margin import MarginEngine, margins
from reasrm.inference.workers.worker_pool import WorkerDiedError
from reasrm.records.ledger import Ledger
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError
from tests.fixtures.tiny_prompts import sentence, user

pytestmark = pytest.mark.slow


@pytest.fixture
def two(settings: LocalModelSettings) -> LocalModelSettings:
    return settings.model_copy(update={"data_parallel": 2})


@pytest.fixture
def prompts(tokenizer: Any) -> list[Prompt]:
    return list(render_all(tokenizer, [user(sentence(start, 2 + start % 9)) for start in range(40)]).values())


@pytest.fixture
def parallel(two: LocalModelSettings) -> Iterator[Engine]:
    engine = open_model(EngineName.TRANSFORMERS, two).engine
    yield engine
    engine.close()


def lines(path: Path) -> list[bytes]:
    return sorted(path.read_bytes().splitlines())


def test_killed_and_resumed_two_processes_write_the_ledger_of_one(
    tmp_path: Path, settings: LocalModelSettings, parallel: Engine, prompts: list[Prompt], greedy: Sampling
) -> None:
    """Keys and replies to the byte; and what one process left, several go on with."""
    alone = open_model(EngineName.TRANSFORMERS, settings).engine
    with Ledger(tmp_path / "one") as ledger:
        expected = ask_all(alone, prompts, greedy, ledger, ProgressLine("test"))
    with Ledger(tmp_path / "two") as ledger:
        stopped = ask_each(parallel, prompts, greedy, ledger, ProgressLine("test"))
        for _ in range(9):
            next(stopped)
        stopped.close()  # as an interrupt or an error further up does; processes are computing
    half = lines(tmp_path / "two")
    with Ledger(tmp_path / "two") as ledger:
        assert ask_all(parallel, prompts, greedy, ledger, ProgressLine("test")) == expected
        assert ask_all(parallel, prompts, greedy, ledger, ProgressLine("test")) == expected
    assert 0 < len(half) < len(lines(tmp_path / "two"))
    assert lines(tmp_path / "two") == lines(tmp_path / "one")
    assert parallel.identity() == alone.identity()


def test_two_processes_give_the_log_odds_of_one(
    tmp_path: Path, settings: LocalModelSettings, parallel: Engine, prompts: list[Prompt]
) -> None:
    """To the byte of the ledger, and what is no number stays none."""
    alone = open_model(EngineName.TRANSFORMERS, settings).engine
    assert isinstance(parallel, MarginEngine)
    assert isinstance(alone, MarginEngine)
    with Ledger(tmp_path / "one") as ledger:
        expected = margins(alone, (5, 7), prompts, ledger)
    with Ledger(tmp_path / "two") as ledger:
        assert margins(parallel, (5, 7), prompts, ledger) == expected
    assert len(set(expected.values())) > 30
    assert lines(tmp_path / "two") == lines(tmp_path / "one")


@pytest.mark.parametrize("overflows", [False, True])
def test_two_processes_score_as_one(
    tmp_path: Path,
    settings: LocalModelSettings,
    two: LocalModelSettings,
    tokenizer: Any,
    prompts: list[Prompt],
    overflows: bool,
) -> None:
    """Scores that are no numbers among them: a judge's answer is unreadable then, and not one that was never asked."""
    from transformers import AutoModelForSequenceClassification

    scalar = AutoModelForSequenceClassification.from_pretrained(settings.checkpoint, num_labels=1)
    scalar.config.pad_token_id = tokenizer.pad_token_id
    if overflows:
        scalar.score.weight.data.sign_().mul_(3e38)
    scalar.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    ids = sorted((prompt.token_ids for prompt in prompts), key=len)
    one, several = (open_scorer(s.model_copy(update={"checkpoint": tmp_path}), tokenizer) for s in (settings, two))
    alone, shared = list(one.score(ids)), list(several.score(ids))
    several.close()
    assert all(map(math.isfinite, alone)) is not overflows
    if overflows:
        assert not any(map(math.isfinite, [*alone, *shared]))
    else:
        assert shared == alone


def test_a_dead_process_is_named_and_what_was_answered_is_kept(
    tmp_path: Path, parallel: Any, prompts: list[Prompt], greedy: Sampling
) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        answers = ask_each(parallel, prompts, greedy, ledger, ProgressLine("test"))
        next(answers)
        os.kill(parallel._pool._workers[1].process.pid, signal.SIGKILL)
        with pytest.raises(WorkerDiedError, match=r"judge process 2 of 2 ended by SIGKILL; .*memory"):
            list(answers)
        assert len(ledger) > 0
        found = ask_all(parallel, prompts, greedy, ledger, ProgressLine("test"))
    assert len(found) == len(prompts)


def test_what_stands_around_a_process_does_not_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallel: Any, prompts: list[Prompt], greedy: Sampling
) -> None:
    """Libraries that print, modules in the working folder, and a Ctrl-C in the terminal."""
    (tmp_path / "sitecustomize.py").write_text("print('a greeting on standard output')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "here/queue.py").write_text("raise SystemExit('a module of the working folder')", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    assert len(list(parallel.generate(prompts, greedy))) == len(prompts)
    groups = {os.getpgid(worker.process.pid) for worker in parallel._pool._workers}
    assert len(groups) == 2
    assert os.getpgid(0) not in groups


def test_what_a_process_refuses_is_one_line(two: LocalModelSettings, prompts: list[Prompt], greedy: Sampling) -> None:
    engine = open_model(EngineName.TRANSFORMERS, two.model_copy(update={"max_context_tokens": 9999})).engine
    with pytest.raises(StageError, match=r"judge process \d of 2: .* positions, `judge.max_context_tokens` is 9999"):
        list(engine.generate(prompts, greedy))


def test_processes_end_with_the_one_that_started_them(two: LocalModelSettings) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from reasrm.inference.local_model import LocalModelSettings\n"
        "from reasrm.inference.workers.worker_pool import WorkerPool\n"
        "pool = WorkerPool('transformers', LocalModelSettings.model_validate_json(sys.argv[1]))\n"
        "pool._start()\n"
        "print(*(one.process.pid for one in pool._workers), flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, two.model_dump_json()]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert first.stdout is not None
    workers = [int(word) for word in first.stdout.readline().split()]
    first.kill()
    first.wait()
    assert len(workers) == 2
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(map(alive, workers)):
        time.sleep(0.1)
    assert not any(map(alive, workers))


def alive(pid: int) -> bool:
    """Whether a process runs; one that only nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
