"""How soon a judge is good: this project's GRPO settings against TRL's own defaults, on the miniature.

Same starting checkpoint, prompts, reward and sampled replies for each arm; the dev pairs are judged greedily in both
orders before the first step and after every `--every` replies, by the project's own judging, and the time that takes is
not counted.

- `ours`: the released settings, whose steps and replies per step say how many replies each arm samples.
- `trl`: GRPOConfig() as it is: 8 replies of one prompt a step, learning rate 1e-6 falling linearly to 0, loss dapo, no
  divergence. Set is only what must be: the folder, steps (as many replies as ours), seed, no reports and checkpoints,
  float32 on the CPU, and the longest reply, since prompt and reply share the miniature's context.
- `trl_our_rate`: the same with our learning rate; the schedule stays TRL's. TRL's rate is meant for pretrained models
  of billions of weights, so this is the fair opponent.
- `trl_our_rate_and_batch`: with our batch too.

Printed: the first check at which dev accuracy reaches `--aim`, in steps, replies and seconds, and where each ends. The
results file holds every check. One process, one thread.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.grpo_trl_defaults --data data --results grpo_trl_defaults.jsonl
      python -m benchmarks.grpo_trl_defaults --results grpo_trl_defaults.jsonl --table
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from benchmarks.grpo_runs import (
    Demo,
    Seconds,
    changed_params,
    is_done,
    judge_dev,
    read_demo,
    read_results,
    right_by_pair,
    saved,
    training_comparisons,
    unreadable_share,
)
from benchmarks.judge_reference import print_table
from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.records.wilson_interval import wilson
from reasrm.training.grpo import group_trainer
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.grpo.rewards.sampled_replies import as_judged
from reasrm.training.grpo.training import prompt_rows, train_grpo
from reasrm.training.training_run import TrainingRun, make_repeatable
from stages.grpo import GrpoParams

ARMS: dict[str, dict[str, Any]] = {
    "ours": {},
    "trl": {},
    "trl_our_rate": {"learning_rate": "learning_rate"},
    "trl_our_rate_and_batch": {"learning_rate": "learning_rate", "per_device_train_batch_size": "batch_size"},
}
"""What each arm of TRL's defaults takes from our settings: TRL's argument and our name of it."""
TRL_BATCH = 8


class DevChecks(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Judges the model in training on the dev pairs every so many steps; its own time does not count."""

    def __init__(self, demo: Demo, tokenizer: Any, every: int, folder: Path) -> None:
        """Check every `every` steps; `folder` takes the copies that are judged."""
        self._demo, self._tokenizer, self._every, self._folder = demo, tokenizer, every, folder
        self._began = Seconds.now()
        self._judging = Seconds(0.0, 0.0)
        self.checks: list[dict[str, Any]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Start the clock: loading does not count, for any arm; and judge what all arms start from."""
        self._began = Seconds.now()
        self._judge(state.global_step, model)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Judge, if it is time."""
        if state.global_step % self._every == 0:
            self._judge(state.global_step, model)

    def _judge(self, step: int, model: Any) -> None:
        now = Seconds.now()
        spent = now.since(self._began)
        dev = judge_dev(saved(model, self._tokenizer, self._folder), self._demo.dev).marks
        self.checks.append(
            {
                "step": step,
                "seconds": round(spent.wall - self._judging.wall, 1),
                "cpu_seconds": round(spent.cpu - self._judging.cpu, 1),
                "accuracy": round(sum(right_by_pair(dev)) / len(self._demo.dev), 4),
                "unreadable": round(unreadable_share(dev), 4),
            }
        )
        took = Seconds.now().since(now)
        self._judging = Seconds(self._judging.wall + took.wall, self._judging.cpu + took.cpu)
        print(self.checks[-1], file=sys.stderr, flush=True)


def train_ours(demo: Demo, params: GrpoParams, checks: DevChecks, folder: Path) -> None:
    """Train as the stage does, watched."""

    class Watched(group_trainer.GroupTrainer):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.add_callback(checks)

    original = group_trainer.GroupTrainer
    vars(group_trainer)["GroupTrainer"] = Watched  # what `train_grpo` makes
    try:
        run = TrainingRun("ours", folder / "work", folder / "checkpoint", folder / "curves")
        train_grpo(run, demo.start, load_tokenizer(demo.start), training_comparisons(demo, params.seed), params)
    finally:
        vars(group_trainer)["GroupTrainer"] = original


def train_trl(demo: Demo, params: GrpoParams, checks: DevChecks, folder: Path, taken: Mapping[str, Any]) -> None:
    """Train with TRL's defaults but for what must be set, and what is `taken` from our settings."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import GRPOConfig, GRPOTrainer

    batch = taken.get("per_device_train_batch_size", TRL_BATCH)
    tokenizer = load_tokenizer(demo.start)
    rows, _ = prompt_rows(tokenizer, training_comparisons(demo, params.seed), params)
    config = GRPOConfig(
        output_dir=str(folder / "work"),
        max_steps=params.steps * params.batch_size // batch,
        max_completion_length=params.max_reply_tokens,
        seed=params.seed,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        bf16=False,
        use_cpu=True,
        **taken,
    )
    trainer = GRPOTrainer(
        model=str(demo.start),
        args=config,
        reward_funcs=[as_judged(REWARD_TERMS[name], tokenizer, "") for name in params.rewards],
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[checks],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def unwatched(seed: int, steps: int | None) -> GrpoParams:
    """The released settings without what the other arms have not and what takes time."""
    return changed_params({"seed": seed, "dev": None, "rollout_samples": None} | ({"steps": steps} if steps else {}))


def run_arm(arm: str, demo: Demo, params: GrpoParams, every: int) -> dict[str, Any]:
    """One training with its checks."""
    taken = {theirs: getattr(params, ours) for theirs, ours in ARMS[arm].items()}
    batch = params.batch_size if arm == "ours" else taken.get("per_device_train_batch_size", TRL_BATCH)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_repeatable(params.seed, params.threads)
        checks = DevChecks(demo, load_tokenizer(demo.start), max(1, every // batch), folder / "judged")
        train: Callable[[], None] = (
            (lambda: train_ours(demo, params, checks, folder))
            if arm == "ours"
            else (lambda: train_trl(demo, params, checks, folder, taken))
        )
        train()
    line = {"name": arm, "seed": params.seed, "inputs": demo.inputs(params), "batch": batch}
    return line | {"pairs": len(demo.dev), "checks": checks.checks}


def print_times(lines: Sequence[Mapping[str, Any]], aim: float) -> None:
    """Each run's first check at `aim` and its last, in Markdown."""
    rows = []
    for line in lines:
        reached = next((check for check in line["checks"] if check["accuracy"] >= aim), None)
        last = line["checks"][-1]
        low, high = wilson(last["accuracy"] * line["pairs"], line["pairs"])
        told = (
            [
                str(reached["step"]),
                f"{reached['step'] * line['batch']:,}",
                *(str(reached[key]) for key in ("seconds", "cpu_seconds")),
            ]
            if reached
            else ["not reached", "", "", ""]
        )
        end = f"{last['accuracy']:.3f} [{low:.3f}, {high:.3f}] at step {last['step']}"
        rows.append([line["name"], str(line["seed"]), *told, end, str(last["seconds"])])
    head = [
        "arm",
        "seed",
        f"steps to dev {aim}",
        "replies",
        "seconds",
        "CPU s",
        "dev accuracy at the end",
        "seconds in all",
    ]
    print_table(head, rows)


def main() -> None:
    """Run what the results lack, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="a finished demo's data folder")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--every", type=int, default=640, help="sampled replies between two checks")
    parser.add_argument("--pairs", type=int, default=200, help="dev pairs of a check")
    parser.add_argument("--steps", type=int, help="of ours, for a trial; the others sample as many replies")
    parser.add_argument("--aim", type=float, default=0.9)
    parser.add_argument("--table", action="store_true", help="print what is in the results; run nothing")
    given = parser.parse_args()
    if given.table:
        return print_times(read_results(given.results), given.aim)
    demo = read_demo(given.data, given.pairs)
    for seed in given.seeds:
        params = unwatched(seed, given.steps)
        for arm in given.arms:
            if not is_done(given.results, arm, seed, demo.inputs(params)):
                line = run_arm(arm, demo, params, given.every)
                with given.results.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(line) + "\n")
    return None


if __name__ == "__main__":
    main()
