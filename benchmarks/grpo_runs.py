"""GRPO trainings on the miniature, measured, and their checkpoints judged on the dev pairs in both orders.

What `grpo_ablation`, `reward_terms` and `grpo_trl_defaults` share. Inputs are the files of a finished demo
(`make demo`): the starting checkpoint, `pairs/reinforce.jsonl` and `pairs/dev.jsonl`. Settings are those of params.yaml
but for what is changed.
"""

import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.judging.trace_structure import is_grounded, read_structure
from reasrm.records.comparison import Comparison, Side, hashed_side, show
from reasrm.records.content_hash import content_hash
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.pair import PreferencePair
from reasrm.runtime.stage_main import StageError
from reasrm.scoring.paired_differences import PairedDifference, difference
from reasrm.training.grpo.training import train_grpo
from reasrm.training.training_run import TrainingRun, make_repeatable
from stages.grpo import GrpoParams
from stages.judge import JudgeParams, RunningParams

VARIANT = "full"
UNREADABLE = "x"
RESAMPLES = 4000


class Demo(NamedTuple):
    """What a finished demo left."""

    start: Path
    """The checkpoint that GRPO starts from."""
    reinforce: list[PreferencePair]
    dev: list[PreferencePair]

    def inputs(self, params: GrpoParams) -> str:
        """A hash of all that a run with `params` depends on but the code: weights, pairs and every setting."""
        weights = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in self.start.glob("*.safetensors")
        }
        pairs = [[pair.id for pair in several] for several in (self.reinforce, self.dev)]
        return content_hash([weights, pairs, params.model_dump(mode="json")])[:16]


class DevJudgments(NamedTuple):
    """What a checkpoint says of the dev pairs; marks by the side of the better answer, a character per pair."""

    marks: dict[str, str]
    """1 right, 0 wrong, x unreadable."""
    grounded: dict[str, str]
    """1 for a reply with a verdict that quotes both answers and nothing that they do not say, 0 for any other."""
    reply_tokens: list[float]
    """Of each pair, the mean of both orders; all that was written up to the verdict."""


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


def read_results(results: Path) -> list[dict[str, Any]]:
    """The runs that are done."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return [json.loads(line) for line in lines]


def is_done(results: Path, name: str, seed: int, inputs: str) -> bool:
    """Whether the results hold this run, of these inputs.

    Raises:
        SystemExit: they hold it of others: another demo's, or with other settings.
    """
    found = [line for line in read_results(results) if (line["name"], line["seed"]) == (name, seed)]
    if any(line.get("inputs") != inputs for line in found):
        raise SystemExit(
            f"{results}: {name}, seed {seed}, was measured on other weights, pairs or settings than these, so nothing "
            f"was run: name another file with --results, or remove this one"
        )
    return bool(found)


def run_missing(planned: Iterable[tuple[str, int, Mapping[str, Any]]], demo: Demo, results: Path) -> None:
    """Run what the results lack of (name, seed, changes of the settings), and append a line for each.

    Raises:
        SystemExit: the results hold one of them with other inputs.
    """
    for name, seed, changes in planned:
        inputs = demo.inputs(changed_params(changes))
        if is_done(results, name, seed, inputs):
            continue
        line: dict[str, Any] = {"name": name, "seed": seed, "pairs": len(demo.dev), "changes": dict(changes)}
        line |= {"inputs": inputs}
        try:
            line |= train_and_judge(f"{name}, seed {seed}", demo, changed_params(changes))
            right = right_by_pair(line["dev"])
            line |= {"accuracy": round(sum(right) / len(right), 4), "unreadable": unreadable_share(line["dev"])}
        except StageError as error:  # it learnt nothing, say: that is a result too
            line |= {"failed": str(error)}
        with results.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        told = ("accuracy", "reward", "seconds", "cpu_seconds", "failed")
        print(name, seed, {key: line[key] for key in told if key in line}, file=sys.stderr, flush=True)


Values = Callable[[Mapping[str, Any]], list[float]]
"""What is compared: a number per dev pair of a run."""


def values_of_sides(
    runs: Mapping[str, Sequence[Mapping[str, Any]]], sides: Sequence[Sequence[str]], values: Values
) -> list[list[float]]:
    """For each side the mean over its arms and seeds, by dev pair; of seeds that all arms have."""
    named = [runs[name] for side in sides for name in side]
    seeds = set.intersection(*({run["seed"] for run in several} for several in named))
    return [
        [float(one) for one in np.mean([values(run) for name in side for run in runs[name] if run["seed"] in seeds], 0)]
        for side in sides
    ]


def difference_of_sides(
    runs: Mapping[str, Sequence[Mapping[str, Any]]], sides: Sequence[Sequence[str]], values: Values
) -> PairedDifference:
    """The first side's mean minus the second's; values lie between 0 and 1."""
    first, second = ({str(at): one for at, one in enumerate(side)} for side in values_of_sides(runs, sides, values))
    return difference(first, second, RESAMPLES, 0)


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
        judged = judge_dev(run.checkpoint, demo.dev)
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
            "dev": judged.marks,
            "grounded": judged.grounded,
            "reply_tokens": judged.reply_tokens,
        }


def judge_dev(checkpoint: Path, pairs: Sequence[PreferencePair]) -> DevJudgments:
    """Judge each pair greedily, by the project's own judging with the settings of `judge_variants.grpo-full`."""
    params = JudgeParams.load(f"grpo-{VARIANT}").model_copy(update={"checkpoint": checkpoint})
    marks, grounded, tokens = {}, {}, []
    with params.open_judge(RunningParams.load()) as judge:
        for side in Side:
            shown = [show(pair, side) for pair in pairs]
            judged = list(zip(shown, judge.judge(shown), strict=True))
            marks[side.value] = "".join(
                UNREADABLE if found.verdict is None else str(int(found.verdict is comparison.better))
                for comparison, found in judged
            )
            grounded[side.value] = "".join(str(int(_is_grounded(*one))) for one in judged)
            tokens.append([found.reply.completion_tokens if found.reply else 0 for _, found in judged])
    return DevJudgments(marks, grounded, [sum(both) / 2 for both in zip(*tokens, strict=True)])


def _is_grounded(comparison: Comparison, judgment: ComparisonJudgment) -> bool:
    if judgment.reply is None or judgment.verdict is None:
        return False
    return is_grounded(read_structure(judgment.reply.text), comparison.response_a, comparison.response_b)


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
