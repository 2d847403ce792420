"""A policy whose judge is served: what is no address is told, and a judge out of reach stops it resumably."""

import socket
from pathlib import Path
from typing import Any

import pytest

from reasrm.runtime.stage_main import StoppedResumable
from reasrm.runtime.yaml_files import write_yaml
from stages.policy import PolicyParams, PolicyRunningParams, opened_reward
from tests.preflight.test_stage_settings import ARMS
from tests.training.stage_runs import PARAMS


def served_at(folder: Path, url: str) -> None:
    running = PARAMS["policy_running"] | {"judge_url": url, "patience_seconds": 0.3}
    document: dict[str, Any] = {**PARAMS, **ARMS, "policy_running": running}
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
            opened_reward("reasrm-s0", PolicyParams.load("reasrm-s0")),
        ):
            raise AssertionError("nobody rewards")


@pytest.mark.parametrize("url", ["127.0.0.1:8765", "http://judge/compare", "http://user@judge", "file:///judge"])
def test_what_is_no_address_of_a_judge_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    served_at(tmp_path, url)
    with pytest.raises(ValueError, match="judge_url"):
        PolicyRunningParams.load()
