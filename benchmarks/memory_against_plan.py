"""Peak memory of the stages on a CPU beside what `reasrm plan` says: a few steps of each, in a copy of a project.

    python -m benchmarks.memory_against_plan --project FOLDER [--stage sft --stage grpo@full ...]

The project must have its checkpoints and data. Rows are cut to some batches; the plan is asked about the same rows,
measured with the tokenizer. Peaks are what the kernel notes for the process (`VmHWM`); "after imports" is the peak of a
process that only imports what a stage imports, so the difference is what the model and its training took.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from flows.running.stage_process import stage_environment
from reasrm.runtime.yaml_files import read_yaml, write_yaml

ROOT = Path(__file__).parents[1]
TRAINERS = "from trl import GRPOTrainer, RewardTrainer, SFTTrainer; import datasets, dvclive, stages.sft, stages.grpo"
JUDGES = "import stages.judge, torch, transformers; from transformers import AutoModelForCausalLM"
STAGES = ("sft", "grpo@full", "answer_sft@all", "scalar_rm", "judge@base", "judge@scalar_rm")
STEPS = 2
JUDGED = 400
"""Most benchmark rows that are judged."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Measured peak memory beside the plan's.")
    parser.add_argument("--project", type=Path, required=True, help="a checkout in which the stages have run")
    parser.add_argument("--stage", action="append", help=f"default: {', '.join(STAGES)}")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="one setting, as JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reasrm-memory-") as folder:
        root = Path(folder)
        copy_project(asked.project, root, asked.set)
        imports = {"judge": peak_of(["-c", JUDGES], root), "training": peak_of(["-c", TRAINERS], root)}
        print("after imports: " + ", ".join(f"{kind} {size:,} MiB" for kind, size in imports.items()))
        print("| stage | measured | plan | plan / measured | measured less imports | plan less libraries | ratio |")
        for stage in asked.stage or STAGES:
            measure(stage, root, imports["judge" if stage.startswith("judge") else "training"])


def measure(stage: str, root: Path, imports: int) -> None:
    """Print one row of the table: MiB."""
    plan = planned(stage, root)
    module, _, variant = stage.partition("@")
    peak = peak_of(["-m", f"stages.{module}", *([variant] if variant else [])], root)
    parts = {name: size * 1024 for name, size in plan["memory"]["parts_gib"].items()}
    needs, libraries = sum(parts.values()), parts.get("libraries", 0)
    print(
        f"| {stage} | {peak:,} | {needs:,.0f} | {needs / peak:.2f} | {peak - imports:,} | {needs - libraries:,.0f} "
        f"| {(needs - libraries) / max(1, peak - imports):.2f} | {plan['rows']['tokens']['most']} tokens; "
        f"{plan['memory']['phase']}: " + ", ".join(f"{name} {size:,.0f}" for name, size in parts.items()),
        flush=True,
    )


def planned(stage: str, root: Path) -> dict[str, Any]:
    """What the plan says of one stage."""
    command = [sys.executable, "-m", "reasrm.preflight", "--device", "cpu-32gb", "--rows", "--stage", stage]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)["stages"][0]
    return found


def peak_of(arguments: list[str], root: Path) -> int:
    """The most memory, in MiB, of a Python process with `arguments`; it must end well."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=root, env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
        status, peak = Path(f"/proc/{process.pid}/status"), 0
        while process.poll() is None:
            lines = status.read_text().splitlines() if status.exists() else []
            peak = max([peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))])
            time.sleep(0.05)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}: {output.read()[-3000:]}")
    return peak // 1024


def environment() -> dict[str, str]:
    """As a stage's own, with this checkout's code."""
    return stage_environment() | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}


def copy_project(project: Path, root: Path, settings: list[str]) -> None:
    """Checkpoints and some rows of `project` in `root`, with parameters for a few steps."""
    params = read_yaml(project / "params.yaml")
    for setting in settings:
        name, _, value = setting.partition("=")
        section, _, key = name.partition(".")
        params[section][key] = json.loads(value)
    params["grpo"] |= {"steps": STEPS * params["grpo"]["steps_per_generation"], "steps_without_signal": 10**6}
    params["base_model"]["documents"] = STEPS * params["base_model"]["batch_size"]
    write_yaml(root / "params.yaml", params)
    data = project / "data"
    rows = STEPS * max(params[section]["batch_size"] for section in ("sft", "answer_sft", "scalar_rm"))
    first_rows(data / "traces/kept.jsonl", root / "data/traces/kept.jsonl", rows)
    for part in ("distill", "reinforce"):
        first_rows(data / f"pairs/{part}.jsonl", root / f"data/pairs/{part}.jsonl", rows)
    for file in sorted((data / "benchmarks").glob("*.jsonl")):
        first_rows(file, root / "data/benchmarks" / file.name, JUDGED)
    shutil.copytree(data / "checkpoints", root / "data/checkpoints", copy_function=shutil.copyfile)
    for folder in [root, *root.rglob("*")]:
        folder.chmod(0o755 if folder.is_dir() else 0o644)
    if (project / "models").is_dir():
        (root / "models").symlink_to((project / "models").resolve())


def first_rows(file: Path, out: Path, most: int) -> None:
    """The first `most` lines of `file` in `out`."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(file.read_text(encoding="utf-8").splitlines()[:most]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
