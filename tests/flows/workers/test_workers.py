"""Two workers in two clones with one remote: each stage once, the bytes of one machine, of the run's own code."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.flows.processes import LONG, survivors
from tests.flows.toy_project import become_clone, environment
from tests.flows.workers.fleet import IDENTITY, Fleet, git, prefect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[3]
ALL = ["a", "b@slow", "b@fast", "c", "d"]


def outcomes(root: Path) -> dict[str, str]:
    return {name: row["outcome"] for name, row in json.loads((root / "work/runs/last.json").read_text()).items()}


def runs_of(*roots: Path) -> dict[str, int]:
    """How often each stage ran in these checkouts, by the name it calls itself."""
    counts: dict[str, int] = {}
    for path in (path for root in roots for path in root.glob("*.runs")):
        counts[path.stem] = counts.get(path.stem, 0) + len(path.read_text().splitlines())
    return counts


def wait_for_file(path: Path) -> str:
    deadline = time.monotonic() + LONG
    while not path.exists() or len(path.read_text().split()) < 2:
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)
    return path.read_text()


@pytest.fixture(scope="module")
def pools(server_port: int, tmp_path_factory: pytest.TempPathFactory) -> int:
    """The server's port, where pools, deployments and automation are: they name no clone, so one time is enough."""
    folder = tmp_path_factory.mktemp("pools")
    (folder / "prefect.yaml").write_bytes((ROOT / "prefect.yaml").read_bytes())
    become_clone(folder)
    for pool in ("cpu", "gpu", "network"):
        prefect(folder, server_port, "work-pool", "create", pool, "--type", "process")
    prefect(folder, server_port, "deploy", "--name", "cpu", "--name", "gpu", "--name", "network")
    automation = ROOT / "flows/automations/dead-flows-are-crashed.yaml"
    prefect(folder, server_port, "automation", "create", "--from-file", str(automation))
    return server_port


@pytest.fixture
def fleet(toy: Path, tmp_path: Path, pools: int) -> Fleet:
    (tmp_path / "store").mkdir()
    (toy / ".gitignore").write_text("/out/\nwork/\n.prefect/\nflows\n*.runs\n*.pids\n*.mode\n*.salt\n")
    command = [sys.executable, "-m", "dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store")]
    subprocess.run(command, cwd=toy, env=environment(), check=True)
    git(toy, "add", "-A")
    git(toy, *IDENTITY, "commit", "-q", "-m", "pipeline")
    return Fleet(toy, pools)


def test_two_workers_make_what_one_machine_makes(fleet: Fleet) -> None:
    first, second = fleet.clones
    with fleet.worker(first, "cpu"), fleet.worker(second, "gpu"):
        code, said = fleet.run()
        assert code == 0, said
        assert outcomes(fleet.project) == dict.fromkeys(ALL, "Completed")
        assert runs_of(first) == {"a": 1, "b-slow": 1, "b-fast": 1, "c": 1}
        assert runs_of(second) == {"d": 1}
        assert runs_of(fleet.project) == {}

        alone = fleet.clone("alone")
        command = [sys.executable, "-m", "reasrm.cli", "run", "--no-pull"]
        subprocess.run(command, cwd=alone, env=environment(), capture_output=True, check=True)
        assert (alone / "dvc.lock").read_bytes() == (fleet.project / "dvc.lock").read_bytes()

        fleet.commit()
        assert fleet.run()[0] == 0
        assert set(outcomes(fleet.project).values()) == {"Cached"}

        # Not committed: the clones do not have it.
        params = read_yaml(fleet.project / "params.yaml")
        params["b_variants"]["fast"]["seconds"] = 0.2
        write_yaml(fleet.project / "params.yaml", params)
        code, said = fleet.run("--to", "b@fast")
        assert code == ExitCode.FAILED
        assert "Refused: params.yaml of this worker's clone" in said


@pytest.mark.parametrize("how", ["killed", "silent", "told to end"])
def test_another_takes_over_what_a_worker_has_lost(fleet: Fleet, how: str) -> None:
    """Its processes are killed; or live, with their heartbeats lost on the way; or are ended, as by a shutdown."""
    first, second = fleet.clones
    (first / "b-slow.mode").write_text("hang")
    with ExitStack() as later, fleet.worker(first, "cpu") as doomed:
        run = fleet.start("--to", "b@slow")
        hanging = [int(process) for process in wait_for_file(first / "b-slow.pids").split()]
        if how == "killed":
            for process in fleet.processes_of(first):
                os.kill(process, signal.SIGKILL)
            doomed.wait(30)
            assert survivors(hanging, 30) == []
        later.enter_context(fleet.worker(second, "cpu"))
        if how == "told to end":
            doomed.send_signal(signal.SIGSTOP)  # it would start the stage again
            (engine,) = (process for process in fleet.processes_of(first) if process != doomed.pid)
            os.kill(engine, signal.SIGTERM)
        else:
            fleet.crash(fleet.flow_runs()[0])
        assert survivors(hanging, 30) == []
        if how == "silent":
            (first / "b-slow.mode").unlink()  # whoever is free takes it, the same clone too
        said, _ = run.communicate(timeout=300)
        doomed.send_signal(signal.SIGCONT)
    assert run.returncode == 0, said
    reason = "nobody cancelled it" if how == "told to end" else "no heartbeat"
    assert "b@slow: its worker is gone" in said
    assert reason in said
    assert [one["state_type"] for one in fleet.flow_runs()[:2]] == ["COMPLETED", "CRASHED"]
    assert sum(runs_of(first, second).values()) - runs_of(first, second).get("a", 0) == 2
    assert (fleet.project / "out/b-slow").is_file()


def test_what_this_checkout_has_made_before_is_handed_over_first(fleet: Fleet) -> None:
    """Stage `a` is up to date here and `b@fast` in this cache alone; workers need both, and make what is missing."""
    first, second = fleet.clones
    command = [sys.executable, "-m", "reasrm.cli", "run", "--to", "b@fast"]
    subprocess.run(command, cwd=fleet.project, env=environment(), capture_output=True, check=True)
    (fleet.project / "out/b-fast").unlink()
    fleet.commit()
    with fleet.worker(first, "cpu"), fleet.worker(second, "gpu"):
        code, said = fleet.run()
    assert code == 0, said
    expected = {"a": "Cached", "b@fast": "Restored", "b@slow": "Completed", "c": "Completed", "d": "Completed"}
    assert outcomes(fleet.project) == expected
    assert runs_of(first, second) == {"b-slow": 1, "c": 1, "d": 1}


def test_each_machine_has_the_very_bytes_of_the_others(fleet: Fleet) -> None:
    """Made from the same inputs, `a` has other bytes in the worker's clone: as by another kind of processor."""
    first, _ = fleet.clones
    for root, salt in ((fleet.project, ""), (first, " salt")):
        (root / "a.salt").write_text(salt)
        command = [sys.executable, "-m", "reasrm.cli", "run", "--to", "a", "--no-pull"]
        subprocess.run(command, cwd=root, env=environment(), capture_output=True, check=True)
    with fleet.worker(first, "cpu"):
        code, said = fleet.run("--to", "b@fast")
        assert code == 0, said
        assert (fleet.project / "out/b-fast").read_text() == "start\na\nb-fast\n"
        before = (fleet.project / "dvc.lock").read_text()
        code, said = fleet.run("--to", "a", "--force", "a")
        assert code == 0, said
        assert outcomes(fleet.project)["a"] == "Completed"
        assert (fleet.project / "out/a").read_text() == "start\na salt\n"
        assert (fleet.project / "dvc.lock").read_text() != before
        assert fleet.run("--to", "b@fast")[0] == 0
        assert (fleet.project / "out/b-fast").read_text() == "start\na salt\nb-fast\n"


def test_stages_that_read_the_same_run_in_one_clone_at_the_same_time(fleet: Fleet) -> None:
    first, _ = fleet.clones
    (first / "b-slow.mode").write_text("hang")
    with fleet.worker(first, "cpu"):
        run = fleet.start("--to", "b@slow", "--to", "b@fast", "--to", "a")
        hanging = [int(process) for process in wait_for_file(first / "b-slow.pids").split()]
        deadline = time.monotonic() + LONG
        while not (fleet.project / "out/b-fast").exists():
            assert run.poll() is None, run.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        assert survivors(hanging, 60) == []
        run.communicate(timeout=60)


def test_a_run_that_was_killed_is_followed_and_nothing_runs_twice(fleet: Fleet) -> None:
    first, _ = fleet.clones
    params = read_yaml(fleet.project / "params.yaml")
    params["b_variants"]["slow"]["seconds"] = 12
    write_yaml(fleet.project / "params.yaml", params)
    fleet.commit()
    with fleet.worker(first, "cpu"):
        run = fleet.start("--to", "b@slow")
        deadline = time.monotonic() + LONG
        while not (first / "b-slow.runs").exists():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        run.kill()
        run.communicate()
        code, said = fleet.run("--to", "b@slow")
    assert code == 0, said
    assert runs_of(first) == {"a": 1, "b-slow": 1}


def test_cancelling_the_run_ends_the_stage_on_the_other_machine(fleet: Fleet) -> None:
    first, _ = fleet.clones
    (first / "a.mode").write_text("hang")
    with fleet.worker(first, "cpu"):
        run = fleet.start("--to", "a")
        hanging = [int(process) for process in wait_for_file(first / "a.pids").split()]
        run.send_signal(signal.SIGINT)
        assert survivors(hanging, 60) == []
        run.communicate(timeout=60)
    assert run.returncode == ExitCode.INTERRUPTED
    assert fleet.flow_runs()[0]["state_type"] == "CANCELLED"


def test_a_run_ends_although_the_worker_of_its_stage_is_gone_and_the_next_one_begins_anew(fleet: Fleet) -> None:
    """Nobody is there who could end the stage in Prefect: the run waits for a while, and ends it itself."""
    first, second = fleet.clones
    (first / "a.mode").write_text("hang")
    with fleet.worker(first, "cpu") as doomed:
        run = fleet.start("--to", "a")
        wait_for_file(first / "a.pids")
        for process in fleet.processes_of(first):
            os.kill(process, signal.SIGKILL)
        doomed.wait(30)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=120)
    assert run.returncode == ExitCode.INTERRUPTED
    assert [one["state_type"] for one in fleet.flow_runs()[:1]] == ["CANCELLED"]
    with fleet.worker(second, "cpu"):
        assert fleet.run("--to", "a")[0] == 0
    assert runs_of(second) == {"a": 1}


def test_without_a_server_a_remote_or_a_deployment_nothing_is_handed_out(toy: Path, server_port: int) -> None:
    command = [sys.executable, "-m", "reasrm.cli", "run", "--workers"]

    def said(**variables: str) -> str:
        done = subprocess.run(
            command, cwd=toy, env=environment() | variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == ExitCode.FAILED
        return done.stderr

    assert "needs the Prefect server" in said(PREFECT_SERVER_API_PORT="1")
    refused = said(PREFECT_API_URL=f"http://127.0.0.1:{server_port}/api")
    assert "workers hand over through DVC's default remote: `dvc remote add -d NAME PLACE`" in refused
    assert "Prefect ended" not in refused
    assert list(toy.glob("*.runs")) == []


@pytest.mark.parametrize("option", ["--jobs=2", "--no-pull"])
def test_what_means_nothing_to_workers_is_refused(toy: Path, server_port: int, option: str) -> None:
    command = [sys.executable, "-m", "reasrm.cli", "run", "--workers", option]
    variables = environment() | {"PREFECT_API_URL": f"http://127.0.0.1:{server_port}/api"}
    done = subprocess.run(command, cwd=toy, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.USAGE
    assert "--jobs and --no-pull say nothing to --workers" in done.stderr
