"""What a run costs besides its stages: six that only wait, side by side, and runs that have nothing to do.

Projects of stages that sleep, in a temporary folder, with a Prefect server of this script's own. `dvc repro`, `reasrm
run --jobs 6` with the server and without one take turns, each from a project in which nothing has run. Then the same
project again, and one of 60 stages, where nothing is to be done. The least of all rounds counts: other work on the
machine only adds.

Run:  python -m benchmarks.waiting_stages [--rounds 3] [--port 4290]
"""

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.judge_reference import print_table
from benchmarks.own_server import DVC, FLOWS, NOBODY, REASRM, environment, start_server
from reasrm.runtime.yaml_files import write_yaml

STAGES, SECONDS, MANY = 6, 5.0, 60
BARS = {
    f"{STAGES} waiting stages, with a server": ("run / dvc repro", 0.4),
    f"{STAGES} waiting stages, without": ("run / dvc repro", 0.6),
    f"{STAGES} stages, nothing to do, with a server": ("s", 5.0),
    f"{STAGES} stages, nothing to do, without": ("s", 5.0),
    f"{MANY} stages, nothing to do, with a server": ("s", 5.0),
    f"{MANY} stages, nothing to do, without": ("s", 5.0),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=4290, help="of the server that this script starts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder), options.port)
        try:
            seconds, loads = measure(Path(folder), str(options.port), options.rounds)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
    by_dvc = min(seconds["dvc repro"])
    rows = [[f"{STAGES} waiting stages, `dvc repro`", *figures(seconds["dvc repro"]), "", ""]]
    for name, (unit, most) in BARS.items():
        least = min(seconds[name])
        rows.append(
            [name, *figures(seconds[name]), f"{least / by_dvc if unit != 's' else least:.2f} {unit}", f"{most}"]
        )
    print_table(["what", "least, s", "all rounds, s", "figure", "at most"], rows)
    print(f"\nload {min(loads):.1f} to {max(loads):.1f}, {os.cpu_count()} cores, {options.rounds} rounds")


def figures(seconds: list[float]) -> list[str]:
    """The least, and all."""
    return [f"{min(seconds):.1f}", ", ".join(f"{one:.1f}" for one in seconds)]


def measure(folder: Path, port: str, rounds: int) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds by what was run, one of each round, and the machine's load before each round."""
    few, many = make_project(folder / "few", STAGES, SECONDS), make_project(folder / "many", MANY, 0.0)
    timed(many, [*DVC, "repro", "-q"], NOBODY)
    found: dict[str, list[float]] = defaultdict(list)
    loads = []
    run = [*REASRM, "run", f"--jobs={STAGES}"]
    for place in range(rounds):
        loads.append(os.getloadavg()[0])
        found["dvc repro"].append(timed(fresh(few, place, "dvc"), [*DVC, "repro", "-q"], NOBODY))
        for how, of_server in {"with a server": port, "without": NOBODY}.items():
            project = fresh(few, place, how.partition(" ")[0])
            found[f"{STAGES} waiting stages, {how}"].append(timed(project, run, of_server))
            found[f"{STAGES} stages, nothing to do, {how}"].append(timed(project, run, of_server))
            found[f"{MANY} stages, nothing to do, {how}"].append(timed(many, run, of_server))
    return found, loads


def timed(project: Path, command: list[str], port: str) -> float:
    """Seconds that a command takes in a project, with the Prefect server at `port`."""
    start = time.monotonic()
    subprocess.run(command, cwd=project, env=environment(port), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def make_project(root: Path, stages: int, seconds: float) -> Path:
    """A project of stages that sleep, one beside the other, in which nothing has run."""
    root.mkdir()
    sleep = {"cmd": f"mkdir -p out && sleep {seconds} && echo ${{item}} > out/${{item}}", "outs": ["out/${item}"]}
    write_yaml(root / "dvc.yaml", {"stages": {"sleep": {"foreach": list(range(stages)), "do": sleep}}})
    write_yaml(root / "params.yaml", {})
    (root / "flows").symlink_to(FLOWS, target_is_directory=True)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([*DVC, "init", "-q"], cwd=root, check=True, env=environment(NOBODY))
    (root / ".gitignore").write_text("out/\nwork/\n.prefect/\nflows\n")
    (root / ".dvcignore").write_text("work/\n.prefect/\nflows\n")
    return root


def fresh(template: Path, place: int, name: str) -> Path:
    """A copy in which nothing has run."""
    copy = template.with_name(f"{template.name}-{place}-{name}")
    shutil.copytree(template, copy, symlinks=True)
    return copy


if __name__ == "__main__":
    main()
