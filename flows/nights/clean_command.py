"""The command `reasrm clean` from its options to what it says."""

from pathlib import Path

from flows.nights.cache_cleaning import clean_cache
from flows.nights.clean import clean
from reasrm.runtime.terminal import say

MIB = 2**20


def clean_up(root: Path, keep: int, *, cache: bool, dry_run: bool) -> None:
    """Remove old resume folders and, if asked, what DVC's cache no longer needs; say what.

    Raises:
        FlowError: a run is alive, DVC fails, or the champion would be lost.
    """
    would = "would remove" if dry_run else "removed"
    old = clean(root, keep, dry_run=dry_run)
    for folder in old:
        path = folder.path.relative_to(root) if folder.path.is_relative_to(root) else folder.path
        say(f"{would} {path} ({folder.bytes / MIB:,.1f} MiB)")
    if not old:
        say(f"no stage has more than {keep} resume folders")
    if cache:
        unused = clean_cache(root, dry_run=dry_run)
        say(
            f"{would} {unused.number:,} objects of DVC's cache ({unused.bytes / MIB:,.1f} MiB), which neither the "
            f"workspace, nor a tag, nor a workspace below work/ needs"
        )
