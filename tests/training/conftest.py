"""A folder with small inputs for the training stages, and a small base model."""

import shutil
from pathlib import Path

import pytest

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.miniature.oracle_replies import oracle_reply
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.comparison import hashed_side, show
from reasrm.records.jsonl import write_records
from reasrm.records.trace import KeptTrace, TracePass
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.training.stage_runs import ROOT, run

SMALL = {"hidden_size": 32, "layers": 1, "heads": 1, "intermediate_size": 64}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small inputs, a small base model and parameters for short trainings."""
    folder = tmp_path_factory.mktemp("trainings")
    params = read_yaml(ROOT / "params.yaml")
    params["base_model"] |= {"documents": 320, "save_every": 4, "log_every": 2, "batch_size": 16}
    params["base_model"]["shape"] |= SMALL
    for section in ("sft", "answer_sft", "scalar_rm"):
        params[section] |= {"epochs": 1, "save_every": 2, "log_every": 1, "batch_size": 16}
        params[section]["dev"] |= {"every": 2, "pairs": 6}
    params["grpo"]["dev"] |= {"every": 2, "pairs": 6}
    params["grpo"] |= {"steps": 6, "batch_size": 16, "save_every": 2, "log_every": 1, "steps_without_signal": 50}
    params["grpo"]["rollout_samples"]["every"] = 1
    write_yaml(folder / "params.yaml", params)
    pairs = training_pairs(Split.TRAIN, 240, 0)
    write_records(folder / "data/pairs/dev.jsonl", training_pairs(Split.DEV, 12, 0))
    write_records(folder / "data/pairs/distill.jsonl", pairs[:160])
    write_records(folder / "data/pairs/reinforce.jsonl", pairs[160:])
    comparisons = [show(pair, hashed_side(pair, 0)) for pair in pairs[:160]]
    traces = []
    for comparison in comparisons:
        system, user = judge_prompt(comparison, PromptVariant.FULL)
        text = oracle_reply(system.content, user.content, "careful")
        traces.append(KeptTrace(comparison=comparison, text=text, source="test", oracle_pass=TracePass.FIRST))
    write_records(folder / "data/traces/kept.jsonl", traces)
    run(folder, "stages.base_model")
    return folder


@pytest.fixture(scope="session")
def project_with_adapters(project: Path) -> Path:
    """The same with LoRA in place of all weights, and the best on dev kept."""
    folder = project.with_name("with_adapters")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("work", "sft", "grpo-*"))
    params = read_yaml(folder / "params.yaml")
    adapter = {"rank": 4, "alpha": 8, "target_modules": "all-linear", "use_rslora": True, "quantise": None}
    for section, dropout in (("sft", 0.1), ("grpo", 0.0)):
        params[section] |= {"lora": adapter | {"dropout": dropout}, "keep": "best_on_dev"}
    write_yaml(folder / "params.yaml", params)
    return folder


@pytest.fixture(scope="session")
def project_with_mini_batches(project: Path) -> Path:
    """The same with groups over several passes, sampled in parts, two steps per generation, each reply used twice."""
    folder = project.with_name("with_mini_batches")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("work", "sft", "grpo-*"))
    params = read_yaml(folder / "params.yaml")
    params["grpo"] |= {
        "steps": 12, "batch_size": 8, "micro_batch_size": 4, "steps_per_generation": 2, "num_iterations": 2,
        "save_every": 4, "rollouts": {"engine": "transformers", "batch_size": 6},
    }  # fmt: skip
    write_yaml(folder / "params.yaml", params)
    return folder


@pytest.fixture(scope="session")
def project_with_replaced_groups(project: Path) -> Path:
    """From a judge that decides at random, both orders in groups of two, compared: half of these have no signal."""
    folder = project.with_name("with_replaced_groups")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("work", "answer_sft-*", "grpo-*"))
    params = read_yaml(folder / "params.yaml")
    params["answer_sft"] |= {"epochs": 6}
    params["grpo"] |= {
        "replies_per_prompt": 2, "micro_batch_size": 4, "max_reply_tokens": 16, "orders": "both_in_group",
        "zero_signal_groups": "replace", "most_extra_generations": 1, "save_every": 4, "steps": 12,
        "steps_per_generation": 2,
    }  # fmt: skip
    params["grpo_variants"]["cold_start"] |= {
        "start": "answer_sft-all", "rewards": {"answer": 1.0, "format": 1.0, "consistency": 0.2}
    }  # fmt: skip
    write_yaml(folder / "params.yaml", params)
    run(folder, "stages.answer_sft", "all")
    return folder
