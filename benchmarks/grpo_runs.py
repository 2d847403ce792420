"""GRPO trainings on the miniature, measured, and their checkpoints judged on the dev pairs in both orders.

What `grpo_ablation` and `grpo_trl_defaults` share. Inputs are the files of a finished demo (`make demo`): the starting
checkpoint, `pairs/reinforce.jsonl` and `pairs/dev.jsonl`. Settings are those of params.yaml but for what is changed.
"""

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.records.comparison import Comparison, Side, hashed_side, show
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair
from reasrm.training.grpo.training import train_grpo
from reasrm.training.training_run import TrainingRun, make_repeatable
from stages.grpo import GrpoParams
from stages.judge import JudgeParams, RunningParams

VARIANT = "full"
UNREADABLE = "x"


class Demo(NamedTuple):
    """What a finished demo left."""

    start: Path
    """The checkpoint that GRPO starts from."""
    reinforce: list[PreferencePair]
    dev: list[PreferencePair]


class Seconds(NamedTuple):
    """What something took in this process."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "Seconds":
        """The clocks."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, before: "Seconds") -> "Seconds":
        """The time from `before` to these clocks."""
        return Seconds(self.wall - before.wall, self.cpu - before.cpu)


def read_demo(data: Path, dev_pairs: int) -> Demo:
    """The demo's files below `data`, with the first `dev_pairs` dev pairs."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    start = data / "checkpoints" / GrpoParams.load(VARIANT).start
    reinforce, dev = (list(read_records(data / f"pairs/{name}.jsonl", PreferencePair)) for name in ("reinforce", "dev"))
    if len(dev) < dev_pairs:
        raise SystemExit(f"{data}/pairs/dev.jsonl holds {len(dev)} pairs, fewer than --pairs {dev_pairs}")
    return Demo(start, reinforce, dev[:dev_pairs])


def changed_params(changes: Mapping[str, Any]) -> GrpoParams:
    """The released settings of the variant with `changes`; the run is not resumed, so it saves at its end alone."""
    params = GrpoParams.load(VARIANT).model_dump(mode="json") | dict(changes)
    return GrpoParams.model_validate(params | {"save_every": params["steps"]})


def training_comparisons(demo: Demo, seed: int) -> list[Comparison]:
    """The reinforcement pairs as the stage shows them."""
    return [show(pair, hashed_side(pair, seed)) for pair in demo.reinforce]


def train_and_judge(name: str, demo: Demo, params: GrpoParams) -> dict[str, Any]:
    """Train with the project's own code and judge the result; what is measured, as it is written into results.

    Raises:
        StageError: the training refuses or stops.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        run = TrainingRun(name, scratch / "work", scratch / "checkpoint", scratch / "curves")
        make_repeatable(params.seed, params.threads)
        began = Seconds.now()
        train_grpo(run, demo.start, load_tokenizer(demo.start), training_comparisons(demo, params.seed), params)
        took = Seconds.now().since(began)
        verdicts = judge_dev(run.checkpoint, demo.dev)
        reward = curve(run.curves, "groups/reward") or curve(run.curves, "reward")
        planned = -(-params.steps // (params.steps_per_generation * params.num_iterations))
        sampled = sum(curve(run.curves, "groups/replies_sampled"))
        return {
            "steps": params.steps,
            "seconds": round(took.wall, 1),
            "cpu_seconds": round(took.cpu, 1),
            "reward": round(sum(reward[-5:]) / len(reward[-5:]), 4),
            "generations": int(sum(curve(run.curves, "groups/generations"))) or planned,
            "replies_sampled": int(sampled) or planned * params.batch_size * params.steps_per_generation,
            "without_signal": _mean(curve(run.curves, "frac_reward_zero_std")),
            "clipped": _mean(curve(run.curves, "clip_ratio/region_mean")),
            "dev": verdicts,
        }


def judge_dev(checkpoint: Path, pairs: Sequence[PreferencePair]) -> dict[str, str]:
    """The greedy verdict on each pair by the project's own judging, by the side of the better answer: 1, 0 or x.

    x is unreadable. The judge's settings are those of `judge_variants.grpo-full`.
    """
    params = JudgeParams.load(f"grpo-{VARIANT}").model_copy(update={"checkpoint": checkpoint})
    shown = [show(pair, side) for side in Side for pair in pairs]
    with params.open_judge(RunningParams.load()) as judge:
        verdicts = [judgment.verdict for judgment in judge.judge(shown)]
    marks = [
        UNREADABLE if verdict is None else str(int(verdict is comparison.better))
        for verdict, comparison in zip(verdicts, shown, strict=True)
    ]
    return {side.value: "".join(marks[at * len(pairs) : (at + 1) * len(pairs)]) for at, side in enumerate(Side)}


def right_by_pair(dev: Mapping[str, str]) -> list[float]:
    """The share of a pair's two orders that were judged right."""
    return [(one + two) / 2 for one, two in zip(*([mark == "1" for mark in dev[side]] for side in Side), strict=True)]


def consistent_by_pair(dev: Mapping[str, str]) -> list[float]:
    """1 where both orders have the same answer preferred; 0 where not, or where either is unreadable."""
    return [float(one == two != UNREADABLE) for one, two in zip(dev["A"], dev["B"], strict=True)]


def unreadable_share(dev: Mapping[str, str]) -> float:
    """The share of judgments without a verdict."""
    marks = "".join(dev.values())
    return marks.count(UNREADABLE) / len(marks)


def curve(curves: Path, name: str) -> list[float]:
    """The values of a training's curve; empty if it has none."""
    path = curves / "plots/metrics/train" / f"{name}.tsv"
    if not path.exists():
        return []
    return [float(line.split("\t")[-1]) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def saved(model: Any, tokenizer: Any, folder: Path) -> Path:
    """A copy of a model in training, to be judged."""
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
