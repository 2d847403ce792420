"""The front door: starts fast and light, exits with what happened, hands words on unchanged."""

import subprocess
import sys
from pathlib import Path

import pytest
from toy_project import environment

HEAVY = {"torch", "transformers", "trl", "vllm", "prefect", "anthropic", "openai", "dvc", "datasets", "numpy", "ruamel"}


def reasrm(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flows.cli", *words]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)


def test_the_command_line_loads_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys, flows.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert not HEAVY & set(done.stdout.split())


def test_help_names_every_word(tmp_path: Path) -> None:
    done = reasrm("--help", cwd=tmp_path)
    assert done.returncode == 0
    for word in (
        "run",
        "plan",
        "status",
        "cancel",
        "ui",
        "doctor",
        "profile",
        "serve",
        "oracle",
        "judge",
        "score",
        "compare",
    ):
        assert f" {word} " in done.stdout


def test_outside_a_project_it_says_where_to_go(tmp_path: Path) -> None:
    done = reasrm("run", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("reasrm: no dvc.yaml in")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [("run", "--nonsense"), ("nonsense",), ("run", "--jobs", "0"), ("run", "--budget-usd", "-1")]
)
def test_wrong_words_are_status_two(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert reasrm(*words, cwd=tmp_path).returncode == 2


def test_words_and_status_are_handed_on_unchanged(tmp_path: Path) -> None:
    """The stage's own command line answers, with its own help and its own status."""
    helped = reasrm("oracle", "--help", cwd=tmp_path)
    assert helped.returncode == 0
    assert "--pairs" in helped.stdout
    wrong = reasrm("oracle", "--no-such-option", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "--no-such-option" in wrong.stderr or "required" in wrong.stderr


def test_cancel_without_a_run_says_so(toy: Path) -> None:
    done = reasrm("cancel", cwd=toy)
    assert done.returncode == 1
    assert "no run of the pipeline is alive" in done.stderr


def test_a_broken_pipeline_is_told_in_one_line(toy: Path) -> None:
    (toy / "dvc.yaml").write_text("stages: [\n")
    done = reasrm("run", cwd=toy)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "dvc.yaml" in done.stderr
