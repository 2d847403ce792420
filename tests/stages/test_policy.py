"""A policy whose judge is served: what is no address is told, and a judge out of reach stops it resumably."""

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from reasrm.runtime.stage_main import StageError, StoppedResumable
from reasrm.runtime.yaml_files import write_yaml
from stages.policy import PolicyParams, PolicyRunningParams, opened_judge
from tests.fixtures.serve_judge_process import serving
from tests.preflight.test_stage_settings import ARMS
from tests.training.stage_runs import PARAMS


def served_at(folder: Path, url: str, **further: Any) -> None:
    running = PARAMS["policy_running"] | {"judge_url": url, "patience_seconds": 0.3}
    document: dict[str, Any] = {**PARAMS, **ARMS, "policy_running": running, **further}
    write_yaml(folder / "params.yaml", document)


def test_a_served_judge_that_is_out_of_reach_stops_the_training_resumably(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as unused:  # bound and never listening, so no other process answers there
        unused.bind(("127.0.0.1", 0))
        served_at(tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}")
        with (
            pytest.raises(StoppedResumable, match=r"the served judge gives no reward: .*out of reach"),
            opened_judge("reasrm-s0", PolicyParams.load("reasrm-s0")),
        ):
            raise AssertionError("nobody rewards")


@pytest.mark.parametrize("url", ["127.0.0.1:8765", "http://judge/compare", "http://user@judge", "file:///judge"])
def test_what_is_no_address_of_a_judge_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    served_at(tmp_path, url)
    with pytest.raises(ValueError, match="judge_url"):
        PolicyRunningParams.load()


@pytest.mark.slow
def test_a_judge_served_with_other_weights_or_another_prompt_is_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other"
    shutil.copytree(checkpoint, other)
    (other / "README").write_text("one more file")

    def reward(url: str, folder: Path, prompt: str, max_new_tokens: int = 8) -> None:
        drawn = {"max_new_tokens": max_new_tokens, "token_budgets": []}
        arm = ARMS["policy_variants"]["reasrm-s0"] | {"checkpoint": str(folder)}
        judge = PARAMS["judge_variants"]["grpo-full"] | {"checkpoint": str(folder), "prompt": prompt} | drawn
        served_at(tmp_path, url, policy_variants={"reasrm-s0": arm}, judge_variants={"grpo-full": judge})
        with opened_judge("reasrm-s0", PolicyParams.load("reasrm-s0")):
            pass

    with serving("--model", str(checkpoint), "--variant", "plain", "--max-new-tokens", "8") as served:
        reward(served.url, checkpoint, "plain")
        with pytest.raises(StageError, match="serves a judge with weights"):
            reward(served.url, other, "plain")
        with pytest.raises(StageError, match=r"form is .*'plain'.* there and .*'full'"):
            reward(served.url, checkpoint, "full")
        with pytest.raises(StageError, match=r"samplings is .*'max_new_tokens': 8.* there and .*'max_new_tokens': 9"):
            reward(served.url, checkpoint, "plain", 9)
