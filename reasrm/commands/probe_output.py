"""Where `reasrm probe --out` writes: folders written anew, so nothing but its own results may stand in them.

What is written takes the place of the folder and of all that is in it. A folder counts as one of its own results only
if it holds a probe's files and nothing else: a project's `data` with `data/probes` in it does not, nor does a model's
folder there, which DVC tracks.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from reasrm.records.content_hash import content_hash

OWN_FILES = ("measures.json", "judgments.jsonl")
"""What each result holds (`reasrm.probes.measures_file.MEASURES`, `reasrm.probes.from_files.probing.JUDGMENTS`)."""
_OWN_FILE = re.compile(r"(measures|question_values)\.json|\w+(\.judgments)?\.jsonl")
LONGEST_NAME = 50
"""Characters of a judge's name in that of its folder; file systems allow 255 bytes."""


def output_fault(out: Path) -> str:
    """Why nothing may be written to the folder `out`; empty if it may."""
    out = out.resolve()
    if out == Path.cwd() or out in Path.cwd().parents:
        return "--out is the folder that you are in, or one around it: name a folder of its own"
    if out.exists() and not out.is_dir():
        return "--out is a file or a device: name a folder"
    if out.is_dir() and not _is_own(out):
        return (
            f"--out {out}: holds something else than the results of an earlier `reasrm probe --out`, and would be "
            "replaced; name another folder"
        )
    return ""


def replies_file(out: Path) -> Path:
    """Where the replies are kept: beside the folder, which is written anew."""
    return out.with_name(f"{out.name}.replies.jsonl")


def judge_folders(out: Path, judges: Sequence[str]) -> list[Path]:
    """A folder below `out` for each judge of a log, whose names may be any text; no two share one."""
    plain = [re.sub(r"[^\w.-]+", "_", judge).lstrip(".")[:LONGEST_NAME] or "_" for judge in judges]
    taken = [name.casefold() for name in plain]  # some file systems know no case
    return [
        out / (name if taken.count(name.casefold()) == 1 else f"{name}-{content_hash(judge)[:8]}")
        for judge, name in zip(judges, plain, strict=True)
    ]


def _is_own(folder: Path) -> bool:
    """Whether the folder is empty or holds one result of ours and nothing else."""
    names = {entry.name for entry in folder.iterdir()}
    files = all((folder / name).is_file() and _OWN_FILE.fullmatch(name) for name in names)
    return not names or (files and names.issuperset(OWN_FILES))
