"""`reasrm ablate` on toy judges: shared caches, resuming, exit statuses, and the table that comes out."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.running.pipeline_run import RUN_LOCK
from reasrm.runtime.process_lock import holding_process
from reasrm.runtime.yaml_files import write_yaml
from reasrm.scoring.ablation_table import finding
from tests.flows.processes import LONG, survivors
from tests.flows.toy_ablation import PARAMS
from tests.flows.toy_project import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TWO_ROWS = ("--only", "base", "--only", "grpo-full")
Ablate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(ablation_project: Path) -> Path:
    return ablation_project


@pytest.fixture
def surroundings(server_port: int) -> dict[str, str]:
    return environment() | {"PREFECT_SERVER_API_PORT": str(server_port)}


@pytest.fixture
def reasrm(project: Path, surroundings: dict[str, str]) -> Ablate:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reasrm.cli", *words]
        return subprocess.run(command, cwd=project, env=surroundings, capture_output=True, text=True, check=False)

    return call


def ran(folder: Path) -> list[str]:
    """The stages that ran in a folder, by their first words."""
    file = folder / "stages.run"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def test_nothing_is_computed_twice_and_the_table_says_what_was_measured(project: Path, reasrm: Ablate) -> None:
    assert reasrm("run", "--to", "judge@base", "--to", "judge@grpo-full").returncode == 0
    own = {name: (project / name).read_bytes() for name in ("params.yaml", "dvc.lock", "stages.run")}
    workspaces = [project / f"work/ablations/table2-seed-{seed}" for seed in (0, 1)]

    forecast = reasrm("ablate", "table2", "--seeds", "2", *TWO_ROWS, "--dry-run", "--json")
    assert forecast.returncode == 0, forecast.stderr
    assert [one["runs"] for one in json.loads(forecast.stdout)] == [
        ["collect_benchmarks", "train", "judge@base", "judge@grpo-full"]
    ] * 2
    assert not any((one / "dvc.lock").exists() for one in workspaces)

    first = reasrm("ablate", "table2", "--seeds", "2", *TWO_ROWS)
    assert first.returncode == 0, first.stdout + first.stderr
    assert ran(workspaces[0]) == []  # the project itself had run it all
    assert sorted(ran(workspaces[1])) == ["judge", "judge", "train"]  # another seed, the same benchmarks
    assert {name: (project / name).read_bytes() for name in own} == own
    assert "[2 of 2: work/ablations/table2-seed-1] base, grpo-full" in first.stdout
    assert "Cold-start" not in first.stdout

    document = json.loads((project / "work/ablations/table2-part.json").read_text())
    assert document["command"] == "reasrm ablate table2 --seeds 2 --only base --only grpo-full"
    assert document["settings"] == "miniature"
    assert [row["row"] for row in document["rows"]] == ["base", "grpo-full"]
    assert [row["paper"]["average"] for row in document["rows"]] == [85.8, 91.4]
    base, full = (row["accuracy"] for row in document["rows"])
    assert base["value"] < 0.7 < 0.85 < full["value"]
    assert len(set(full["seeds"])) == 2
    assert document["steps"] == []  # these two rows are no neighbours
    assert "Base model" in (project / "work/ablations/table2-part.md").read_text()

    second = reasrm("ablate", "table2", "--seeds", "2", *TWO_ROWS, "--json")
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["rows"] == document["rows"]
    assert sorted(ran(workspaces[1])) == ["judge", "judge", "train"]


def test_a_whole_table_with_its_steps(project: Path, reasrm: Ablate) -> None:
    done = reasrm("ablate", "table2", "--seeds", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((project / "work/ablations/table2.json").read_text())
    assert [step["paper"] for step in document["steps"]] == [3.7, 0.6, 0.7, 0.6]
    rows = {row["row"]: row for row in document["rows"]}
    for step in document["steps"]:
        first, second = rows[step["first"]], rows[step["second"]]
        for name in ("average", "accuracy", "covered", "shift"):
            assert step[name]["value"] == pytest.approx(first[name]["value"] - second[name]["value"])
        adjusted = step["average"]["p_holm"]
        assert step["average"]["p"] <= adjusted <= 1
        for name in ("average", "accuracy"):
            assert step[name]["finding"] == finding(*step[name]["ci95"], step[name]["p_holm"])
    assert document["steps"][0]["accuracy"]["ci95_questions"][0] > 0  # skills of .5 and .75, 120 judgments twice
    assert all(row["trained"] == [] for row in document["rows"])  # no checkpoint is named in the toy's settings
    markdown = (project / "work/ablations/table2.md").read_text()
    for text in (done.stdout, markdown):
        assert "Not shown that" in text  # skills of .75 and .8 lie too close for 60 questions
        assert "2 training seeds, n = 60 questions" in text
        assert "85.8" in text


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_anyhow_nothing_outlives_it_and_the_same_command_goes_on(
    project: Path, reasrm: Ablate, surroundings: dict[str, str], how: signal.Signals
) -> None:
    words = ("ablate", "table2", "--seeds", "1", "--only", "base")
    assert reasrm(*words, "--dry-run").returncode == 0
    workspace = project / "work/ablations/table2-seed-0"
    (workspace / "hang").touch()
    command = [sys.executable, "-m", "reasrm.cli", *words]
    running = subprocess.Popen(command, cwd=project, env=surroundings, start_new_session=True)
    deadline = time.monotonic() + LONG
    while not (workspace / "hangs").exists() or not (workspace / "hangs").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    busy = reasrm(*words)
    assert busy.returncode == 4
    assert f"process {running.pid}" in busy.stderr
    os.kill(running.pid, how)
    assert running.wait(LONG) == (130 if how is signal.SIGINT else -9)
    run = holding_process(workspace / RUN_LOCK)
    assert not survivors([int((workspace / "hangs").read_text()), *([run] if run else [])])
    (workspace / "hang").unlink()
    again = reasrm(*words)
    assert again.returncode == 0, again.stdout + again.stderr
    assert ran(workspace).count("benchmarks") == 1


def test_it_ends_as_its_first_workspace_that_does_not_finish(project: Path, reasrm: Ablate) -> None:
    """The workspaces that it did not reach have the code and settings of its start too."""
    assert reasrm("ablate", "table2", "--seeds", "1", "--only", "base", "--dry-run").returncode == 0
    (project / "work/ablations/table2-seed-0/exit").write_text("3")  # stopped with everything kept
    done = reasrm("ablate", "table2", "--only", "base")
    assert done.returncode == 3
    assert "stopped in workspace 1 of 3: work/ablations/table2-seed-0" in done.stderr
    assert not (project / "work/ablations/table2-part.json").exists()
    assert not (project / "work/ablations/table2-seed-1/dvc.lock").exists()
    assert (project / "work/ablations/table2-seed-2/params.yaml").exists()


def test_refused_in_one_line(project: Path, reasrm: Ablate) -> None:
    write_yaml(project / "params.yaml", PARAMS | {"judge_variants": {"base": {"skill": 0.5}}})
    refused = reasrm("ablate", "table2")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "`judge_variants.grpo-cold_start`" in refused.stderr
    assert not (project / "work").exists()
    unknown = reasrm("ablate", "table2", "--only", "sft")
    assert unknown.returncode == 2
    assert "--only sft: table2 has no such row" in unknown.stderr
