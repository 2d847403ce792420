"""The project's own profiles and overlays: each stage takes them, alone and in the stacks that make sense."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flows.profile import ProfileChoice, compose, named_choice
from flows.settings.faults import faults
from flows.settings.profile_layers import OVERLAYS, PROFILES, first_comment, overlay_names, overridden, profile_names
from reasrm.runtime.yaml_files import parse_yaml

ROOT = Path(__file__).parents[2]
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
]
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


@pytest.mark.parametrize("stack", STACKS)
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
        for key in ("title", "summary", "notes", "reproduce", "planted", "families", "reference_run"):
            assert not report[key] or report[key] != before["report"][key], key


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
