"""dvc.lock in plan order: whatever order stages ended in, the bytes are those of `dvc repro`."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.dvc_graph import Pipeline, Stage, in_plan_order, read_pipeline, read_status, sort_lock_file
from tests.flows.toy_project import environment

NAMES = [f"s{number}" for number in range(6)]
PIPELINE = Pipeline({name: Stage(name, ()) for name in NAMES})


@given(st.permutations([*NAMES, "gone", "older"]), st.sets(st.sampled_from(NAMES)))
def test_any_order_becomes_the_plans_and_nothing_is_lost(entries: list[str], missing: set[str]) -> None:
    entries = [name for name in entries if name not in missing]
    ordered = in_plan_order(entries, PIPELINE)
    assert sorted(ordered) == sorted(entries)
    assert [name for name in ordered if name in NAMES] == [name for name in NAMES if name in entries]
    assert in_plan_order(ordered, PIPELINE) == ordered


@pytest.mark.slow
def test_a_lock_written_in_another_order_gets_the_bytes_of_dvc_repro(toy: Path) -> None:
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "repro", "-q"], cwd=toy, env=environment(), check=True)
    lock = (toy / "dvc.lock").read_bytes()
    head, *entries = (toy / "dvc.lock").read_text().split("\n  ")[0:1] + blocks(toy)
    (toy / "dvc.lock").write_text(head + "\n" + "".join(reversed(entries)))
    assert (toy / "dvc.lock").read_bytes() != lock
    pipeline = read_pipeline(toy)
    assert list(pipeline.stages) == ["a", "b@slow", "b@fast", "c", "d"]
    assert sort_lock_file(toy, pipeline)
    assert (toy / "dvc.lock").read_bytes() == lock
    assert not sort_lock_file(toy, pipeline)
    assert read_status(toy) == {}


def blocks(toy: Path) -> list[str]:
    """The text of each entry of dvc.lock."""
    found: list[str] = []
    for line in (toy / "dvc.lock").read_text().splitlines(keepends=True)[2:]:
        if line.startswith("  ") and not line.startswith("   "):
            found.append(line)
        else:
            found[-1] += line
    return found
