"""Judging on vLLM, side by side: our `judge`, an engine start per benchmark part, and one prompt at a time over HTTP.

- ours: the stage's own path. One process, one engine start, each distinct prompt once, ledger and all.
- per part: as the paper's evaluation scripts go about it. RewardBench, RM-Bench in three rotations, RMB's pairs and
  best-of-N groups for either goal: eight parts, each a process that starts vLLM, asks every row as a text, and ends.
  To its favour it also runs in process and eager, which those scripts do not on a CPU.
- http: vLLM's own server, one request after the other, on the first `--http-rows` rows; the total is its start plus
  all rows at that rate.

One order per item (hashed), greedy, the same token limit. Everything is inside: imports, engine starts, loading.

Run:  OMP_NUM_THREADS=1 .venv-vllm/bin/python -m benchmarks.judge_reference [--checkpoint data/checkpoints/grpo-full]
"""

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reasrm.apis.request_format import RequestField
from reasrm.evaluation.benchmark_judgments import items_in_orders, read_items
from reasrm.inference.api_engine import ApiEngine
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.inference.served_model import served_model
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_templates.chat_template import render_chat
from reasrm.judging.prompt import judge_prompt
from reasrm.judging.verdict import STOP
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Orders, show
from reasrm.records.ledger import Ledger
from reasrm.records.pair import Message
from stages.judge import JudgeParams, RunningParams, judge_items

AIM = 0.5
ROTATIONS = 3
SERVER_MINUTES = 20
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_CPU_KVCACHE_SPACE": "2",
}


@dataclass
class Measured:
    """What judging all items cost in one of the three procedures."""

    name: str
    starts: int
    judgments: int
    wall: float
    """Seconds."""
    cpu: float | None
    """Seconds, of all processes; None where the wall time is estimated from a sample."""


def items_of(folder: Path, most: int) -> list[BenchmarkItem]:
    """About `most` items, evenly spread over all benchmarks in `folder`, in file order."""
    every = [item for part in read_items(folder).values() for item in part]
    return every[:: max(1, len(every) // most)][:most]


def part_of(item: BenchmarkItem) -> str:
    """The part of the reference's evaluation that asks about `item`: eight for the paper's three benchmarks."""
    if item.benchmark == "rm_bench":
        shift = int(item.keys["rejected_style"]) - int(item.keys["chosen_style"])
        return f"rm_bench rotation {shift % ROTATIONS}"
    if item.benchmark == "rmb":
        return f"rmb {item.keys['kind']} {str(item.keys['category']).partition('/')[0]}"
    return item.benchmark


def messages_of(items: Sequence[BenchmarkItem]) -> list[tuple[Message, ...]]:
    """What is asked about each item, one order each, repeated prompts kept."""
    shown = items_in_orders(items, Orders.HASHED, 0)
    return [judge_prompt(show(item.pair, side), PromptVariant.FULL) for item, side in shown]


def judge_ours(items: Sequence[BenchmarkItem], params: JudgeParams) -> None:
    """The stage's own path."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.jsonl") as ledger:
        judgments, _, identity = judge_items(
            items_in_orders(items, Orders.HASHED, 0), params, RunningParams.load(), ledger
        )
    assert identity["engine_starts"] == 1
    assert len(judgments) == len(items)


def judge_part(items: Sequence[BenchmarkItem], params: JudgeParams) -> None:
    """One part as the reference does it: start, all rows as texts, end."""
    os.environ.update(ENVIRONMENT)
    import torch
    from vllm import LLM, SamplingParams

    torch.set_num_threads(params.threads)
    tokenizer = load_tokenizer(params.checkpoint)
    texts = [render_chat(tokenizer, messages) for messages in messages_of(items)]
    llm = LLM(
        model=str(params.checkpoint),
        dtype=params.dtype.value,
        max_model_len=params.max_context_tokens,
        max_num_seqs=params.batch_size,
        enforce_eager=True,
    )
    outputs = llm.generate(texts, SamplingParams(max_tokens=params.max_new_tokens, temperature=0.0), use_tqdm=False)
    assert len(outputs) == len(items)


def in_processes(name: str, arguments: Sequence[Sequence[str]], judgments: int) -> Measured:
    """Run child processes of this module one after the other and measure all of them."""
    wall, cpu = time.perf_counter(), _children_cpu()
    for one in arguments:
        began, used = time.perf_counter(), _children_cpu()
        command = [sys.executable, "-m", "benchmarks.judge_reference", *one]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
        _progress(one[-1], time.perf_counter() - began, _children_cpu() - used)
    return Measured(name, len(arguments), judgments, time.perf_counter() - wall, _children_cpu() - cpu)


def over_http(items: Sequence[BenchmarkItem], params: JudgeParams, rows: int) -> Measured:
    """Ask the first `rows` items one request at a time; the figures are those of all items at that rate."""
    asked = [Prompt(messages) for messages in messages_of(items[:rows])]
    began = time.perf_counter()
    with served(params) as url:
        ready = time.perf_counter()
        engine = ApiEngine(
            served_model("judge", url, concurrency=1, retries=0, leave_out=frozenset({RequestField.LOGPROBS}))
        )
        sampling = Sampling(max_new_tokens=params.max_new_tokens, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
        replies = list(engine.generate(asked, sampling))
        engine.close()
        done = time.perf_counter()
    wall = ready - began + (done - ready) * len(items) / len(replies)
    return Measured(f"http (from {len(replies)} rows)", 1, len(items), wall, None)


@contextmanager
def served(params: JudgeParams) -> Iterator[str]:
    """Start the server of vLLM for the checkpoint; yields its base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--model", str(params.checkpoint), "--served-model-name", "judge", "--host", "127.0.0.1"]
    arguments += ["--port", str(port)]
    arguments += ["--dtype", params.dtype.value, "--max-model-len", str(params.max_context_tokens), "--enforce-eager"]
    arguments += ["--no-enable-log-requests", "--disable-uvicorn-access-log"]
    environment = os.environ | ENVIRONMENT | {"OPENAI_API_KEY": "none"}
    os.environ.setdefault("OPENAI_API_KEY", "none")
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *arguments]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}/v1"
        except TimeoutError as error:
            log.seek(0)
            sys.exit(f"{error}\n{log.read()[-4000:]}")
        finally:
            server.terminate()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SERVER_MINUTES * 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("vLLM's server did not come up:")


def _progress(what: str, wall: float, cpu: float) -> None:
    """Progress for whoever waits; a run that is stopped leaves at least this."""
    print(f"{what}: {wall:.1f} s, {cpu:.1f} CPU s, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure all three procedures and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("data/checkpoints/grpo-full"))
    parser.add_argument("--benchmarks", type=Path, default=Path("data/benchmarks"))
    parser.add_argument("--items", type=int, default=1_000_000, help="evenly spread over all; default all")
    parser.add_argument("--http-rows", type=int, default=200, help="0 leaves the server out")
    parser.add_argument("--rounds", type=int, default=1, help="ours and per part by turns")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    changes = {"checkpoint": given.checkpoint, "engine": "vllm", "orders": "hashed", "batch_size": 256}
    params = JudgeParams.model_validate(JudgeParams.load("grpo-full").model_dump() | changes)
    items = items_of(given.benchmarks, given.items)
    parts: dict[str, list[BenchmarkItem]] = defaultdict(list)
    for item in items:
        parts[part_of(item)].append(item)
    if given.child:
        return judge_ours(items, params) if given.child == "ours" else judge_part(parts[given.child], params)
    same = ["--checkpoint", str(given.checkpoint), "--benchmarks", str(given.benchmarks), "--items", str(given.items)]
    found = []
    for _ in range(given.rounds):
        found.append(in_processes("ours", [[*same, "--child", "ours"]], len(items)))
        found.append(in_processes("per part", [[*same, "--child", part] for part in sorted(parts)], len(items)))
    if given.http_rows:
        found.append(over_http(items, params, given.http_rows))
    _report(found, distinct=len(set(messages_of(items))))
    return None


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")


def _report(found: Sequence[Measured], distinct: int) -> None:
    reference = next(one for one in found if one.name == "per part")
    rows = [
        [
            one.name,
            str(one.starts),
            f"{one.judgments:,}",
            f"{one.wall:.1f}",
            "" if one.cpu is None else f"{one.cpu:.1f}",
            f"{one.judgments / one.wall:.1f}",
            f"{one.wall / reference.wall:.2f}",
        ]
        for one in found
    ]
    print(f"{reference.judgments:,} judgments, {distinct:,} distinct prompts; aim: ours at most {AIM} of per part")
    print_table(["procedure", "engine starts", "judgments", "wall s", "CPU s", "judgments/s", "time / per part"], rows)


if __name__ == "__main__":
    main()
