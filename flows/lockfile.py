"""dvc.lock in plan order, so that the flow and `dvc repro` leave the same bytes.

DVC appends a new entry when its stage ends; stages that run side by side end in any order.
"""

from contextlib import chdir
from pathlib import Path
from typing import Any

from flows.graph import Pipeline

LOCK_FILE = "dvc.lock"


def in_plan_order(entries: list[str], pipeline: Pipeline) -> list[str]:
    """The entries of dvc.lock as `dvc repro` would have written them; those of stages that are gone stay at the end."""
    known = [name for name in pipeline.stages if name in entries]
    return known + [name for name in entries if name not in pipeline.stages]


def sort_lock(root: Path, pipeline: Pipeline) -> bool:
    """Bring dvc.lock into plan order under DVC's repository lock; return whether it was not."""
    from dvc.repo import Repo
    from dvc.utils.serialize import dump_yaml, load_yaml, parse_yaml_for_update

    path = root / LOCK_FILE
    if not path.exists():
        return False
    with chdir(root), Repo(str(root), _wait_for_lock=True) as repo, repo.lock:
        stages = list(load_yaml(str(path)).get("stages", {}))
        if stages == in_plan_order(stages, pipeline):
            return False
        document: Any = parse_yaml_for_update(path.read_text(encoding="utf-8"), str(path))
        entries = document["stages"]
        for name in in_plan_order(list(entries), pipeline):
            entries[name] = entries.pop(name)
        partial = path.with_name(f".{LOCK_FILE}.partial")
        dump_yaml(str(partial), document)
        partial.replace(path)
    return True
