"""Preference pairs of a user's file as items of probes, in every format that pairs for training may have."""

from pathlib import Path
from typing import NamedTuple

from reasrm.datasets.preference_rows import preference_pair
from reasrm.datasets.row_fields import Refusal, RowRefusedError, prompt_group
from reasrm.datasets.row_files import rows_of
from reasrm.probes.query import ProbeItem
from reasrm.runtime.stage_main import StageError


class FileItems(NamedTuple):
    """What a file holds."""

    items: list[ProbeItem]
    refused: list[str]
    """Rows that are no pair: where each stands, and why."""


def items_of_file(file: Path) -> FileItems:
    """The pairs of `file`, in order; an item is named by where it stands (line from 1, index in a list from 0).

    Raises:
        StageError: there is no such file, or no pair in it; says why its first row is none.
    """
    if not file.is_file():
        what = "is no file (a folder, a pipe or a device)" if file.exists() else "there is no such file"
        raise StageError(f"{file}: {what}; name a file of preference pairs (prompt, chosen, rejected)")
    items, refused = list[ProbeItem](), list[str]()
    for row in rows_of(file, file.name):
        try:
            if row.fault is not None:
                raise row.fault
            pair = preference_pair(row.row, file.stem)
            if pair.chosen == pair.rejected:
                raise RowRefusedError(Refusal.IDENTICAL, "both answers are the same, so no verdict on them is right")
        except RowRefusedError as error:
            refused.append(f"row {row.place}: {error.detail}")
            continue
        items.append(ProbeItem(file.stem, str(row.place), prompt_group(pair.prompt), pair))
    if not items:
        raise StageError(f"{file}: holds no preference pair ({refused[0]})")
    return FileItems(items, refused)
