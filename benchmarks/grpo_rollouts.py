"""GRPO with replies sampled by transformers and by vLLM, side by side: seconds per step, and how far vLLM is off.

Each measurement is the stage `grpo` in a process and a folder of its own, from the same checkpoint, on the same pairs,
with the same settings; the engines take turns. Seconds of a step are TRL's own (`step_time`: sampling, rewards,
probabilities, loss and gradient), the first step left out, which also warms up. The load is that before each run.

Run:  OMP_NUM_THREADS=1 .venv-vllm/bin/python -m benchmarks.grpo_rollouts [--data data] [--steps 6] [--rounds 2] \
          [--set '{"max_prompt_tokens": 640}']
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.judge_reference import print_table
from reasrm.runtime.yaml_files import read_yaml, write_yaml

ROOT = Path(__file__).resolve().parents[1]
GAP = "sampling/sampling_logp_difference"
ROLLOUTS: dict[str, dict[str, Any]] = {
    "transformers": {"engine": "transformers", "batch_size": None},
    "vllm": {
        "engine": "vllm", "mode": "colocate", "memory_share": 0.03, "tensor_parallel": 1, "sleep": False,
        "importance_sampling_mode": "sequence_mask", "importance_sampling_clip_min": None,
        "importance_sampling_clip_max": 3.0, "most_logprob_gap": 1.0,
    },
}  # fmt: skip


@dataclass
class Training:
    """One run of the stage."""

    load: float
    """Of the machine, before it."""
    wall: float
    """Seconds of the whole process."""
    cpu: float
    steps: list[dict[str, float]]
    """What TRL logged at each."""

    @property
    def step_seconds(self) -> list[float]:
        """Of all steps but the first."""
        return [step["step_time"] for step in self.steps[1:]]


def measure(engine: str, given: argparse.Namespace) -> Training:
    """Train in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data/pairs").mkdir(parents=True)
        shutil.copy(given.data / "pairs/reinforce.jsonl", folder / "data/pairs")
        shutil.copytree(given.data / "checkpoints" / given.start, folder / "data/checkpoints" / given.start)
        params = read_yaml(ROOT / "params.yaml")
        params["grpo"] |= {"steps": given.steps, "save_every": given.steps, "log_every": 1}
        params["grpo"] |= {"dev": None, "rollout_samples": None}  # neither is a part of a step
        params["training_housekeeping"]["prune_work"] = False  # the trainer's log is read there
        params["grpo"] |= json.loads(given.set) | {"rollouts": ROLLOUTS[engine]}
        params["grpo_variants"] = {
            "full": {
                "start": given.start,
                "reads": "data/pairs",
                "prompt_variant": "full",
                "rewards": {"verdict": 1.0},
            }
        }
        write_yaml(folder / "params.yaml", params)
        load, began = os.getloadavg()[0], time.perf_counter()
        with (folder / "log").open("w") as log:
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-m", "stages.grpo", "full"]
            child = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
            _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        if status:
            sys.exit(f"{engine}: the training failed:\n{(folder / 'log').read_text(encoding='utf-8')[-4000:]}")
        (state,) = folder.glob("work/grpo-full/*/checkpoint-*/trainer_state.json")
        history = json.loads(state.read_text(encoding="utf-8"))["log_history"]
    return Training(load, wall, used.ru_utime + used.ru_stime, [entry for entry in history if "step_time" in entry])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="a folder with checkpoints and pairs")
    parser.add_argument("--start", default="sft", help="the checkpoint")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--engines", nargs="+", choices=ROLLOUTS, default=list(ROLLOUTS))
    parser.add_argument("--set", default="{}", help="settings of the section grpo, as JSON")
    given = parser.parse_args()
    runs: dict[str, list[Training]] = {engine: [] for engine in given.engines}
    for number in range(given.rounds):
        for engine in given.engines[:: 1 if number % 2 == 0 else -1]:
            runs[engine].append(measure(engine, given))
            print(f"round {number} {engine}: {runs[engine][-1].wall:.0f} s", file=sys.stderr, flush=True)
    report(runs)


def report(runs: dict[str, list[Training]]) -> None:
    """Print a row per engine: medians over all steps and runs."""
    rows = []
    for engine, trainings in runs.items():
        steps = [step for training in trainings for step in training.steps]
        seconds = [one for training in trainings for one in training.step_seconds]
        means, largest = (
            [step[f"{GAP}/{name}"] for step in steps if f"{GAP}/{name}" in step] for name in ("mean", "max")
        )
        rows.append(
            [
                engine,
                f"{median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}, n = {len(seconds)})",
                f"{median(training.wall for training in trainings):.0f}",
                f"{median(training.cpu for training in trainings):.0f}",
                f"{median(step['completions/mean_length'] for step in steps):.0f}",
                f"{max(means):.1e}, {max(largest):.1e}" if means else "",
                " to ".join(f"{one(training.load for training in trainings):.1f}" for one in (min, max)),
            ]
        )
    head = ["engine", "seconds a step", "process s", "process CPU s", "reply tokens", "gap: mean, largest", "load"]
    print_table(head, rows)
    if len(runs) == len(ROLLOUTS):
        seconds = {engine: median(one for run in found for one in run.step_seconds) for engine, found in runs.items()}
        print(f"vllm over transformers, of a step: {seconds['vllm'] / seconds['transformers']:.2f}")


if __name__ == "__main__":
    main()
