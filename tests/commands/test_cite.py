"""The command `reasrm cite` in a project of its own: refusals in one line, and hashes, seeds and doubts as they are."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reasrm.runtime.outputs import write_json
from reasrm.runtime.yaml_files import write_yaml
from tests.citation.cited_runs import figures, measured
from tests.flows.real_project import copy_pipeline
from tests.flows.toy_project import environment
from tests.publishing.finished_project import dvc_hash

METRICS = "data/report/metrics.json"


def cite(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reasrm.cli", "cite", *words]
    surroundings = environment() | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)


def write_reported_run(root: Path) -> None:
    """What is cited of a run, and the dvc.lock that says so."""
    write_json(root / METRICS, figures())
    (root / "data/judgments").mkdir()
    for model in ("base", "sft"):
        form = {"form": {"prompt": "full", "instruction": "ab" * 32}} if model == "sft" else {}
        write_json(root / f"data/judgments/{model}/identity.json", form)
    write_json(root / "data/probes/sft/measures.json", measured().model_dump(mode="json"))
    judged, probed = "data/judgments/sft", "data/probes/sft"
    write_yaml(root / "dvc.lock", {"schema": "2.0", "stages": {
        "judge@sft": stage([], [judged, "data/judgments/not_there"], root, {"judge": {"seed": 7}}),
        "probe@sft": stage([judged], [probed], root, {"probe": {"seed": 3}}),
        "scalar_rm": stage([], ["data/elsewhere"], root, {"scalar_rm": {"seed": 5}}),
        "report": stage(["data/judgments", "data/probes"], [METRICS], root, {"report": {"models": {"sft": "S_F_T"}}}),
    }})  # fmt: skip


def stage(reads: list[str], writes: list[str], root: Path, params: dict[str, Any]) -> dict[str, Any]:
    def entries(paths: list[str]) -> list[dict[str, str]]:
        return [{"path": path, "md5": dvc_hash(root / path) if (root / path).is_file() else "0f.dir"} for path in paths]

    return {"cmd": "x", "deps": entries(reads), "outs": entries(writes), "params": {"params.yaml": params}}


@pytest.mark.slow
def test_a_run_is_cited_as_dvc_lock_and_the_reports_figures_say(tmp_path: Path) -> None:
    done = cite(folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("reasrm cite: no dvc.yaml in")
    root = tmp_path / "project"
    copy_pipeline(root)
    for written, said in ((lambda: None, "no finished run to cite"),
                          (lambda: write_json(root / METRICS, figures()), "dvc.lock: not there"),
                          (lambda: write_json(root / METRICS, {}), "title: Field required")):  # fmt: skip
        written()
        done = cite(folder=root)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
    write_reported_run(root)
    done = cite("--format", "json", folder=root)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["data_md5"] == {"data/judgments/sft": "0f.dir", "data/probes/sft": "0f.dir"}
    assert said["seeds"] == {"judge": [7], "probe": [3]}
    assert said["prompts"]["sft"] == {"prompt": "full", "instruction": "ab" * 32}
    assert (said["figures_as_locked"], len(said["commit"]), said["has_edits"]) == (True, 40, False)
    assert said["models"]["sft"]["label"] == "S_F_T"
    assert [one["name"] for one in said["probes"]["sft"]["order"]] == ["flip_rate", "flip_rate", "decay"]
    assert "report" in said["out_of_date"]
    assert "reasrm cite: note: out of date: " in done.stderr
    write_json(root / METRICS, figures(title="Another"))
    done = cite("--format", "latex", "--out", "tables.tex", folder=root)
    assert done.stdout.startswith("tables.tex: ")
    assert f"{METRICS} is not the one that dvc.lock names" in done.stderr
    assert r"S\_F\_T & $75.0$" in (root / "tables.tex").read_text(encoding="utf-8")
    assert cite("--format", "word", folder=root).returncode == 2
