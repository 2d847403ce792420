"""GRPO with replies sampled by vLLM for real, on the CPU: the trainer's own probabilities, and the same bytes again.

Run: make test-vllm
"""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.records.comparison import Comparison, Side
from reasrm.records.jsonl import write_records
from reasrm.records.pair import PreferencePair
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import write_yaml
from reasrm.training.grpo import vllm_rollouts
from reasrm.training.grpo.rewards import registry
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.grpo.training import train_grpo
from reasrm.training.monitoring.logprob_gap import LogprobGapError
from reasrm.training.training_run import TrainingRun
from tests.fixtures.trained_judge import unseen
from tests.training.stage_runs import GRPO, LORA, PARAMS, train_twice

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(5400)]

VLLM: dict[str, Any] = {
    "engine": "vllm", "mode": "colocate", "memory_share": 0.01, "tensor_parallel": 1, "sleep": False,
    "importance_sampling_mode": "sequence_mask", "importance_sampling_clip_min": None,
    "importance_sampling_clip_max": 3.0, "most_logprob_gap": 1.0e-4,
}  # fmt: skip
SMALL = GRPO | {
    "steps": 6, "batch_size": 32, "save_every": 2, "max_prompt_tokens": 110, "max_reply_tokens": 48,
    "learning_rate": 4.0e-3, "warmup_steps": 0, "rollouts": VLLM,
}  # fmt: skip
MEAN = "plots/metrics/train/sampling/sampling_logp_difference/mean.tsv"


SERVER = {name: value for name, value in VLLM.items() if name not in {"memory_share", "tensor_parallel", "sleep"}} | {
    "mode": "server", "server": "http://127.0.0.1:8000", "server_timeout": 5.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rollouts", "message"),
    [(SERVER, "by NCCL, which needs CUDA"), (VLLM | {"sleep": True}, "need CUDA devices")],
    ids=["server", "sleep"],
)
def test_what_needs_a_gpu_is_refused_without_one(rollouts: dict[str, Any], message: str) -> None:
    with pytest.raises(StageError, match=message):
        vllm_rollouts.vllm_arguments(small(rollouts=rollouts))


@pytest.mark.parametrize(("library", "name"), [("VLLM_VERSION", "vllm"), ("TRL_VERSION", "trl")])
def test_other_versions_than_those_it_is_written_for_are_refused(
    library: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vllm_rollouts, library, "0.3")
    with pytest.raises(StageError, match=rf"written for {name} 0\.3, and \d+\.\d+\.\d+ is installed"):
        vllm_rollouts.vllm_arguments(small())


def small(**changes: Any) -> GrpoSettings:
    return GrpoSettings.model_validate(SMALL | {"prompt_variant": "full", "rewards": {"verdict": 1.0}} | changes)


def pair_of(comparison: Comparison) -> PreferencePair:
    answers = (comparison.response_a, comparison.response_b)
    chosen, rejected = answers if comparison.better is Side.A else answers[::-1]
    return PreferencePair(prompt=comparison.prompt, chosen=chosen, rejected=rejected, source="test")


@pytest.fixture(scope="module")
def project(trained_judge: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the stage trains the tiny judge, whose output layer is its embedding."""
    folder = tmp_path_factory.mktemp("vllm_rollouts")
    shutil.copytree(trained_judge, folder / "data/checkpoints/sft")
    pairs = {pair.id: pair for number in range(400, 480) if (pair := pair_of(unseen(number))).chosen != pair.rejected}
    write_records(folder / "data/pairs/reinforce.jsonl", list(pairs.values()))
    return folder


def train(project: Path, out: Path, **changes: Any) -> None:
    """Train in this process."""
    start = project / "data/checkpoints/sft"
    run = TrainingRun("grpo", out / "work", out / "checkpoint", out / "curves")
    train_grpo(run, start, load_tokenizer(start), [unseen(number) for number in range(400, 480)], small(**changes))


@pytest.mark.parametrize("lora", [None, LORA], ids=["whole", "adapter"])
def test_probabilities_are_the_trainers_at_every_step_and_a_killed_run_goes_on_exactly(
    lora: dict[str, Any] | None, project: Path
) -> None:
    chosen = {"lora": lora, "dev": None, "seed": 1}  # with this seed the replies of every step earn differently
    write_yaml(project / "params.yaml", PARAMS | {"grpo": PARAMS["grpo"] | SMALL | chosen})
    train_twice(project, ("stages.grpo", "full"), "grpo-full")
    curves = project / "data/curves/grpo-full"
    means = [float(line.split("\t")[1]) for line in (curves / MEAN).read_text().splitlines()[1:]]
    rewards = (curves / "plots/metrics/train/reward_std.tsv").read_text().splitlines()[1:]
    assert len(means) == SMALL["steps"]
    assert all(0.0 < mean < 1e-5 for mean in means)
    assert all(float(line.split("\t")[1]) > 0 for line in rewards), "without rewards that differ nothing is trained"


def test_a_stale_output_layer_stops_the_run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL itself sends a tied output layer under the embedding's name alone, and on a CPU vLLM keeps its old one."""
    once = partial(vllm_rollouts.sampled_weights, under_each_name=False)
    monkeypatch.setattr(vllm_rollouts, "sampled_weights", lambda model, **_: once(model))
    with pytest.raises(LogprobGapError, match=r"^grpo: step [2-6]: .* by \d\.\d\de-0\d on average \(largest .*1e-04"):
        train(project, tmp_path)
    assert not (tmp_path / "checkpoint").exists()


def test_replies_end_where_those_of_transformers_end(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly greedy, so that both engines give one reply: the same tokens, with the token that ends it or cut off."""
    drawn: dict[str, list[tuple[int, ...]]] = {}

    def keep(engine: str, completions: Any, completion_ids: Any, **_: Any) -> list[float]:
        drawn[engine] = [tuple(ids) for ids in completion_ids]
        return [float(number % 2) for number in range(len(completions))]

    near = {"temperature": 0.01, "steps": 1, "save_every": 1, "max_reply_tokens": 22}
    for engine, rollouts in (
        ("vllm", VLLM | {"most_logprob_gap": 1e-2}),
        ("transformers", {"engine": "transformers", "batch_size": None}),
    ):
        term = partial(keep, engine)
        term.__name__ = "verdict_reward"  # type: ignore[attr-defined]
        monkeypatch.setitem(registry.REWARD_TERMS, "verdict", term)
        train(project, tmp_path / engine, rollouts=rollouts, **near)
    assert drawn["vllm"] == drawn["transformers"]
    end = load_tokenizer(project / "data/checkpoints/sft").eos_token_id
    assert {len(ids) for ids in drawn["vllm"] if ids[-1] != end} == {22}, "some replies are cut off"
    assert any(ids[-1] == end for ids in drawn["vllm"]), "some replies end"
