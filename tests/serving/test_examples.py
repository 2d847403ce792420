"""The files of `examples/`, as users run them, against a service with a scripted judge."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reasrm.records.comparison import Side
from tests.fixtures.judge_server import judge_server, served_file
from tests.fixtures.serve_judge_process import ROOT, ServedProcess, serving
from tests.fixtures.tiny_prompts import sentence

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"
LONGEST_TRL_EXAMPLE = 40


def polite(answers: dict[Side, str]) -> str:
    """Prefers the answer that is sorry, else the longer one."""
    sorry = "Sorry" in answers[Side.A] + answers[Side.B]
    value = {side: ("Sorry" in text) if sorry else len(text) for side, text in answers.items()}
    return f"<answer>[[{Side.A if value[Side.A] >= value[Side.B] else Side.B}]]</answer>"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProcess]:
    folder = tmp_path_factory.mktemp("service")
    arguments = ("--end-of-reply", "<|im_end|>")
    with judge_server(polite) as url, serving("--served", str(served_file(folder, url)), *arguments) as served:
        yield served


def run(name: str, *arguments: str, folder: Path, **environment: str) -> str:
    surroundings = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=folder,
        env=os.environ | surroundings | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "path"),
    [("openrlhf_remote_rm.py", "/get_reward"), ("nemo_gym_compare.py", "/compare"), ("verl_reward.py", "")],
)
def test_what_other_trainers_send_is_rewarded(service: ServedProcess, tmp_path: Path, name: str, path: str) -> None:
    arguments = ("--url", service.url + path) if path else ()
    printed = run(name, *arguments, folder=tmp_path, JUDGE_URL=service.url).splitlines()
    assert printed[0].startswith("('Sorry, ")
    assert printed[0].endswith(", 1.0)")
    assert printed[1].endswith(", -1.0)")


def test_a_policy_is_trained_by_trl_against_the_service(
    service: ServedProcess, tmp_path: Path, checkpoint: Path
) -> None:
    assert len((EXAMPLES / "trl_grpo.py").read_text(encoding="utf-8").splitlines()) <= LONGEST_TRL_EXAMPLE
    rows = [{"prompt": [{"role": "user", "content": sentence(number, 3)}], "source": "s"} for number in range(8)]
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    before = service.metric('reasrm_comparisons_total{source="judged"}')
    arguments = ("--policy", str(checkpoint), "--questions", str(questions), "--judge", service.url, "--steps", "2")
    printed = run("trl_grpo.py", *arguments, "--out", str(tmp_path / "out"), folder=tmp_path)
    assert "rewards/judge_reward/mean" in printed
    assert service.metric('reasrm_comparisons_total{source="judged"}') - before > 2 * 4
    assert (tmp_path / "out/checkpoint-2").is_dir()
