"""A project for nights: the toy judges, a score that DVC knows as a metric, git with a remote, DVC with one.

Run by DVC as `python toy_nights.py OUT`; imported by tests for `make_nights_project`.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., subprocess.CompletedProcess[str]]
JUDGE = "grpo-full"
JUDGMENTS = Path("data/judgments")
FIRST, BETTER, WORSE = 0.6, 0.95, 0.4
"""Chances of a right verdict."""


def score(out: Path) -> None:
    """Write each judge's share of right verdicts."""
    shares = {}
    for folder in sorted(JUDGMENTS.iterdir()):
        judged = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
        shares[folder.name] = sum(one["verdict"] == one["better"] for one in judged) / len(judged)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(shares))


SCORE: dict[str, Any] = {
    "cmd": "python toy_nights.py data/scores.json",
    "deps": ["toy_nights.py", "data/judgments"],
    "metrics": ["data/scores.json"],
}
IGNORED = "/data/* !/data/raw/ /work/ /ledgers/ /.prefect/ /flows /stages.run /exit /driver /judge-exit __pycache__/"


def git(root: Path, *words: str) -> str:
    """Run git; returns what it prints."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def dvc(root: Path, *words: str) -> str:
    """Run DVC; returns what it prints."""
    from tests.flows.toy_project import environment

    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_nights_project(folder: Path) -> Path:
    """Write the project into `folder`/project beside its remotes, committed, nothing run."""
    from reasrm.runtime.yaml_files import write_yaml
    from tests.flows.toy_ablation import PARAMS, PIPELINE, make_project

    root = folder / "project"
    make_project(root)
    (root / "toy_nights.py").write_bytes(Path(__file__).read_bytes())
    write_yaml(root / "dvc.yaml", {"stages": {**PIPELINE, "score": SCORE}})
    variants = {JUDGE: {"skill": FIRST, "checkpoint": "data/checkpoint"}}
    write_yaml(root / "params.yaml", PARAMS | {"judge_variants": variants})
    (root / ".gitignore").write_text(IGNORED.replace(" ", "\n") + "\n")
    for remote in ("git", "dvc"):
        (folder / remote).mkdir()
    dvc(root, "remote", "add", "-q", "-d", "store", str(folder / "dvc"))
    git(folder / "git", "init", "-q", "--bare")
    git(root, "config", "user.name", "t")
    git(root, "config", "user.email", "t@example.org")
    git(root, "checkout", "-q", "-b", "main")
    git(root, "remote", "add", "origin", str(folder / "git"))
    commit(root, "project")
    git(root, "push", "-q", "-u", "origin", "main")
    return root


def commit(root: Path, message: str) -> None:
    """Commit all that git does not ignore."""
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", message)


def set_skill(root: Path, skill: float, *, steps: int = 2) -> None:
    """Set the chance of a right verdict, and a setting of the training that changes nothing; commit both."""
    from reasrm.runtime.yaml_files import read_yaml, write_yaml

    params = read_yaml(root / "params.yaml")
    params["judge_variants"][JUDGE]["skill"] = skill
    params["train"]["steps"] = steps
    write_yaml(root / "params.yaml", params)
    git(root, "commit", "-q", "-m", f"skill {skill}", "params.yaml")


def pointer(root: Path, ref: str) -> dict[str, Any]:
    """The champion at a tag or branch."""
    return dict(json.loads(git(root, "show", f"{ref}:champion.json")))


def state(root: Path) -> tuple[str, ...]:
    """All of git that a failed night must leave: refs, index, what is checked out, the pointer."""
    champion = root / "champion.json"
    return (
        git(root, "for-each-ref"),
        git(root, "ls-files", "--stage"),
        git(root, "symbolic-ref", "HEAD"),
        champion.read_text() if champion.exists() else "",
    )


if __name__ == "__main__":
    score(Path(sys.argv[1]))
