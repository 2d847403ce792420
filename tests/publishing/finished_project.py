"""A project in which a base was copied from a folder and trained once, as dvc.lock says; no stage really ran."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from reasrm.runtime.yaml_files import read_yaml, write_yaml

ROOT = Path(__file__).parents[2]
HOSTILE = "x | <script>alert(1)</script> ``` `a` [b](javascript:c)\n---\nlicense: mit\n# *d* \u202e"
CARD = "---\nlicense: apache-2.0\nbase_model: someone/chat\n---\n# Chat\n"


def dvc_hash(path: Path) -> str:
    """What DVC 3 writes for a file or a flat folder."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(path.iterdir())
    listed = [{"md5": hashlib.md5(file.read_bytes()).hexdigest(), "relpath": file.name} for file in files]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def write_project(root: Path, checkpoint: Path, prompt: str = "answer_only") -> None:
    """Fill `root`: the folder models/chat, the base, a checkpoint `sft`, pairs, traces, curves, scores, dvc.lock."""
    root.mkdir(exist_ok=True)
    params = read_yaml(ROOT / "params.yaml")
    params["base_model"] |= {"source": "folder", "model": "models/chat", "reads": "models/chat"}
    for section in ("sft", "answer_sft", "scalar_rm"):
        params[section] |= {"learning_rate": 1e-5, "max_tokens": 1024}
    params["grpo"] |= {"learning_rate": 1e-6, "max_prompt_tokens": 1024}
    params["judge"] |= {"max_new_tokens": 24, "max_context_tokens": 1024}
    params["score"] |= {"models": ["mine"]}
    params["judge_variants"] = {
        "mine": {
            "checkpoint": "data/checkpoints/sft",
            "kind": "generative",
            "prompt": prompt,
            "reads": "data/benchmarks",
        }
    }
    params["collect_pairs"]["source"] = "files"
    write_yaml(root / "params.yaml", params)
    for folder in ("models/chat", "data/checkpoints/base", "data/checkpoints/sft"):
        shutil.copytree(checkpoint, root / folder)
    (root / "models/chat/README.md").write_text(CARD)
    (root / "models/chat/LICENSE").write_text("Apache License\n")
    (root / "data/checkpoints/sft/training_args.bin").write_bytes(b"a pickle")
    write(root / "data/pairs/funnel.json", {"by_source": {HOSTILE: {"kept": 7, "rows_in": 9}}})
    write(root / "data/traces/funnel.json", {"kept": 5, "traces": 6})
    write(root / "data/traces/kept.jsonl", {})
    write(root / "data/curves/sft/metrics.json", {"train": {"loss": 0.25}, "step": 10})
    figures: dict[str, Any] = {"n": 40, "ci95": [0.61, 0.89]}
    write(
        root / "data/scores/mine.json",
        {"accuracy": 0.75, "flip_rate": 0.1, "unreadable_rate": 0.0, "benchmarks": {"rmb": {"score": 0.8, **figures}}}
        | figures,
    )
    write_yaml(root / "dvc.lock", {"schema": "2.0", "stages": locked_stages(root, params)})


def locked_stages(root: Path, params: dict[str, Any]) -> dict[str, Any]:
    def stage(name: str, reads: list[str], writes: list[str], *sections: str) -> dict[str, Any]:
        deps, outs = ([{"path": path, "md5": dvc_hash(root / path)} for path in paths] for paths in (reads, writes))
        sections_now = {section: params[section] for section in sections}
        return {"cmd": f"python -m stages.{name}", "deps": deps, "outs": outs, "params": {"params.yaml": sections_now}}

    traces = ["data/traces/kept.jsonl", "data/traces/funnel.json"]
    return {
        "collect_pairs": stage("collect_pairs", [], ["data/pairs"], "collect_pairs"),
        "filter_traces": stage("filter_traces", ["data/pairs"], traces, "filter_traces"),
        "base_model": stage("base_model", ["models/chat"], ["data/checkpoints/base"], "base_model"),
        "sft": stage("sft", ["data/checkpoints/base", traces[0]], ["data/checkpoints/sft", "data/curves/sft"], "sft"),
        "answer_sft@all": stage("answer_sft", ["data/checkpoints/base"], ["data/scores"], "answer_sft"),
    }


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
