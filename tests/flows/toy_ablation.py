"""A toy project with the judges of the paper's table 2: real DVC, Prefect and judgments, no model."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from reasrm.runtime.yaml_files import write_yaml
from tests.flows.toy_project import become_clone, environment

STAGES = Path(__file__).with_name("toy_judging.py")
SKILLS = {
    "base": 0.5,
    "grpo-cold_start": 0.75,
    "grpo-cold_start_rubrics": 0.8,
    "grpo-cold_start_rubrics_qc": 0.85,
    "grpo-full": 0.95,
}
PIPELINE: dict[str, Any] = {
    "collect_benchmarks": {
        "cmd": "python toy_judging.py benchmarks data/benchmarks",
        "deps": ["toy_judging.py"],
        "outs": ["data/benchmarks"],
    },
    "train": {
        "cmd": "python toy_judging.py train ${train.seed} data/checkpoint",
        "deps": ["toy_judging.py", "${files}"],
        "outs": ["data/checkpoint"],
        "params": ["train"],
    },
    "judge": {
        "foreach": "${judge_variants}",
        "do": {
            "cmd": "python toy_judging.py judge ${key} ${item.skill} data/checkpoint data/judgments/${key}",
            "deps": ["toy_judging.py", "data/checkpoint", "data/benchmarks"],
            "outs": ["data/judgments/${key}"],
            "params": ["judge_variants.${key}"],
        },
    },
}
PARAMS: dict[str, Any] = {
    "files": "data/raw",
    "train": {"seed": 4, "steps": 2},
    "judge_variants": {name: {"skill": skill} for name, skill in SKILLS.items()},
    "collect_pairs": {"distill_slices": ["easy"]},
    "score": {"headline": ["reward_bench"], "unreadable": "benchmark", "resamples": 200, "seed": 0},
}


def make_project(root: Path) -> None:
    """Write the project into `root`, nothing run."""
    (root / "data/raw").mkdir(parents=True)
    (root / "data/raw/mine.txt").write_text("mine\n")
    (root / "toy_judging.py").write_bytes(STAGES.read_bytes())
    (root / "profiles/overlays").mkdir(parents=True)
    write_yaml(root / "profiles/seed-1.yaml", {"train": {"seed": 1}})
    write_yaml(root / "dvc.yaml", {"stages": PIPELINE})
    write_yaml(root / "params.yaml", PARAMS)
    (root / ".dvcignore").write_text("work/\n.prefect/\n__pycache__/\n")
    become_clone(root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=root, check=True, env=environment())
