"""The project's own profiles and overlays: each stage takes them, alone and in stacks, and they fit what they name."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flows.settings.faults import faults
from flows.settings.profile import ProfileChoice, compose, named_choice
from flows.settings.profile_layers import OVERLAYS, PROFILES, first_comment, overlay_names, overridden, profile_names
from reasrm.preflight.devices import described_device
from reasrm.preflight.plan import Wanted, estimates
from reasrm.runtime.yaml_files import parse_yaml

ROOT = Path(__file__).parents[3]
PAPER_TABLES = ROOT / "reasrm/reporting/paper_tables.json"
MINIATURE = (ROOT / "params.yaml").read_text(encoding="utf-8")
STACKS = [
    *profile_names(ROOT),
    "pretrained +own-files +eight-gpus",
    "pretrained +lora +one-gpu",
    "rm-r1-7b +lora +one-gpu",
    "rm-r1-14b-deepseek +lora +one-gpu",
    "qwen3-1.7b +lora +24gb",
    "rm-r1-7b +24gb +qlora",
    "rm-r1-32b +one-gpu +qlora",
    "rm-r1-7b +own-files +lora +eight-gpus",
    "rm-r1-7b +oracle +own-files",
    "smollm2 +lora",
    "miniature +full-categories",
    "rm-r1-7b +oracle +full-categories",
    "miniature +table3",
    "miniature +all-traces",
    "smollm2 +table3",
    "rm-r1-7b +oracle +table3",
    "miniature +policy",
    "smollm2 +policy-smollm2",
    "qwen3-1.7b +lora +24gb +policy-one-gpu",
    "rm-r1-7b +policy-eight-gpus",
]
LIKE_ANOTHER = {
    "rm-r1-14b",
    "rm-r1-32b",
    "rm-r1-14b-deepseek",
    "rm-r1-32b-deepseek",
    "pretrained +lora +one-gpu",
    "rm-r1-14b-deepseek +lora +one-gpu",
    "rm-r1-32b +one-gpu +qlora",
    "rm-r1-7b +own-files +lora +eight-gpus",
    "rm-r1-7b +oracle +full-categories",
    "smollm2 +table3",
    "rm-r1-7b +policy-eight-gpus",
}
"""Whose layers stand in another stack too: checked among the slow tests."""
NAMED = ("base_model.model=OWNER/NAME", f"base_model.revision={'0' * 40}")
"""What `pretrained` leaves to the user."""


@cache
def composed(stack: str, *settings: str) -> str:
    choice = named_choice(stack.split())
    return compose(ROOT, ProfileChoice(choice.name, choice.overlays, settings), MINIATURE)


def checked(tmp_path: Path, text: str) -> list[str]:
    for part in ("stages", "dvc.yaml"):
        (tmp_path / part).symlink_to(ROOT / part)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    return [str(one) for one in faults(tmp_path)]


@pytest.mark.parametrize(
    "stack", [pytest.param(stack, marks=[pytest.mark.slow] * (stack in LIKE_ANOTHER)) for stack in STACKS]
)
def test_every_stage_takes_it_and_sections_agree(stack: str, tmp_path: Path) -> None:
    assert checked(tmp_path, composed(stack, *(NAMED if stack.startswith("pretrained") else ()))) == []


def test_pretrained_says_what_to_name(tmp_path: Path) -> None:
    (line,) = checked(tmp_path, composed("pretrained"))
    assert line == "base_model.model is '': with source hub it is a hub id, as OWNER/NAME"


@pytest.mark.parametrize("name", profile_names(ROOT))
def test_a_page_says_of_another_run_nothing_that_is_true_of_the_miniature(name: str) -> None:
    document, before = parse_yaml(composed(name), name), parse_yaml(MINIATURE, "params.yaml")
    report = document["report"]
    assert report["configuration"] == name
    if document["base_model"]["source"] != "world":
        for key in ("title", "summary", "notes", "reproduce", "families", "slices", "reference_run"):
            assert not report[key] or report[key] != before["report"][key], key


TABLE_3 = {
    "full: Instruct + SFT": ("answer_sft-all", "base", {"distill", "reinforce"}),
    "full: Instruct + Distilled + SFT": ("answer_sft-after_sft", "sft", {"reinforce"}),
    "full: RM-R1": ("grpo-full", "sft", {"reinforce"}),
    "9k: Instruct + SFT": ("answer_sft-distilled", "base", {"distill"}),
    "9k: Instruct + Distilled": ("sft", "", set()),
}


@pytest.mark.parametrize("profile", ["miniature", "smollm2", "rm-r1-7b +oracle"])
def test_table_3_has_the_papers_rows(profile: str) -> None:
    tables = json.loads(PAPER_TABLES.read_bytes())["tables"]
    (printed,) = [[row["model"] for row in table["rows"]] for table in tables if table["number"] == 3]
    assert sorted(printed) == sorted(TABLE_3)
    document = parse_yaml(composed(f"{profile} +table3"), "table3")
    for judge, start, pairs in TABLE_3.values():
        assert judge in document["score"]["models"]
        assert document["judge_variants"][judge]["checkpoint"] == f"data/checkpoints/{judge}"
        stage, _, variant = judge.partition("-")
        if variant:
            settings = document[stage] | document[f"{stage}_variants"][variant]
            assert (settings["start"], set(settings["pairs"])) == (start, pairs)
    assert set(document["report"]["models"]) == set(document["score"]["models"])


def test_all_traces_distils_the_pairs_of_the_default() -> None:
    default, all_traces = (parse_yaml(composed(stack), stack) for stack in ("miniature", "miniature +all-traces"))
    before, after = default["collect_pairs"]["counts"], all_traces["collect_pairs"]["counts"]
    assert after == {"distill": before["distill"] + before["reinforce"], "reinforce": 0, "dev": before["dev"]}
    assert {key: all_traces["sft"][key] for key in ("epochs", "learning_rate", "batch_size")} == {
        key: default["sft"][key] for key in ("epochs", "learning_rate", "batch_size")
    }


def test_each_file_says_in_its_first_line_for_whom_it_is() -> None:
    for folder, names in ((PROFILES, profile_names(ROOT)), (OVERLAYS, overlay_names(ROOT))):
        for name in names:
            assert len(first_comment(ROOT, name, folder)) > 20, name


def test_one_epoch_of_rm_r1_is_what_the_authors_scripts_run() -> None:
    def grpo(name: str) -> Any:
        return parse_yaml(composed(name), name)["grpo"]

    for name, rate, processes in (
        ("rm-r1-7b", 1e-6, 8),
        ("rm-r1-14b", 7e-7, 16),
        ("rm-r1-32b", 5e-7, 32),
        ("rm-r1-7b-deepseek", 1e-6, 8),
        ("rm-r1-14b-deepseek", 1e-6, 16),
        ("rm-r1-32b-deepseek", 8e-7, 32),
    ):
        settings = grpo(name)
        sampled = settings["batch_size"] * settings["steps_per_generation"]
        assert sampled == 1024 * settings["replies_per_prompt"]
        pairs = 73_000 if name.endswith("deepseek") else 64_226
        assert settings["steps"] // settings["steps_per_generation"] == pairs // 1024
        assert (settings["learning_rate"], settings["launch"]["processes"]) == (rate, processes)


def test_overlays_that_go_together_take_nothing_back_from_each_other() -> None:
    for stack in (
        ["lora", "one-gpu"],
        ["lora", "24gb"],
        ["lora", "eight-gpus"],
        ["own-files", "lora"],
        ["lora", "one-gpu", "policy-one-gpu"],
        ["eight-gpus", "policy-eight-gpus"],
    ):
        assert overridden(ROOT, stack) == []
    assert overridden(ROOT, ["one-gpu", "eight-gpus"])


def test_an_adapter_on_four_bits_comes_last_since_vllm_cannot_follow_it(tmp_path: Path) -> None:
    for one in ("24gb", "one-gpu"):
        (told,) = overridden(ROOT, [one, "qlora"])
        assert told.startswith(f"+qlora over +{one}: grpo.rollouts ")
    (refused,) = checked(tmp_path, composed("rm-r1-7b +qlora +24gb"))
    assert "rollouts.engine: vllm cannot follow `lora.quantise`" in refused
    assert "engine: transformers" in refused


def hardware(line: str) -> str:
    """The device that the first line of a profile or an overlay names, as `reasrm plan --device` takes it."""
    if nodes := re.search(r"(one|two|four) nodes? of eight (\d+) GB cards", line):
        return f"{nodes[2]}gb:{8 * {'one': 1, 'two': 2, 'four': 4}[nodes[1]]}"
    if card := re.search(r"one (\d+) GB card|One card of (\d+) GB", line):
        return f"{card[1] or card[2]}gb"
    assert "node of eight cards" in line or "CPU cores" in line, line
    return "80gb:8" if "eight cards" in line else "cpu-16gb"


SMOL, ON_NODE = "HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen2.5-14B-Instruct"
FITTING = [
    *((name, PROFILES / name, "") for name in profile_names(ROOT) if name.startswith(("rm-r1", "qwen3"))),
    ("smollm2", PROFILES / "smollm2", SMOL),
    ("pretrained", PROFILES / "pretrained", "Qwen/Qwen2.5-3B-Instruct"),
    ("pretrained +eight-gpus", OVERLAYS / "eight-gpus", ON_NODE),
    ("rm-r1-32b +lora +eight-gpus", OVERLAYS / "eight-gpus", ""),
    ("qwen3-1.7b +one-gpu", OVERLAYS / "one-gpu", ""),
    ("rm-r1-7b +lora +one-gpu", OVERLAYS / "one-gpu", ""),
    ("rm-r1-14b-deepseek +lora +one-gpu", OVERLAYS / "one-gpu", ""),
    ("rm-r1-32b +one-gpu +qlora", OVERLAYS / "one-gpu", ""),
    ("qwen3-1.7b +lora +24gb", OVERLAYS / "24gb", ""),
    ("pretrained +lora +24gb", OVERLAYS / "24gb", "Qwen/Qwen3-4B"),
    ("pretrained +24gb +qlora", OVERLAYS / "24gb", "Qwen/Qwen3-8B"),
    ("rm-r1-7b +24gb +qlora", OVERLAYS / "24gb", ""),
    ("smollm2 +policy-smollm2", OVERLAYS / "policy-smollm2", SMOL),
    ("pretrained +lora +one-gpu +policy-one-gpu", OVERLAYS / "policy-one-gpu", "Qwen/Qwen3-8B"),
    ("qwen3-1.7b +lora +24gb +policy-one-gpu", OVERLAYS / "24gb", ""),
    ("rm-r1-7b +policy-eight-gpus", OVERLAYS / "policy-eight-gpus", ""),
    ("pretrained +eight-gpus +policy-eight-gpus", OVERLAYS / "policy-eight-gpus", ON_NODE),
]


@pytest.mark.parametrize(("stack", "file", "model"), FITTING, ids=[" ".join(one[::2]) for one in FITTING])
def test_it_fits_the_hardware_that_its_first_line_names(stack: str, file: Path, model: str, tmp_path: Path) -> None:
    """By the formulas of `reasrm plan`, with the longest sequences; a few models stand for the lines' sizes."""
    device = described_device(hardware(first_comment(ROOT, file.name, file.parent)))
    stages = estimates(tmp_path, parse_yaml(composed(stack), stack), Wanted(device, model=model))["stages"]
    assert [stage["unknown"] for stage in stages if stage["unknown"]] == []
    assert {stage["stage"]: stage for stage in stages if stage["fits"] is False} == {}
    assert any(stage["stage"] == "grpo@full" and stage["memory"] for stage in stages)


def test_a_policy_after_rubric_arm_has_its_published_settings() -> None:
    """K, divergence and clip of both; the batch and the rate (ten times theirs, of an adapter) as each head says."""
    for stack, answers in (("qwen3-1.7b +lora +policy-one-gpu", 96), ("rm-r1-7b +policy-eight-gpus", 288)):
        document = parse_yaml(composed(stack), stack)
        policy = document["policy"]
        assert (policy["replies_per_prompt"], policy["kl_weight"], policy["epsilon_high"]) == (6, 0.001, 0.28)
        assert (policy["batch_size"], policy["learning_rate"], policy["lora"]["rank"]) == (
            answers,
            pytest.approx(10 * 5e-7),
            32,
        )
        assert document["policy_variants"]["reasrm-s0"]["scheme"] == "greedy_anchor"
        assert document["policy_scores"]["arms"] == list(document["policy_variants"]), "what is trained is measured"
        alone = policy["launch"]["processes"] == 1
        assert (document["policy_running"]["judge_url"] is None) == alone, "several processes would each hold the judge"


def test_judging_on_dev_is_there_wherever_one_process_has_whole_weights() -> None:
    for stack in (name for name in STACKS if name.startswith(("rm-r1", "qwen3", "pretrained"))):
        settings = parse_yaml(composed(stack), stack)
        for stage in ("sft", "answer_sft", "scalar_rm", "grpo"):
            cut = settings[stage]["launch"]["strategy"] == "fsdp2"
            assert (settings[stage]["dev"] is None) == cut, (stack, stage)


def test_the_base_judges_by_the_same_habits_where_the_types_are_finer() -> None:
    """The overlay repeats the shares of `full`, since no profile can refer to what it is laid over."""
    overlay = parse_yaml((ROOT / OVERLAYS / "full-categories.yaml").read_text(encoding="utf-8"), Path("overlay"))
    works = parse_yaml(MINIATURE, Path("params.yaml"))["base_model"]["habits"]["works"]
    assert overlay["base_model"]["habits"]["works"]["full_categories"] == works["full"]
