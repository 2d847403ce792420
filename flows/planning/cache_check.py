"""Whether DVC's cache holds what it says: an object is named by the MD5 of its bytes.

DVC trusts its write-protected objects, and would hand a damaged one on as an output that is up to date.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from flows.running.stage_outcome import FlowError

NAME = re.compile(r"([0-9a-f]{30})(\.dir)?")
"""Of an object in the folder of its first two digits; `.dir` is a list of files."""


def damaged_objects(root: Path) -> tuple[int, list[Path]]:
    """How many objects the cache of the project in `root` holds, and those whose bytes are not what they are named by.

    Raises:
        FlowError: DVC cannot say where its cache is.
    """
    damaged, count = [], 0
    for count, path in enumerate(_objects(_cache(root)), start=1):  # noqa: B007  the last count is the number
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != path.parent.name + path.name.removesuffix(".dir"):
            damaged.append(path)
    return count, damaged


def _objects(cache: Path) -> Iterator[Path]:
    for path in sorted(cache.glob("files/md5/??/*")):
        if path.is_file() and NAME.fullmatch(path.name):
            yield path


def _cache(root: Path) -> Path:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            return Path(repo.cache.local_cache_dir)
    except DvcException as error:
        raise FlowError(f"{root}: DVC's cache cannot be found: {error}") from error
