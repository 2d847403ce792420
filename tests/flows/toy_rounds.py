"""Toy stages of a round: an oracle whose questions are counted, a training, a gate; and the project around them.

Run by DVC as `python toy_rounds.py STAGE KEY [WORDS]`; imported by tests for `make_rounds_project`.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

QUESTIONS = 8
ASKED = Path("ledgers/asked.txt")
HANG = Path("ledgers/hang")
"""While it is there, the oracle answers no more than half of the questions."""
NO_LABEL = Path("ledgers/no_label")
"""While it is there, no pair gets a label."""
PROCESSES = Path("ledgers/processes.txt")
"""The ids of those that asked."""


def relabel(key: str) -> None:
    with PROCESSES.open("a") as file:
        file.write(f"{os.getpid()}\n")
    for number in range(QUESTIONS):
        question = f"{key} {number}"
        asked = ASKED.read_text().splitlines() if ASKED.exists() else []
        while HANG.exists() and number >= QUESTIONS // 2:
            time.sleep(0.1)
        if f"{question} answered" not in asked:
            with ASKED.open("a") as file:
                file.write(f"{question} answered\n")
    write(
        f"data/relabelled/{key}/metrics.json",
        {"usd": 0.25, "questions": QUESTIONS, "outcomes": {"labelled": 0 if NO_LABEL.exists() else 3}},
    )


def grpo(key: str, start: str) -> None:
    learnt = Path(f"data/checkpoints/{start}").read_text() if start != "base" else ""
    path = Path(f"data/checkpoints/grpo-{key}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{learnt}{key} ")


def policy(key: str, start: str, checkpoint: str) -> None:
    folder = Path(f"data/policies/{key}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint").write_text(f"{Path(start).read_text()}by {Path(checkpoint).read_text()}")


def gate(key: str, old: str, new: str, kept: str) -> None:
    decision = {"kept": key in kept.split(","), "why": "the toy says so", "judges": {"old": old, "new": new}}
    write(f"data/gates/{key}.json", decision)


def write(path: str, value: Any) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(value))


PIPELINE: dict[str, Any] = {
    "relabel": {
        "foreach": "${relabel_variants}",
        "do": {
            "cmd": "python toy_rounds.py relabel ${key}",
            "deps": ["toy_rounds.py", "data/policy", "data/prompts.jsonl"],
            "outs": ["data/relabelled/${key}"],
            "params": ["relabel_variants.${key}"],
        },
    },
    "grpo": {
        "foreach": "${grpo_variants}",
        "do": {
            "cmd": "python toy_rounds.py grpo ${key} ${item.start}",
            "deps": ["toy_rounds.py", "data/checkpoints/${item.start}"],
            "outs": ["data/checkpoints/grpo-${key}"],
            "params": ["grpo_variants.${key}"],
        },
    },
    "policy": {
        "foreach": "${policy_variants}",
        "do": {
            "cmd": "python toy_rounds.py policy ${key} ${item.start} ${item.checkpoint}",
            "deps": ["toy_rounds.py", "${item.start}", "${item.checkpoint}"],
            "outs": ["data/policies/${key}/checkpoint"],
            "params": ["policy_variants.${key}"],
        },
    },
    "gate": {
        "foreach": "${gate_variants}",
        "do": {
            "cmd": "python toy_rounds.py gate ${key} ${item.old} ${item.new} ${toy.kept}",
            "deps": [
                "toy_rounds.py",
                "${item.trained_on}",
                "data/relabelled/${key}-held_out",
                "data/checkpoints/grpo-${key}",
            ],
            "outs": ["data/gates/${key}.json"],
            "params": ["gate_variants.${key}", "toy"],
        },
    },
}
STAGES = ("hard_cases", "relabel", "extend_pairs", "contested", "gate", "judge", "grpo", "policy")
PARAMS: dict[str, Any] = {
    **{f"{stage}_variants": {} for stage in STAGES},
    "toy": {"kept": "round-1"},
    "hard_cases": {"seed": 7},
    "relabel": {"local": True},
    "grpo_variants": {"full": {"start": "base"}},
    "policy_variants": {
        "reasrm": {"start": "data/policy", "judge": "grpo-full", "checkpoint": "data/checkpoints/base"}
    },
    "judge_variants": {
        "grpo-full": {"checkpoint": "data/checkpoints/grpo-full", "kind": "generative", "prompt": "full"}
    },
    "improve": {
        "judge": "grpo-full",
        "policy": "data/policy",
        "prompts": "data/prompts.jsonl",
        "arm": "reasrm",
        "most_train_questions": 4,
        "most_held_out_questions": 4,
        "grpo": {"steps": 3},
    },
}


def make_rounds_project(root: Path) -> None:
    """Write the project into `root`, nothing run."""
    from reasrm.runtime.yaml_files import write_yaml
    from tests.flows.toy_project import become_clone, environment

    (root / "data/checkpoints").mkdir(parents=True)
    (root / "data/checkpoints/base").write_text("")
    for name in ("data/policy", "data/prompts.jsonl"):
        (root / name).write_text("")
    (root / "toy_rounds.py").write_bytes(Path(__file__).read_bytes())
    write_yaml(root / "dvc.yaml", {"stages": PIPELINE})
    write_yaml(root / "params.yaml", PARAMS)
    (root / ".dvcignore").write_text("work/\n.prefect/\n__pycache__/\n")
    become_clone(root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=root, check=True, env=environment())


if __name__ == "__main__":
    {"relabel": relabel, "grpo": grpo, "policy": policy, "gate": gate}[sys.argv[1]](*sys.argv[2:])
