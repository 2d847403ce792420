"""The command `reasrm publish`: wrong usage, what is out of date, a dry run, an upload to a hub on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.real_project import copy_pipeline
from tests.flows.toy_project import environment
from tests.publishing.finished_project import write_project
from tests.publishing.local_hub import local_hub


def publish(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reasrm.cli", "publish", *words]
    surroundings = environment() | {"PYTHONPATH": os.pathsep.join(sys.path)} | variables
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_wrong_usage_is_told_in_one_line(tmp_path: Path) -> None:
    for words, status, said in [
        (("sft", "--push"), 2, "--push needs --hub OWNER/NAME"),
        (("sft", "--hub", "no slash"), 2, "--hub takes OWNER/NAME"),
        (("sft", "--license", "Apache 2.0"), 2, "--license takes a licence as the hub names it"),
        (("sft",), 1, "no dvc.yaml in"),
    ]:
        done = publish(*words, folder=tmp_path)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith(f"reasrm publish: {said}")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_what_is_out_of_date_is_published_only_where_that_is_asked_for(checkpoint: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    copy_pipeline(root)
    write_project(root, checkpoint)
    assert "there are base, sft: train it" in publish("absent", folder=root).stderr
    refused = publish("sft", folder=root)
    assert refused.returncode == 1
    assert refused.stderr.startswith("reasrm publish: sft is out of date: ")
    assert not (root / "published").exists()
    inside = publish("sft", "--stale", "--folder", "data/checkpoints/mine", folder=root)
    assert (inside.returncode, "data/ holds what stages make" in inside.stderr) == (1, True)
    assert not (root / "data/checkpoints/mine").exists()
    with local_hub() as hub:
        known = {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_a_token_of_the_test", "HF_HUB_OFFLINE": "0"}
        dry = publish("sft", "--stale", "--hub", "someone/judge", folder=root, **known)
        assert (dry.returncode, hub.created) == (0, [])
        assert "left out: training_args.bin" in dry.stdout
        assert "nothing was uploaded" in dry.stdout
        done = publish("sft", "--stale", "--hub", "someone/judge", "--push", folder=root, **known)
    assert done.returncode == 0, done.stderr
    assert "model.safetensors" in hub.files
    card = hub.files["README.md"].decode()
    assert "**Out of date when published.**" in card
    assert "75.0" not in card
