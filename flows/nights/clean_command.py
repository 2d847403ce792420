"""The command `reasrm clean` from its options to what it says."""

from pathlib import Path

from flows.nights.cache_cleaning import clean_cache, unused_objects
from flows.nights.clean import clean
from reasrm.runtime.terminal import say

MIB = 2**20


def clean_up(root: Path, keep: int, *, cache: bool, dry_run: bool) -> None:
    """Remove old resume folders and, if asked, what DVC's cache no longer needs; say what, before it is gone.

    Raises:
        FlowError: a run is alive, DVC cannot tell what is unused, or the champion would be lost.
    """
    unused = unused_objects(root) if cache else None
    would = "would remove" if dry_run else "removed"
    old = clean(root, keep, dry_run=dry_run)
    for folder in old:
        say(f"{would} {folder.path.relative_to(root)} ({folder.bytes / MIB:,.1f} MiB)")
    if not old:
        say(f"no stage has more than {keep} resume folders")
    if unused is not None:
        what = f"{unused.number:,} objects of DVC's cache ({unused.bytes / MIB:,.1f} MiB)"
        if dry_run or not unused.number:
            say(f"would remove {what}" if dry_run else "DVC's cache holds nothing unused")
            return
        say(f"removing {what}: in neither the workspace, nor a tag, nor a workspace below work/")
        clean_cache(root)
