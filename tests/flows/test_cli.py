"""The front door: starts fast and light, exits with what happened, passes arguments on unchanged."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.toy_project import environment

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "trl", "vllm", "prefect", "anthropic", "openai", "dvc", "datasets", "numpy", "ruamel"}


def reasrm(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reasrm.cli", *words]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)


def test_the_command_line_loads_nothing_heavy() -> None:
    program = "import sys, reasrm.cli, flows.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("module", ["flows.settings.faults", "reasrm.preflight.plan"])
def test_what_a_plan_asks_loads_no_model_library_and_no_statistics(module: str) -> None:
    program = f"import sys, {module}\nprint(*sys.modules)"
    if module.startswith("flows"):
        program = program.replace("\n", "; from pathlib import Path; flows.settings.faults.faults(Path())\n")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"torch", "transformers", "trl", "vllm", "scipy.stats", "datasets"} & set(done.stdout.split())


def test_help_names_every_command(toy: Path) -> None:
    done = reasrm("--help", cwd=toy)
    assert done.returncode == 0
    for word in (
        "run",
        "plan",
        "ablate",
        "improve",
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


def test_outside_a_clone_it_says_where_to_go(tmp_path: Path) -> None:
    done = reasrm("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "`reasrm run` works in a clone of the project" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [("run", "--nonsense"), ("nonsense",), ("run", "--jobs", "0"), ("run", "--budget-usd", "-1"), ("ablate", "table9")],
)
def test_wrong_usage_is_status_two(toy: Path, words: tuple[str, ...]) -> None:
    assert reasrm(*words, cwd=toy).returncode == 2


def test_arguments_and_status_are_passed_on_unchanged(tmp_path: Path) -> None:
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


def test_a_broken_pipeline_is_one_line(toy: Path) -> None:
    (toy / "dvc.yaml").write_text("stages: [\n")
    done = reasrm("run", cwd=toy)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "dvc.yaml" in done.stderr


def test_the_front_door_knows_the_pipelines_commands() -> None:
    from flows.cli import app
    from reasrm.cli import PIPELINE_COMMANDS

    groups = [group.name for group in app.registered_groups]
    commands = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert sorted(PIPELINE_COMMANDS) == sorted([*groups, *commands])
