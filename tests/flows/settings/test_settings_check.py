"""Wrong words in params.yaml are told before anything runs: each stage's own classes, and rules between sections."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.running.stage_outcome import FlowError
from flows.settings.check import WrongSetting, refuse, wrong_settings
from flows.settings.faults import faults
from flows.settings.profile import ProfileChoice, compose
from reasrm.runtime.yaml_files import parse_yaml, read_yaml, write_yaml
from tests.flows.settings.test_profile import commit
from tests.flows.toy_project import environment

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The checkout's stages and settings, without its data and history."""
    for part in ("stages", "flows", "reasrm", "revisions", "locks"):
        (tmp_path / part).symlink_to(ROOT / part)
    for part in ("params.yaml", "dvc.yaml"):
        (tmp_path / part).write_bytes((ROOT / part).read_bytes())
    return tmp_path


def change(root: Path, **settings: Any) -> None:
    """Set `section__key=value`; a section itself by `section=value`."""
    document = read_yaml(root / "params.yaml")
    for name, value in settings.items():
        *path, last = name.split("__")
        place = document
        for key in path:
            place = place[key]
        place[last] = value
    write_yaml(root / "params.yaml", document)


def lines(root: Path) -> list[str]:
    return [str(one) for one in faults(root)]


def test_the_miniature_has_no_wrong_setting(root: Path) -> None:
    assert faults(root) == []


def test_all_wrong_words_are_told_together_where_they_stand(root: Path) -> None:
    change(
        root,
        grpo__loss_type="dapoo",
        grpo_variants__cold_start__rewards={"verdit": 1.0},
        sft__learning_rate=-1.0,
        sft__learnig_rate=1.0,
        answer_sft__batch_size=30,
        answer_sft__micro_batch_size=4,
        scalar_rm__launch={"processes": 4, "strategy": "single"},
        judge_variants__base__kind="generativ",
        judg={},
        distill_traces_asking__mode="slow",
    )
    told = lines(root)
    for start in (
        "judg: no stage reads such a section; `judge` is one",
        "distill_traces_asking.mode is slow: Input should be 'online' or 'batch'",
        "grpo_variants.cold_start.rewards is {'verdit': 1.0}: no reward term verdit; there are answer",
        "judge_variants.base.kind is generativ: Input should be 'generative' or 'scalar'",
        "sft.learning_rate is -1.0: Input should be greater than 0",
        "sft.learnig_rate is 1.0: there is no such setting; `learning_rate` is one",
        "grpo.loss_type is dapoo: Input should be 'grpo', 'dapo'",
        "answer_sft_variants.all is: batch_size (30) must be a multiple of micro_batch_size (4): ",
        "scalar_rm.launch is {'processes': 4, 'strategy': 'single'}: 4 processes need a strategy other than `single`",
    ):
        assert [line for line in told if line.replace("all: ", "all is: ").startswith(start)], start
    assert len(told) == 9, "a common fault of several variants is told once"


def test_what_one_section_says_of_another_must_be_there(root: Path) -> None:
    change(
        root,
        judge_variants__sft__checkpoint="data/checkpoints/grpo-fulll",
        probe_variants__base__checkpoint="data/checkpoints/sft",
        probe_variants__gone={"checkpoint": "data/checkpoints/base"},
        probe__suite={"charm": {}},
        grpo_variants__full__start="sfd",
        score__models=["base", "sft", "grpo-full", "grpo-cold_start", "answer_sft-all", "gone"],
        report__lead="scalar_rm",
        report__differences=[["sft", "nobody"]],
        filter_traces__prompt_variant="rubrics",
    )
    told = lines(root)
    made = "data/checkpoints/answer_sft-all, data/checkpoints/base, data/checkpoints/grpo-cold_start"
    assert (
        f"judge_variants.sft.checkpoint is data/checkpoints/grpo-fulll: no stage makes it; there are {made}" in told[1]
    )
    assert "grpo_variants.full.start is sfd: data/checkpoints/sfd is made by no stage" in told[0]
    places = list(dict.fromkeys(line.partition(" is ")[0] for line in told))
    assert "probe.suite is {'charm': {}}: `probe.suite` names charm; the probes are order" in told[2]
    assert "probe_variants.base.checkpoint is data/checkpoints/sft: it is judged with data/checkpoints/base" in told[3]
    assert told[5].startswith("probe_variants.gone: `judge_variants` has no such model, only base, sft")
    assert places[2:] == [
        "probe.suite",
        "probe_variants.base.checkpoint",
        "probe_variants.sft.checkpoint",
        told[5],
        "score.models",
        "filter_traces.prompt_variant",
        "report.models",
        "report.lead",
        "report.differences.0",
    ]


def test_what_a_variant_starts_from_and_learns_must_be_there(root: Path) -> None:
    verdicts = {
        "gone": {"start": "sfd", "pairs": ["distill"]},
        "unknown": {"start": "base", "pairs": ["distil"]},
        "empty": {"start": "base", "pairs": []},
        "dev": {"start": "base", "pairs": ["dev"]},
        "bare": {"pairs": ["distill"]},
        "scalar": {"start": "scalar_rm", "pairs": ["distill"]},
    }
    change(root, answer_sft_variants={"all": {"start": "base", "pairs": ["distill"]}, **verdicts})
    change(root, grpo__pairs=["reinforced"], grpo_variants__cold_start__pairs=["reinforce", "reinforce"])
    told = lines(root)
    for start in (
        "grpo.pairs.0 is reinforced: Input should be 'distill', 'reinforce'",
        "grpo_variants.cold_start.pairs is ['reinforce', 'reinforce']: a purpose is named twice",
        "answer_sft_variants.gone.start is sfd: data/checkpoints/sfd is made by no stage; there are answer_sft-all, ",
        "answer_sft_variants.scalar.start is scalar_rm: data/checkpoints/scalar_rm is a scalar model, which writes no ",
        "answer_sft_variants.unknown.pairs.0 is distil: Input should be 'distill', 'reinforce'",
        "answer_sft_variants.empty.pairs is []: no purpose is named",
        "answer_sft_variants.dev.pairs is ['dev']: nothing is trained on dev pairs",
        "answer_sft.start: it is missing",
    ):
        assert [line for line in told if line.startswith(start)], (start, told)
    assert len(told) == 8, told


def test_a_variant_of_pairs_that_nothing_is_given_to_is_refused(root: Path) -> None:
    change(root, collect_pairs__counts={"distill": 8000, "reinforce": 0, "dev": 600})
    problem = "is reinforce: `collect_pairs.counts` gives no pair to that: name another purpose, or give it some"
    assert lines(root) == [f"grpo.pairs {problem}"], "cold starts and answer-only SFT read those to distill too"
    (wrong,) = faults(root)
    assert wrong.stage == "grpo@full"
    change(root, grpo_variants__cold_start__pairs=["reinforce"])
    assert f"grpo_variants.cold_start.pairs {problem}" in lines(root)


def test_the_miniatures_rates_and_lengths_are_refused_for_a_published_model(root: Path) -> None:
    change(root, base_model__source="hub", base_model__model="Qwen/Qwen3-1.7B", base_model__revision="main")
    told = lines(root)
    (revision,) = [line for line in told if line.startswith("base_model.revision")]
    assert "`git ls-remote https://huggingface.co/Qwen/Qwen3-1.7B HEAD` prints one" in revision
    refused = {line.partition(" is ")[0] for line in told if "`reasrm profile use pretrained` has values" in line}
    assert refused == {
        *(f"{stage}.learning_rate" for stage in ("sft", "grpo", "answer_sft", "scalar_rm")),
        *(f"{stage}.max_tokens" for stage in ("sft", "answer_sft", "scalar_rm")),
        "grpo.max_prompt_tokens",
        "judge.max_context_tokens",
    }


BASE = "data/checkpoints/base"
ARM = {
    "arm": "reasrm", "seed": 0, "prompts": "world", "start": BASE, "reward": "judge", "judge": "grpo-full",
    "checkpoint": "data/checkpoints/grpo-full", "scheme": "knockout",
}  # fmt: skip


def test_what_a_policy_says_of_its_judge_start_and_prompts_must_be_there(root: Path) -> None:
    arms = {
        "whole-s0": ARM,
        "gone-s0": ARM | {"judge": "grpo-gone"},
        "other-s0": ARM | {"judge": "sft"},
        "scores-s0": ARM | {"scheme": "own_scores"},
        "prompts-s0": ARM | {"prompts": "pairs"},
        "start-s0": ARM | {"start": "models/none"},
        "folder-s0": ARM | {"start": "models/own"},
        "random-s0": ARM | {"reward": "random", "scheme": ""},
    }
    (root / "models/own").mkdir(parents=True)
    (root / "models/own/config.json").write_text("{}")
    change(root, policy_prompts_variants={"world": {"source": "world"}}, policy_variants=arms)
    told = lines(root)
    for start in (
        "policy_variants.gone-s0.judge is grpo-gone: `judge_variants` has no such model, only base, sft, grpo-full",
        "policy_variants.other-s0.checkpoint is data/checkpoints/grpo-full: sft is judged with data/checkpoints/sft",
        "policy_variants.scores-s0.scheme is own_scores: grpo-full compares answers and gives no scores",
        "policy_variants.prompts-s0.prompts is pairs: `policy_prompts_variants` has no such set, only world",
        "policy_variants.start-s0.start is models/none: no stage makes it, and it is no folder of a model",
    ):
        assert [line for line in told if line.startswith(start)], (start, told)
    assert len(told) == 5, told
    assert {one.stage for one in faults(root)} == {f"policy@{name}-s0" for name in told_arms(told)}


def test_what_is_scored_must_be_trained(root: Path) -> None:
    change(root, policy_scores__arms=["reasrm-s0"])
    (told,) = [line for line in lines(root) if line.startswith("policy_scores")]
    assert told.startswith("policy_scores.arms is reasrm-s0: `policy_variants` has no such training, none at all")


def told_arms(told: list[str]) -> set[str]:
    return {line.removeprefix("policy_variants.").partition("-s0")[0] for line in told}


def test_the_miniatures_policy_is_refused_for_a_published_model_once_there_is_an_arm(root: Path) -> None:
    change(root, base_model__source="hub", base_model__model="Qwen/Qwen3-1.7B", base_model__revision="0" * 40)
    assert not [line for line in lines(root) if line.startswith("policy")]
    change(root, policy_prompts_variants={"world": {"source": "world"}}, policy_variants={"reasrm-s0": ARM})
    refused = {line.partition(" is ")[0] for line in lines(root) if line.startswith("policy")}
    assert refused == {"policy.learning_rate", "policy.max_prompt_tokens"}


def test_the_miniatures_words_are_refused_for_another_run(root: Path) -> None:
    commit(root)
    change(root, collect_pairs__source="files")
    assert {line.partition(" is ")[0] for line in lines(root)} == {
        f"report.{key}"
        for key in ("title", "summary", "notes", "reproduce", "families", "slices", "policy_planted", "reference_run")
    }
    change(root, report__summary="Ours.", report__families={}, report__slices="", report__reference_run=None)
    change(root, report__policy_planted="")
    change(root, report__title=None, report__notes=None, report__reproduce=None)
    assert lines(root) == []


def test_sections_of_the_wrong_type_are_told_and_break_nothing(root: Path) -> None:
    change(root, score=3, judge_variants=None, report={"models": 1, "differences": 2}, grpo_variants__full=None)
    assert [line for line in lines(root) if line.startswith("score: a mapping of settings is needed")]
    change(root, base_model=None, report=None, grpo=None)
    needed = [line.partition(":")[0] for line in lines(root) if "a mapping of settings is needed" in line]
    assert {"base_model", "report", "grpo"} < set(needed)
    assert "grpo_variants.cold_start" not in needed, "the common section is what is wrong"


def test_a_profile_may_be_wrong_in_its_types_and_is_written(root: Path) -> None:
    (root / "profiles").mkdir()
    (root / "profiles/none.yaml").write_text("base_model: null\nreport: null\n")
    document = parse_yaml(compose(root, ProfileChoice("none")), "params.yaml")
    assert (document["base_model"], document["report"]) == (None, None)


@pytest.mark.slow
def test_words_that_only_the_libraries_know_are_told_too(root: Path) -> None:
    change(
        root,
        sft__optim="adamw_tosch",
        sft__trl={"adam_beta2": 0.95, "nonsense": 1},
        grpo__trl={"loss_type": "grpo", "top_p": "high"},
        scalar_rm__trl={"center_rewards_coefficient": 0.01},
        answer_sft__lr_scheduler_type="cosinus",
        base_model__lr_scheduler_kwargs={"min_rate": 0.1},
    )
    told = lines(root)
    for start in (
        "sft.optim is adamw_tosch: transformers has no such optimiser; it has adamw_torch",
        "sft.trl.nonsense is 1: is no argument of this training's config class in TRL",
        "grpo.trl.loss_type is grpo: is decided by `loss_type` of the same section",
        "grpo.trl.top_p is high: ",
        "answer_sft.lr_scheduler_type is cosinus: transformers has no such schedule; there are linear",
        "base_model.lr_scheduler_kwargs.min_rate is 0.1: the schedule cosine_with_min_lr takes no such argument",
    ):
        assert [line for line in told if line.startswith(start)], (start, told)
    assert len(told) == 6


def test_only_the_stages_that_are_asked_for_count() -> None:
    wrong = [WrongSetting("sft", "sft.seed", "x", "no"), WrongSetting("grpo@full", "grpo_variants.full.x", "1", "no")]
    refuse(wrong, ["base_model", "grpo@cold_start"])
    with pytest.raises(FlowError, match="1 wrong setting; nothing was run"):
        refuse(wrong, ["sft"])
    with pytest.raises(FlowError, match="2 wrong settings"):
        refuse(wrong, ["sft", "grpo@full"])
    with pytest.raises(FlowError, match="1 wrong setting"):
        refuse([WrongSetting("", "judg", "", "no such section")], ["base_model"])


@pytest.mark.slow
def test_the_check_runs_beside_and_a_broken_file_is_one_line(root: Path) -> None:
    change(root, sft__seed="x")
    assert [one.setting for one in wrong_settings(root)] == ["sft.seed"]
    (root / "params.yaml").write_text("a: [\n")
    with pytest.raises(FlowError, match=r"the settings cannot be checked \(params\.yaml line 2"):
        wrong_settings(root)
    assert wrong_settings(root / "stages") == [], "a project without stages of its own has no classes to check by"


@pytest.mark.slow
def test_plan_and_run_refuse_and_profile_use_warns(root: Path) -> None:
    def reasrm(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reasrm.cli", *words]
        return subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)

    for words in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(words, cwd=root, check=True, env=environment())
    used = reasrm("profile", "use", "miniature", "--set", "sft.learning_rate=-1")
    assert used.returncode == 0, used.stderr
    assert "params.yaml: sft.learning_rate is -1" in used.stderr
    for command in ("plan", "run"):
        done = reasrm(command)
        assert done.returncode == 1, done.stderr
        assert "params.yaml: sft.learning_rate is -1" in done.stderr
        assert "1 wrong setting; nothing was run" in done.stderr
        assert "Traceback" not in done.stderr
    change(root, report__reference_run__date=date(2026, 11, 26))
    for command in ("plan", "run", "status"):
        done = reasrm(command)
        assert done.returncode == 1, done.stderr
        assert "report.reference_run.date" in done.stderr
        assert "Traceback" not in done.stderr
