"""A policy trained by a judge through its stage: same bytes after kill -9, nothing judged twice, stops explained."""

import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from reasrm.records.jsonl import read_records
from reasrm.records.policy import PolicyAnswer, PolicyCheck, PolicyOutcome, PolicyPrompt
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.training.stage_runs import fingerprint, run, start, summary

pytestmark = pytest.mark.slow
BASE, START = "data/checkpoints/base", "data/checkpoints/policy_start-small"
ARM = {"arm": "judged", "prompts": "small", "start": START, "checkpoint": BASE}
SMALL = {
    "steps": 6, "batch_size": 12, "replies_per_prompt": 4, "max_reply_tokens": 40, "save_every": 2,
    "collapse": {"steps": 2, "least_sd": 0.0, "most_without_signal": 1.0}, "judge_tokens": None,
    "checks": {"every": 2, "samples": 2, "batch_size": 16, "batch_tokens": 4096},
}  # fmt: skip


@pytest.fixture(scope="module")
def policies(project: Path) -> Path:
    """The project with prompts, a base that writes judgments, and a start that answers, both badly."""
    folder = project.with_name("policies")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("work", "sft", "grpo-*", "base"))
    params = read_yaml(folder / "params.yaml")
    params["base_model"] |= {"documents": 3200, "save_every": 50, "log_every": 10}
    params["policy_start"] |= {"documents": 1600, "batch_size": 16, "learning_rate": 3e-3}
    params["policy_start_variants"] = {"small": {"start": "base"}}
    params["policy"] |= SMALL
    params["policy_prompts_variants"] = {"small": {"source": "world"}}
    params["policy_prompts"]["counts"] = {
        split: {"dial": 6, "turn": 6, "boxes": 6, "chat": 6, "safe": 6} for split in ("train", "eval")
    }
    judged = ARM | {"reward": "judge", "judge": "base", "scheme": "greedy_anchor"}
    params["policy_variants"] = {
        "judged": judged,
        "poor": judged | {"judge_tokens": 1},
        "random": judged | {"arm": "random", "reward": "random", "scheme": ""},
    }
    write_yaml(folder / "params.yaml", params)
    (folder / "data/raw").mkdir(parents=True, exist_ok=True)
    run(folder, "stages.base_model")
    run(folder, "stages.policy_start", "small")
    run(folder, "stages.policy_prompts", "small", "--files", "data/raw")
    return folder


def read_answers(folder: Path) -> Iterator[tuple[PolicyCheck, list[PolicyAnswer]]]:
    for check in read_records(folder / "steps.jsonl", PolicyCheck):
        yield check, list(read_records(folder / f"{check.step:05d}.jsonl", PolicyAnswer))


def keys(ledger: Path) -> Counter[Any]:
    return Counter(orjson.loads(line)["key"] for line in ledger.read_bytes().splitlines())


@pytest.mark.timeout(900)
def test_after_a_kill_the_same_bytes_and_nothing_judged_twice(policies: Path) -> None:
    out, work, ledger = (policies / name for name in ("data/policies/judged", "work/policy-judged", "ledgers"))
    run(policies, "stages.policy", "judged")
    whole, asked = fingerprint(out), keys(ledger / "policy-judged.jsonl")
    assert not work.exists(), "what a successful training leaves in work/ is removed"
    assert set(asked.values()) == {1}
    shutil.rmtree(out)
    shutil.rmtree(ledger)
    process = start(policies, "stages.policy", "judged")
    while process.poll() is None and not list(work.glob("*/checkpoint-2/trainer_state.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "checkpoint").exists(), "the training was over before it could be killed: make it longer"
    run(policies, "stages.policy", "judged")
    assert fingerprint(out) == whole
    assert keys(ledger / "policy-judged.jsonl") == asked

    prompts = list(read_records(out / "answers/prompts.jsonl", PolicyPrompt))
    checks = list(read_answers(out / "answers"))
    assert [check.step for check, _ in checks] == [0, 2, 4, 6]
    for check, answers in checks:
        assert [(one.prompt_id, one.sample) for one in answers] == [(one.id, at) for one in prompts for at in (0, 1)]
        assert all(one.proxy in {0.0, 0.25, 0.5, 0.75, 1.0} for one in answers)
        if check.step == 0:
            assert all(one.logprob == pytest.approx(one.start_logprob, abs=1e-3) for one in answers)
    tokens = [check.judge_prompt_tokens for check, _ in checks]
    assert tokens[0] == 0 < tokens[1] < tokens[2] < tokens[3]
    outcome = PolicyOutcome.model_validate_json((out / "answers/outcome.json").read_bytes())
    assert (outcome.steps, outcome.stopped, outcome.judge) == (6, "", "base")


@pytest.mark.timeout(900)
def test_an_arm_stops_at_the_budget_and_says_so(policies: Path) -> None:
    said = summary(policies, "stages.policy", "poor")
    assert "1 of 6 updates, stopped after update 1: the judge's budget is spent" in said
    outcome = PolicyOutcome.model_validate_json((policies / "data/policies/poor/answers/outcome.json").read_bytes())
    assert (outcome.steps, outcome.collapsed) == (1, False)
    assert [check.step for check, _ in read_answers(policies / "data/policies/poor/answers")] == [0, 1]


@pytest.mark.timeout(900)
def test_all_arms_of_a_seed_start_with_the_same_answers(policies: Path) -> None:
    if not (policies / "data/policies/poor").exists():  # the test above may have run in another process
        run(policies, "stages.policy", "poor")
    run(policies, "stages.policy", "random")
    first = {
        arm: [one.text for one in read_records(policies / f"data/policies/{arm}/answers/00000.jsonl", PolicyAnswer)]
        for arm in ("poor", "random")
    }
    assert first["poor"] == first["random"]


def test_another_checkpoint_than_the_judges_is_refused(policies: Path) -> None:
    params = read_yaml(policies / "params.yaml")
    params["policy_variants"]["judged"]["checkpoint"] = START
    folder = policies.with_name("other_judge")
    shutil.copytree(policies, folder, ignore=shutil.ignore_patterns("work", "policies"))
    write_yaml(folder / "params.yaml", params)
    process = start(folder, "stages.policy", "judged", stderr=-1)
    said = process.communicate()[1].decode()
    assert process.returncode == 1
    assert f"checkpoint is {START}, and base is judged with data/checkpoints/base" in said
