"""Runs of eight stages side by side, killed at random: is an entry of dvc.lock lost, is a process left, does it go on?

Each round edits one parameter of all eight stages, starts `reasrm run --jobs 8`, and after a random time sends SIGKILL
to the run itself, to the whole of its session, or to a process of a stage. Then nothing may be alive that has the
project as its folder, dvc.lock must be readable and have an entry of each stage that it had (the old one or the new),
and the same command must come to its end with the right outputs. Every second round has a Prefect server.

Run:  python -m benchmarks.random_kills [--rounds 20] [--port 4290] [--seed 0]
"""

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.judge_reference import print_table
from benchmarks.own_server import DVC, FLOWS, NOBODY, REASRM, environment, processes_in, start_server
from benchmarks.waiting_stages import timed
from reasrm.runtime.yaml_files import read_yaml, write_yaml

STAGES = 8
PATIENCE_SECONDS = 15.0
"""In which what a killed run leaves must have ended; a supervisor gives a stage two seconds."""
HAD_ENDED = "had ended"
"""Of a round whose run was over before the kill; it says nothing and another one is played."""
STAGE = "mkdir -p out && sleep ${word.seconds} && echo ${word.text} > out/${item}"


class Round(NamedTuple):
    """What became of one."""

    killed: str
    after_seconds: float
    orphans: int
    lost_entries: int
    goes_on: bool


def main() -> None:
    """Run all rounds and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--port", type=int, default=4290, help="of the server that this script starts")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        server = start_server(Path(folder), options.port)
        try:
            usual = {port: seconds_of_a_run(project, port) for port in (NOBODY, str(options.port))}
            rounds: list[Round] = []
            while sum(one.killed != HAD_ENDED for one in rounds) < options.rounds:
                port = str(options.port) if len(rounds) % 2 else NOBODY
                rounds.append(one_round(project, len(rounds), port, chance, usual[port]))
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
    rows = [[str(place), one.killed, f"{one.after_seconds:.1f}", str(one.orphans), str(one.lost_entries),
             "yes" if one.goes_on else "NO"] for place, one in enumerate(rounds)]  # fmt: skip
    print_table(["round", "killed", "after s", "orphans", "lost entries", "goes on"], rows)
    rounds = [one for one in rounds if one.killed != HAD_ENDED]
    orphans, lost = sum(one.orphans for one in rounds), sum(one.lost_entries for one in rounds)
    print(
        f"\n{len(rounds)} rounds in which a run was killed, seed {options.seed}: {orphans} orphans, {lost} lost entries"
    )
    print(f"{sum(one.goes_on for one in rounds)} of them went on to the right outputs")


def one_round(project: Path, place: int, port: str, chance: random.Random, usual_seconds: float) -> Round:
    """Start a run, kill it within the time that one usually takes, look, and let it go on."""
    write_params(project, text=f"round {place}")
    before = entries(project)
    run = subprocess.Popen(
        [*REASRM, "run", f"--jobs={STAGES}"], cwd=project, env=environment(port), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    after = chance.uniform(0.3, usual_seconds)
    time.sleep(after)
    has_ended = run.poll() is not None
    killed = kill(project, run, chance.choice(["the run", "its session", "a stage's process"]), chance)
    killed = HAD_ENDED if has_ended else killed
    run.wait()
    orphans = left_after(project, PATIENCE_SECONDS)
    lost = len(before - entries(project))
    done = subprocess.run([*REASRM, "run", f"--jobs={STAGES}"], cwd=project, env=environment(port), check=False,
                          stdout=subprocess.DEVNULL)  # fmt: skip
    outputs = {path.read_text() for path in (project / "out").iterdir()}
    goes_on = done.returncode == 0 and outputs == {f"round {place}\n"} and len(entries(project)) == STAGES
    return Round(killed, after, len(orphans), lost, goes_on)


def seconds_of_a_run(project: Path, port: str) -> float:
    """How long all eight stages take when nobody kills anything."""
    write_params(project, text=f"usual {port}")
    return timed(project, [*REASRM, "run", f"--jobs={STAGES}"], port)


def kill(project: Path, run: "subprocess.Popen[bytes]", whom: str, chance: random.Random) -> str:
    """SIGKILL; returns who got it."""
    others = [process for process in processes_in(project) if process != run.pid]
    with suppress(ProcessLookupError):
        if whom == "its session":
            os.killpg(run.pid, signal.SIGKILL)
        elif whom == "a stage's process" and others:
            os.kill(chance.choice(others), signal.SIGKILL)
            time.sleep(0.5)
            os.kill(run.pid, signal.SIGKILL)
            return "a stage's process, then the run"
        else:
            os.kill(run.pid, signal.SIGKILL)
            return "the run"
    return whom


def left_after(project: Path, seconds: float) -> list[int]:
    """The processes of the project that are alive after so long; returns as soon as none is."""
    deadline = time.monotonic() + seconds
    while (alive := processes_in(project)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return alive


def entries(project: Path) -> set[str]:
    """The stages that dvc.lock has; it must be readable whenever it is read."""
    lock = project / "dvc.lock"
    return set(read_yaml(lock)["stages"]) if lock.exists() else set()


def make_project(root: Path) -> Path:
    """Eight stages, one beside the other, all up to date."""
    root.mkdir()
    each = {"cmd": STAGE, "outs": ["out/${item}"], "params": ["word"], "deps": ["input"]}
    write_yaml(root / "dvc.yaml", {"stages": {"each": {"foreach": list(range(STAGES)), "do": each}}})
    write_params(root, text="start")
    (root / "input").write_text("input\n")
    (root / "flows").symlink_to(FLOWS, target_is_directory=True)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([*DVC, "init", "-q"], cwd=root, check=True, env=environment(NOBODY))
    (root / ".gitignore").write_text("out/\nwork/\n.prefect/\nflows\n")
    (root / ".dvcignore").write_text("work/\n.prefect/\nflows\n")
    subprocess.run([*DVC, "repro", "-q"], cwd=root, check=True, env=environment(NOBODY))
    return root


def write_params(root: Path, text: str) -> None:
    """What all stages depend on."""
    write_yaml(root / "params.yaml", {"word": {"text": text, "seconds": 1.0}})


if __name__ == "__main__":
    main()
