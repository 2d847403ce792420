"""`reasrm doctor`: what a run needs, looked at before it costs anything. Loads no model library itself."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from flows.dvc_graph import read_pipeline
from flows.planning.cache_check import damaged_objects
from flows.planning.preflight import PreflightRequest, has_models, misfits, read_preflight
from flows.running.stage_outcome import FlowError
from flows.running.stage_slots import cpu_count, visible_gpus
from flows.server.prefect_server import HOST, find_server, server_port
from flows.settings.profile import edits_by_hand, summary
from reasrm.runtime.kept_folders import (
    LEDGERS,
    LEDGERS_VARIABLE,
    WORK_VARIABLE,
    KeptFolderError,
    ledgers_folder,
    resume_root,
    shares_work,
)

LOCKS = Path("locks")
KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "HF_TOKEN")
DISK_NEEDED_GB = 10
MEMORY_NEEDED_GB = 4
ROWS_THAT_SHOULD_FIT = 0.9
SHOWN = 6
ORACLE_LEDGERS = ("distill_traces-", "relabel")
"""How the names of those begin whose replies are always taken from the shared place."""


class Health(StrEnum):
    """How a finding is to be taken."""

    GOOD = "good"
    NOTE = "note"
    """Needed by some settings only."""
    BAD = "bad"
    """Runs fail, or results are not the locked ones."""


class Finding(NamedTuple):
    """One line of the doctor."""

    health: Health
    subject: str
    text: str


def examine(root: Path, *, deep: bool = False) -> list[Finding]:
    """All findings, in the order in which they matter.

    Args:
        root: the project's folder.
        deep: load the base model's tokenizer too, measure all rows with it, ask accelerate's estimator, and read all of
            DVC's cache.
    """
    findings = [*_python(), *_packages(root), *_machine(root), *_kept(root), *_keys(), *_server(), *_settings(root)]
    return [*findings, *(_cache(root) if deep else ()), *_stages(root, deep)]


def _python() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield Finding(
        Health.GOOD if fits else Health.BAD, "python", f"{version} in {sys.prefix}" + _wanted(fits, "3.11, 3.12")
    )


def _packages(root: Path) -> Iterator[Finding]:
    """Compare what is installed with the lock that it is nearest to."""
    locks = {path: _differences(path) for path in sorted((root / LOCKS).glob("*.txt"))}
    if not locks:
        yield Finding(Health.BAD, "packages", f"no lock file in {root / LOCKS}")
        return
    nearest = min(locks, key=lambda path: len(locks[path]))
    differences = locks[nearest]
    if differences:
        shown = "; ".join(differences[:SHOWN]) + (
            f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        )
        yield Finding(Health.BAD, "packages", f"not as {LOCKS / nearest.name}: {shown}. `make install` installs it")
    else:
        yield Finding(Health.GOOD, "packages", f"exactly as {LOCKS / nearest.name}")


def _differences(lock: Path) -> list[str]:
    found = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s+]+)(?:\+\S+)?", line.strip()):
            try:
                installed = metadata.version(match[1]).partition("+")[0]
            except metadata.PackageNotFoundError:
                installed = "missing"
            if installed != match[2]:
                found.append(f"{match[1]} {installed}, locked {match[2]}")
    return found


def _machine(root: Path) -> Iterator[Finding]:
    gpus = visible_gpus()
    yield Finding(
        Health.GOOD if gpus else Health.NOTE, "gpu", _gpu_names() if gpus else "none: the miniature needs none"
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    health = Health.GOOD if memory >= MEMORY_NEEDED_GB else Health.BAD
    yield Finding(
        health,
        "memory",
        f"{memory:.0f} GB, {cpu_count()} cores" + _wanted(health is Health.GOOD, f"{MEMORY_NEEDED_GB} GB"),
    )
    free = shutil.disk_usage(root).free / 1e9
    enough = free >= DISK_NEEDED_GB
    yield Finding(
        Health.GOOD if enough else Health.BAD, "disk", f"{free:.0f} GB free" + _wanted(enough, f"{DISK_NEEDED_GB} GB")
    )


def _gpu_names() -> str:
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    listed = subprocess.run(query, capture_output=True, text=True, check=False)
    return "; ".join(listed.stdout.split("\n")[:-1]) or "present"


def _kept(root: Path) -> Iterator[Finding]:
    """Where paid replies and unfinished trainings are kept."""
    try:
        ledgers, work = ledgers_folder(root), root / resume_root()
    except KeptFolderError as error:
        yield Finding(Health.BAD, "ledgers", str(error))
        return
    found = list(ledgers.glob("*.jsonl"))
    size = sum(file.stat().st_size for file in found) / 1e6
    why = LEDGERS_VARIABLE if os.environ.get(LEDGERS_VARIABLE) else "the checkout's own"
    why = "the project's whose experiment this is" if ledgers != root / LEDGERS and why != LEDGERS_VARIABLE else why
    yield Finding(Health.GOOD, "ledgers", f"{ledgers} ({why}): {len(found)} ledgers, {size:.1f} MB")
    missed = [own.name for own in (root / LEDGERS).glob("*.jsonl") if not (ledgers / own.name).exists()]
    if why == LEDGERS_VARIABLE and (missed := [name for name in missed if name.startswith(ORACLE_LEDGERS)]):
        text = f"{', '.join(sorted(missed))} of {root / LEDGERS} would be paid again: copy them to {ledgers}"
        yield Finding(Health.NOTE, "ledgers", text)
    why = WORK_VARIABLE if shares_work() else "the checkout's own"
    yield Finding(Health.GOOD, "work", f"{work} ({why})")


def _keys() -> Iterator[Finding]:
    for key in KEYS:
        present = bool(os.environ.get(key))
        yield Finding(
            Health.GOOD if present else Health.NOTE,
            key,
            "set" if present else "not set: only paid or gated sources need it",
        )


def _server() -> Iterator[Finding]:
    try:
        url = find_server()
    except FlowError as error:
        yield Finding(Health.BAD, "prefect server", str(error))
        return
    missing = f"none on {HOST}:{server_port()}; `reasrm ui` starts one, and a run without one is reported nowhere"
    yield Finding(Health.GOOD if url else Health.NOTE, "prefect server", url or missing)


def _settings(root: Path) -> Iterator[Finding]:
    yield Finding(Health.NOTE if edits_by_hand(root) else Health.GOOD, "profile", summary(root))


def _stages(root: Path, deep: bool) -> Iterator[Finding]:
    """Whether the stages of the present settings fit this machine, and with `deep` what their rows and model are."""
    try:
        stages = has_models(root, read_pipeline(root).stages)
        found = read_preflight(root, stages, PreflightRequest(rows=deep, check=deep)) if stages else None
    except FlowError as error:
        yield Finding(Health.NOTE, "stages", f"not estimated: {error}")
        return
    if found is None:
        return
    lines = misfits(found)
    for line in lines:
        yield Finding(Health.NOTE, "stages", line)
    if not lines:
        yield Finding(Health.GOOD, "stages", f"all fit {found['device']['name']}, by `reasrm plan`'s estimate")
    for check in found["checks"]:
        yield Finding(Health.GOOD if check["good"] else Health.NOTE, check["subject"], check["text"])
    for stage in found["stages"] if deep else ():
        yield from _rows(stage)


def _cache(root: Path) -> Iterator[Finding]:
    """Whether the objects of DVC's cache are whole; reads all of them."""
    try:
        count, damaged = damaged_objects(root)
    except (FlowError, OSError) as error:
        yield Finding(Health.NOTE, "cache", f"not looked at: {error}")
        return
    if not damaged:
        yield Finding(Health.GOOD, "cache", f"{count:,} objects, each holds what it is named by")
        return
    shown = " ".join(str(path) for path in damaged[:SHOWN]) + (" ..." if len(damaged) > SHOWN else "")
    yield Finding(
        Health.BAD,
        "cache",
        f"{len(damaged)} of {count:,} objects are damaged, and outputs restored from them would be: `rm -f {shown}`, "
        f"remove the outputs that came from them, then `dvc pull` or `reasrm run` makes them anew",
    )


def _rows(stage: Mapping[str, Any]) -> Iterator[Finding]:
    """How many of a stage's rows fit its limit."""
    rows = stage["rows"]
    if rows is None:
        return
    share = rows["share_that_fits"]
    text = (
        f"{share:.1%} of {rows['rows']:,} fit {rows['limit']} tokens (median {rows['tokens']['median']}, most "
        f"{rows['tokens']['most']})"
    ) + (f", {rows['unrenderable']:,} unrenderable" if rows["unrenderable"] else "")
    yield Finding(Health.GOOD if share >= ROWS_THAT_SHOULD_FIT else Health.NOTE, f"rows of {stage['stage']}", text)


def _wanted(fits: bool, what: str) -> str:
    return "" if fits else f" ({what} is needed)"
