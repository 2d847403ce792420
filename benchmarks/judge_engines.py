"""The stage `judge` with its own decode loop, and with transformers' `generate` on the same sorted batches.

- loop: the transformers engine as it is (`reasrm/inference/decoding.py`).
- generate: `model.generate` over the same batches, with a stopping criterion of our rule: a stop text that is quoted
  or thought ends no reply.
- stop_strings: `model.generate` with its own `stop_strings`, which end a reply at a quoted stop text too.

Each measurement is a whole run of the stage in a process of its own, from imports to written judgments, with an empty
ledger in a temporary folder. The engines take turns. CPU seconds (user and system, of the process) are the steadier
figure on a busy machine. Replies are compared with those of the loop.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.judge_engines [--models sft grpo-full] [--rounds 3]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.judge_reference import print_table
from reasrm.inference import model_opening
from reasrm.inference.engine import Answered, Prompt, Sampling
from reasrm.inference.replies import DrawnTokens, reply_from_tokens
from reasrm.inference.stop_tokens import StopTokens, end_of_turn_ids
from reasrm.inference.transformers_engine import LocalModelSettings, TransformersEngine
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import Judgment
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.stage_main import run_stage
from stages import judge

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("base", "sft", "grpo-full", "grpo-cold_start", "answer_sft-all")
GENERATION = "generation.json"
"""Written by the measured process: seconds that it generated, without loading and without what is done with replies."""
LIMIT = 1.15
"""The decode loop is kept while the stage takes more than so many times as long with `generate`."""


class LoopEngine(TransformersEngine):
    """The engine as it is; measures how long it generates."""

    def __init__(self, settings: LocalModelSettings, tokenizer: Any) -> None:
        """Prepare for `settings`; `tokenizer` is the checkpoint's own."""
        super().__init__(settings, tokenizer)
        self._seconds = {"wall": 0.0, "cpu": 0.0}

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, batch by batch."""
        self._loaded()
        replies = self._replies(prompts, sampling)
        for _ in prompts:
            wall, cpu = time.perf_counter(), time.process_time()
            answered = next(replies)
            self._seconds["wall"] += time.perf_counter() - wall
            self._seconds["cpu"] += time.process_time() - cpu
            yield answered

    def close(self) -> None:
        """Write down what was measured, and let the model go."""
        Path(GENERATION).write_text(json.dumps(self._seconds), encoding="utf-8")
        super().close()

    def _replies(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        yield from super().generate(prompts, sampling)


class GenerateEngine(LoopEngine):
    """`model.generate` in place of the decode loop, greedy."""

    def _replies(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        import torch

        assert sampling.temperature == 0, "generate cannot draw each row by a seed of its own"
        model, pad_id = self._loaded(), self._tokenizer.pad_token_id
        ends = end_of_turn_ids(model, self._tokenizer)
        for batch in self.batches(prompts, sampling):
            part = prompts[batch.start : batch.stop]
            width = max(prompt.length for prompt in part)
            rows = [[pad_id] * (width - prompt.length) + list(prompt.token_ids) for prompt in part]
            mask = [[0] * (width - prompt.length) + [1] * prompt.length for prompt in part]
            with torch.inference_mode():
                drawn = model.generate(
                    torch.tensor(rows, device=model.device),
                    attention_mask=torch.tensor(mask, device=model.device),
                    max_new_tokens=sampling.max_new_tokens,
                    do_sample=False,
                    eos_token_id=ends,
                    pad_token_id=pad_id,
                    use_cache=True,  # training switched it off in the checkpoint's settings
                    output_logits=True,
                    return_dict_in_generate=True,
                    **self._stopping(part, sampling.stop),
                )
                tokens = drawn.sequences[:, width:]
                steps = zip(drawn.logits, tokens.T, strict=True)
                logprobs = torch.stack([at.gather(1, ids[:, None])[:, 0] - at.logsumexp(-1) for at, ids in steps], 1)
            for prompt, ids, values in zip(part, tokens.tolist(), logprobs.tolist(), strict=True):
                while ids[-1] == pad_id:  # rows that have ended are filled up
                    ids.pop()
                finish = Finish.STOP if ids[-1] in ends else Finish.LENGTH  # stop texts are found in `replies`
                row = DrawnTokens(ids, values, finish, len(ids))
                yield prompt, reply_from_tokens(self._tokenizer, row, prompt, sampling.stop)

    def _stopping(self, part: Sequence[Prompt], stop: str) -> dict[str, Any]:
        """The arguments of `generate` that end a reply."""
        import torch
        from transformers import StoppingCriteriaList

        model, width = self._loaded(), max(prompt.length for prompt in part)
        entries = model.get_output_embeddings().weight.shape[0]
        stops = StopTokens(self._tokenizer, stop, entries, end_of_turn_ids(model, self._tokenizer))
        ended = torch.zeros(len(part), dtype=torch.bool)

        def criterion(ids: Any, _scores: Any, **_: Any) -> Any:
            for row in (stops.may_stop[ids[:, -1].cpu()] & ~ended).nonzero()[:, 0].tolist():
                ended[row] = stops.reached(ids[row, width:].tolist(), part[row].head)
            return ended.to(ids.device, copy=True)

        return {"stopping_criteria": StoppingCriteriaList([criterion])}


class StopStringsEngine(GenerateEngine):
    """`model.generate` with its own `stop_strings`."""

    def _stopping(self, part: Sequence[Prompt], stop: str) -> dict[str, Any]:
        return {"stop_strings": [stop], "tokenizer": self._tokenizer}


ENGINES = {"loop": LoopEngine, "generate": GenerateEngine, "stop_strings": StopStringsEngine}


@dataclass
class StageRun:
    """One run of the stage: seconds of the whole process, and those of them that it generated."""

    wall: float
    cpu: float
    generation_wall: float
    generation_cpu: float
    replies: list[Reply | None]


def run_here(engine: str, model: str) -> None:
    """Run the stage in this process, in the current folder."""
    vars(model_opening)["TransformersEngine"] = ENGINES[engine]  # what `open_model` opens
    sys.argv = ["stages.judge", model]
    run_stage(f"judge-{model}", judge.main)


def measure(engine: str, model: str, data: Path, params: Path) -> StageRun:
    """Run the stage in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(params, folder / "params.yaml")
        (folder / "data").mkdir()
        for part in ("benchmarks", "checkpoints"):
            (folder / "data" / part).symlink_to((data / part).resolve())
        command = [sys.executable, "-m", "benchmarks.judge_engines", "--child", engine, model]
        with (folder / "log").open("w") as log:
            began = time.perf_counter()
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            child = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - began
        if status:
            sys.exit(f"{' '.join(command)} failed:\n{(folder / 'log').read_text(encoding='utf-8')[-4000:]}")
        seconds = json.loads((folder / GENERATION).read_text(encoding="utf-8"))
        files = sorted((folder / "data/judgments" / model).glob("*.jsonl"))
        replies = [judgment.reply for file in files for judgment in read_records(file, Judgment)]
    cpu = used.ru_utime + used.ru_stime
    return StageRun(wall, cpu, seconds["wall"], seconds["cpu"], replies)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--data", type=Path, default=Path("data"), help="a folder with benchmarks and checkpoints")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="for other batches, say")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return run_here(*given.child)
    runs: dict[tuple[str, str], list[StageRun]] = {}
    for number in range(given.rounds):
        for model in given.models:
            for engine in given.engines if number % 2 == 0 else given.engines[::-1]:
                run = measure(engine, model, given.data, given.params)
                runs.setdefault((model, engine), []).append(run)
                print(
                    f"round {number} {model} {engine}: {run.wall:.1f} s, {run.cpu:.1f} CPU s; generation "
                    f"{run.generation_wall:.1f} s, {run.generation_cpu:.1f} CPU s; load {os.getloadavg()[0]:.1f}",
                    file=sys.stderr,
                    flush=True,
                )
    report(runs)
    return None


def report(runs: dict[tuple[str, str], list[StageRun]]) -> None:
    """Print a row per model and engine (medians of the rounds), and the sums over all models as ratios to the loop."""
    totals: dict[str, list[float]] = {}
    rows = []
    for (model, engine), rounds in runs.items():
        seconds = [
            median(run.wall for run in rounds),
            median(run.cpu for run in rounds),
            median(run.generation_wall for run in rounds),
            median(run.generation_cpu for run in rounds),
        ]
        totals[engine] = [total + one for total, one in zip(totals.get(engine, [0.0] * 4), seconds, strict=True)]
        same = agreement(runs[model, "loop"][0].replies, rounds[0].replies) if (model, "loop") in runs else [""] * 3
        rows.append([model, engine, *(f"{one:.1f}" for one in seconds), *same])
    rows += [["all", engine, *(f"{one:.1f}" for one in total), "", "", ""] for engine, total in totals.items()]
    columns = ["model", "engine", "stage wall s", "stage CPU s", "generation wall s", "generation CPU s"]
    print_table([*columns, "same text", "same tokens", "largest difference of log probability"], rows)
    for engine, total in totals.items():
        if engine != "loop" and "loop" in totals:
            ratios = [f"{one / loop:.2f}" for one, loop in zip(total, totals["loop"], strict=True)]
            print(f"{engine} over loop: {', '.join(ratios)} (the loop is kept above {LIMIT} of the stage's wall time)")


def agreement(loop: Sequence[Reply | None], other: Sequence[Reply | None]) -> list[str]:
    """How many replies have the same text and as many tokens, and how far their log probabilities differ at most."""
    pairs = [(one, two) for one, two in zip(loop, other, strict=True) if one is not None and two is not None]
    text = sum(one.text == two.text and one.finish is two.finish for one, two in pairs)
    tokens = sum(one.completion_tokens == two.completion_tokens for one, two in pairs)
    known = [(one.verdict_logprob, two.verdict_logprob) for one, two in pairs]
    assert all((one is None) == (two is None) for one, two in known), "a verdict's probability is known to one alone"
    differences = [abs(one - two) for one, two in known if one is not None and two is not None]
    return [f"{text}/{len(pairs)}", f"{tokens}/{len(pairs)}", f"{max(differences, default=0.0):.6f}"]


if __name__ == "__main__":
    main()
