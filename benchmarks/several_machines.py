"""The miniature on workers of two clones with one remote, one of them killed; in an empty clone; on one machine alone.

Clones of this checkout's commit, each installed by `make install`, a Prefect server, and the miniature's oracle as a
server of its own, which counts what it is asked. In `project` runs `reasrm run --workers`. `first` and `second` have
workers of the pools (one of `network`), and the gpu worker that trains `grpo@full` gets SIGKILL with the flow that it
carries out. `third` has nothing but the remote; `reasrm run` there must restore everything. `alone` uses neither remote
nor Prefect server nor anybody's ledgers; its dvc.lock is the one that the others' must be. The clones have one commit
more than the checkout: the remote, and the oracle's address. On two cores it takes half an hour.

Run:  python -m benchmarks.several_machines [--port 4290] [--folder FOLDER]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from benchmarks.own_server import AUTOMATION, DVC, NOBODY, Row, ask, environment, prefect, processes_in, say, show
from flows.running.stage_outcome import StageOutcome
from flows.running.status import LAST_RUN
from flows.server.prefect_server import is_healthy
from reasrm.runtime.kept_folders import LEDGERS_VARIABLE
from reasrm.runtime.yaml_files import read_yaml

CHECKOUT = Path(__file__).parents[1]
POOLS = {"first": ("cpu", "gpu", "network"), "second": ("cpu", "gpu")}
TRAINING = "stages.grpo full"
INTO_TRAINING_SECONDS = 12.0
GONE_SECONDS = 5.0
EMPTY_SECONDS = 60.0


def main() -> None:
    """Run all of it and print; the exit status says whether all is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=4290, help="of the Prefect server; the next three are taken too")
    parser.add_argument("--folder", type=Path, help="a new folder, in which the clones stay; else a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(exist_ok=True)
        machines = Machines(folder, options.port)
        rows = machines.on_workers()
        if all(row.good for row in rows):
            rows += [machines.in_an_empty_clone(), *machines.alone()]
    raise SystemExit(show(rows))


class Machines:
    """Clones of one commit, as machines would have them."""

    def __init__(self, folder: Path, port: int) -> None:
        """Make and install them; nothing runs yet."""
        self.folder, self.port = folder, port
        self.project = make_project(folder / "project", oracle_port=port + 2)
        self.clones = {name: clone(self.project, folder / name) for name in (*POOLS, "third", "alone")}
        for one in (self.project, *self.clones.values()):
            say(f"make install in {one.name}")
            subprocess.run(["make", "install"], cwd=one, check=True, stdout=subprocess.DEVNULL)
        self.asked = 0

    def on_workers(self) -> list[Row]:
        """The miniature on the workers of two clones, one killed."""
        server = {"PREFECT_HOME": str(self.folder / "prefect"), "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api"}
        with ExitStack() as held:
            oracle = held.enter_context(self.oracle())
            held.enter_context(self.prefect_server(server))
            workers = {
                (name, pool): held.enter_context(self.worker(self.clones[name], pool, server))
                for name, pools in POOLS.items()
                for pool in pools
            }
            kill = Kill({self.clones[name]: workers[name, "gpu"] for name in POOLS})
            status, seconds = self.run(self.project, server, "--workers")
            kill.join(timeout=60)
            asked = ask(f"{oracle}/request-log")
        self.asked = asked["billed"]
        return [
            Row("on workers: exit status", f"{status} after {seconds:.0f} s", "0", status == 0),
            Row("killed stage: processes left after 5 s", f"{kill.left} ({kill.where})", "0", kill.left == 0),
            Row("the oracle's replies, those to a question again", f"{asked['billed']}, {asked['billed_again']}",
                "as one machine asks, 0", asked["billed_again"] == 0),
        ]  # fmt: skip

    def in_an_empty_clone(self) -> Row:
        """What a clone with nothing but the remote does."""
        clone = self.clones["third"]
        status, seconds = self.run(clone, {})
        outcomes = Counter(one["outcome"] for one in json.loads((clone / LAST_RUN).read_text("utf-8")).values())
        same = (clone / "dvc.lock").read_bytes() == (self.project / "dvc.lock").read_bytes()
        said = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        return Row(
            "an empty clone: exit status, outcomes, same dvc.lock", f"{status}, {said}, {same}, {seconds:.0f} s",
            "0, all Restored, True, 60 s",
            status == 0 and set(outcomes) == {StageOutcome.RESTORED} and same and seconds <= EMPTY_SECONDS,
        )  # fmt: skip

    def alone(self) -> list[Row]:
        """The same miniature on one machine, from nothing."""
        alone = self.clones["alone"]
        with self.oracle() as oracle:
            status, seconds = self.run(alone, {}, "--no-pull")
            asked = ask(f"{oracle}/request-log")["billed"]
        different = differing_outputs(self.project, alone)
        if different:
            say("other outputs than on one machine:\n" + "\n".join(different))
        same = (alone / "dvc.lock").read_bytes() == (self.project / "dvc.lock").read_bytes()
        return [
            Row("one machine: exit status", f"{status} after {seconds:.0f} s", "0", status == 0),
            Row("replies that it bought", f"{asked}", f"{self.asked}, as on workers", asked == self.asked),
            Row("dvc.lock on workers and on one machine", f"{len(different)} outputs differ, the same bytes: {same}",
                "the same bytes", same),
        ]  # fmt: skip

    def run(self, clone: Path, more: dict[str, str], *words: str) -> tuple[int, float]:
        """Run `reasrm run` in a clone to its end; gives exit status and seconds."""
        start = time.monotonic()
        with (self.folder / f"{clone.name}.log").open("w") as log:
            done = subprocess.run(
                [clone / ".venv/bin/reasrm", "run", *words], cwd=clone, env=self.variables(clone, more), check=False,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        say(f"{clone.name}: exit status {done.returncode}")
        return done.returncode, time.monotonic() - start

    def variables(self, clone: Path, more: dict[str, str]) -> dict[str, str]:
        """The environment in a clone: its own installation, the oracle that counts, and no server but one in `more`."""
        address = f"http://127.0.0.1:{self.port + 2}"
        oracle = {"ANTHROPIC_BASE_URL": address, "OPENAI_BASE_URL": f"{address}/v1"}
        keys = {"ANTHROPIC_API_KEY": "of-a-benchmark", "OPENAI_API_KEY": "of-a-benchmark"}
        own = {
            "PATH": f"{clone / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
            "REASRM_REPORT_PORT": str(self.port + 1),
        }
        return environment(NOBODY) | oracle | keys | own | more

    @contextmanager
    def prefect_server(self, server: dict[str, str]) -> Iterator[None]:
        """A server with the deployments, pools and the automation that docs/platform.md tells to make."""
        own = self.variables(
            self.project, {"PREFECT_HOME": server["PREFECT_HOME"], "PREFECT_SERVER_API_PORT": str(self.port)}
        )
        with self.started([self.project / ".venv/bin/reasrm", "ui"], self.project, own, "server"):
            while not is_healthy(server["PREFECT_API_URL"]):
                time.sleep(0.5)
            pools = sorted({pool for of_clone in POOLS.values() for pool in of_clone})
            for pool in pools:
                prefect(self.project, own | server, "work-pool", "create", pool, "--type", "process")
            prefect(self.project, own | server, "deploy", *(word for pool in pools for word in ("--name", pool)))
            prefect(self.project, own | server, "automation", "create", "--from-file", str(AUTOMATION))
            yield

    @contextmanager
    def worker(self, clone: Path, pool: str, server: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
        """A worker of a pool in a clone; one stage at a time, since the clones share the cores of one machine."""
        command = [clone / ".venv/bin/prefect", "worker", "start", "--pool", pool, "--limit", "1"]
        more = server | {"REASRM_ROOT": str(clone), LEDGERS_VARIABLE: str(self.folder / "ledgers")}
        with self.started(command, clone, self.variables(clone, more), f"{clone.name}-{pool}") as worker:
            yield worker

    @contextmanager
    def oracle(self) -> Iterator[str]:
        """The miniature's oracle as a server that has been asked nothing yet; gives its address."""
        command = [sys.executable, "-m", "reasrm.miniature.oracle_server", "--port", str(self.port + 2)]
        with self.started(command, CHECKOUT, environment(NOBODY), "oracle"):
            address = f"http://127.0.0.1:{self.port + 2}"
            while not answers(address):
                time.sleep(0.2)
            yield address

    @contextmanager
    def started(
        self, command: list[str | Path], place: Path, variables: dict[str, str], name: str
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """A process for the length of the block, its output in the folder."""
        with (self.folder / f"{name}.log").open("a") as log:
            process = subprocess.Popen(
                command, cwd=place, env=variables, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


class Kill(threading.Thread):
    """Waits for the training, then sends SIGKILL to the worker that has it and to the flow that this carries out."""

    def __init__(self, workers: "dict[Path, subprocess.Popen[bytes]]") -> None:
        """Start to wait; `workers` are those of the gpu pool by their clones."""
        super().__init__(daemon=True)
        self.workers = workers
        self.left, self.where = -1, "it was not seen"
        self.start()

    def run(self) -> None:
        """Wait, kill, look."""
        while not (clone := next((one for one in self.workers if training_in(one)), None)):
            time.sleep(0.5)
        time.sleep(INTO_TRAINING_SECONDS)
        worker = psutil.Process(self.workers[clone].pid)
        for process in (worker, *worker.children()):
            process.kill()
        say(f"SIGKILL to the gpu worker of {clone.name}")
        time.sleep(GONE_SECONDS)
        self.left, self.where = len(training_in(clone)), f"clone {clone.name}"


def training_in(clone: Path) -> list[int]:
    """The processes of the training in a clone."""
    return [one for one in processes_in(clone) if TRAINING in " ".join(command_of(one))]


def answers(address: str) -> bool:
    """Whether the oracle is up."""
    try:
        return ask(f"{address}/request-log")["requests"] == 0
    except OSError:
        return False


def command_of(process: int) -> list[str]:
    """Its words; none once it has ended."""
    try:
        return psutil.Process(process).cmdline()
    except psutil.Error:
        return []


def make_project(project: Path, oracle_port: int) -> Path:
    """A clone of this checkout's commit whose own commit names the remote and an oracle that is asked over HTTP."""
    clone(CHECKOUT, project)
    params = project / "params.yaml"
    text = params.read_text("utf-8")
    assert "endpoint: local " in text
    params.write_text(text.replace("endpoint: local ", "endpoint: environment "), "utf-8")
    store = project.with_name("store")
    store.mkdir()
    subprocess.run(
        [*DVC, "remote", "add", "-q", "-d", "store", store], cwd=project, check=True, env=environment(NOBODY)
    )
    identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org"]
    subprocess.run(
        ["git", *identity, "commit", "-q", "-a", "-m", "A remote, and an oracle that counts"], cwd=project, check=True
    )
    return project


def clone(source: Path, place: Path) -> Path:
    """A git clone."""
    subprocess.run(["git", "clone", "-q", source, place], check=True)
    return place


def differing_outputs(one: Path, other: Path) -> list[str]:
    """The outputs that two clones' dvc.lock files do not agree about, with their hashes."""
    hashes = [
        {
            out["path"]: out["md5"]
            for stage in read_yaml(place / "dvc.lock")["stages"].values()
            for out in stage.get("outs", [])
        }
        for place in (one, other)
    ]
    paths = dict.fromkeys([*hashes[0], *hashes[1]])
    return [
        f"{path}: {hashes[0].get(path)} and {hashes[1].get(path)}"
        for path in paths
        if hashes[0].get(path) != hashes[1].get(path)
    ]


if __name__ == "__main__":
    main()
