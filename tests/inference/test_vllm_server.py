"""A judge behind vLLM's own HTTP server: the same verdicts as from the checkpoint in this process.

Run: make test-vllm
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.model_opening import EngineName, OpenModel, open_model
from reasrm.inference.prompt_run import ask_all
from reasrm.judging.verdict import STOP, Verdict, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.ledger import Ledger
from reasrm.records.reply import Reply
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import served_file
from tests.fixtures.trained_judge import CONTEXT, prompt_of, unseen
from tests.fixtures.vllm_server import vllm_server

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(5400)]

GREEDY = Sampling(max_new_tokens=64, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
CASES = [unseen(number) for number in range(600, 660)]


@pytest.fixture(scope="module")
def served(trained_judge: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The description of a running server, as `--served` takes it."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch, vllm_server(trained_judge, CONTEXT, folder / "log") as url:
        patch.setenv("OPENAI_API_KEY", "none")
        yield served_file(folder, url)


def settings(checkpoint: Path) -> LocalModelSettings:
    return LocalModelSettings(
        checkpoint=checkpoint,
        dtype=Dtype.FLOAT32,
        attention=Attention.EAGER,
        batch_size=64,
        batch_tokens=4096,
        max_context_tokens=CONTEXT,
        threads=1,
        cache_tokens=100_000,
        tensor_parallel=1,
        data_parallel=1,
        memory_share=0.9,
    )


def replies_of(model: OpenModel, ledger: Path) -> list[Reply]:
    """The replies to all cases in both orders, asked as the stage asks."""
    conversations = [prompt_of(order) for one in CASES for order in (one, one.swapped())]
    prompts = model.render(conversations)
    with Ledger(ledger) as opened:
        found = ask_all(model.engine, list(prompts.values()), GREEDY, opened, ProgressLine("test"))
    model.engine.close()
    assert model.engine.starts == 1
    return [found[prompts[messages].key] for messages in conversations]


def judgments_of(capsys: pytest.CaptureFixture[str], cases: Path, *judge: str) -> list[dict[str, Any]]:
    """What `reasrm judge` prints about the rows of `cases`."""
    assert reasrm("judge", "--jsonl", str(cases), "--max-new-tokens", "64", *judge) in (ExitCode.DONE, 5)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_served_judge_gives_the_same_verdicts(served: Path, trained_judge: Path, tmp_path: Path) -> None:
    here = replies_of(open_model(EngineName.TRANSFORMERS, settings(trained_judge)), tmp_path / "here.jsonl")
    there = replies_of(open_model(EngineName.API, settings(served)), tmp_path / "there.jsonl")
    verdicts = [read_verdict(reply.text, reply.finish) for reply in here]
    assert [read_verdict(reply.text, reply.finish) for reply in there] == verdicts
    assert [reply.text for reply in there] == [reply.text for reply in here]
    assert [reply.prompt_tokens for reply in there] == [reply.prompt_tokens for reply in here]
    sides = [one.side for one in verdicts if isinstance(one, Verdict)]
    assert len(sides) > 0.9 * len(here)
    assert min(sides.count(side) for side in Side) > 10


def test_the_served_judge_is_as_sure(served: Path, trained_judge: Path, tmp_path: Path) -> None:
    here = replies_of(open_model(EngineName.TRANSFORMERS, settings(trained_judge)), tmp_path / "here.jsonl")
    there = replies_of(open_model(EngineName.API, settings(served)), tmp_path / "there.jsonl")
    for one, other in zip(here, there, strict=True):
        assert other.verdict_logprob == pytest.approx(one.verdict_logprob, abs=1e-4)


def test_the_command_says_the_same_of_a_served_judge_and_of_its_checkpoint(
    served: Path, trained_judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = tmp_path / "cases.jsonl"
    rows = [{"prompt": one.prompt[0].content, "a": one.response_a, "b": one.response_b} for one in CASES]
    cases.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    here = judgments_of(capsys, cases, "--model", str(trained_judge))
    there = judgments_of(capsys, cases, "--served", str(served))
    assert len(there) == len(CASES)
    for one, other in zip(here, there, strict=True):
        assert (other["verdict"], other["consistent"]) == (one["verdict"], one["consistent"])
        assert other["confidence"] == pytest.approx(one["confidence"], abs=1e-4)
        for ours, served_order in zip(one["orders"], other["orders"], strict=True):
            assert (served_order["reply"], served_order["quotes"]) == (ours["reply"], ours["quotes"])
