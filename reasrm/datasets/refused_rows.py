"""Rows that are not used, when a stage fails because none is left: kept where no output is, and shown in its message.

A failed stage leaves its outputs as they were, so the account of what it refused stands in its work folder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasrm.datasets.folder_files import printable_text
from reasrm.records.jsonl import write_records
from reasrm.runtime.kept_folders import WORK

LONGEST_DETAIL = 300


def keep_refused(stage: str, name: str, refused: Sequence[dict[str, Any]]) -> str:
    """Write the refused rows (`{file, place, reason, detail}`) of a stage that fails; returns what its message says."""
    file = refused_file(stage, name)
    write_records(file, refused)
    if not refused:
        return "there is no row at all"
    first = refused[0]
    detail = f"{first['reason']}: {first['detail']}" if first["detail"] else first["reason"]
    shown = printable_text(detail if len(detail) <= LONGEST_DETAIL else f"{detail[:LONGEST_DETAIL]}...")
    return f"the first of {len(refused)} refused is {first['file']} at {first['place']}: {shown}; all are in {file}"


def forget_refused(stage: str, name: str) -> None:
    """Remove what an earlier failure of the stage left, when it has succeeded: its own outputs hold the account now."""
    refused_file(stage, name).unlink(missing_ok=True)


def refused_file(stage: str, name: str) -> Path:
    """Where they are kept."""
    return WORK / stage / name
