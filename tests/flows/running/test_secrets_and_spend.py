"""A real run of the oracle's stages in Prefect: the keys are nowhere afterwards, and the spend is where it belongs.

Run:     pytest -m slow tests/flows/running/test_secrets_and_spend.py        (some minutes; no model)
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from reasrm.fake_vendor.settings import FakeVendorSettings
from reasrm.miniature.oracle_server import local_oracle
from tests.flows.real_project import change_params, copy_pipeline
from tests.flows.toy_project import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CANARIES = {"ANTHROPIC_API_KEY": "sk-ant-canary-0815-of-anthropic", "OPENAI_API_KEY": "sk-canary-0816-of-openai"}


class Place(NamedTuple):
    """Where a run may write."""

    top: Path
    """Everything but Prefect's: the project with few pairs, home, temporary files, DVC's own."""
    port: int
    """Of the Prefect server."""
    database: Path
    """Prefect's."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, server_root: Path, server_port: int) -> Place:
    """The places, made."""
    top = tmp_path_factory.mktemp("canary")
    for name in ("home", "tmp", "dvc"):
        (top / name).mkdir()
    copy_pipeline(top / "project")
    change_params(
        top / "project",
        collect_pairs={"counts": {"distill": 80, "reinforce": 40, "dev": 20}},
        distill_traces={"endpoint": "environment"},
    )
    return Place(top, server_port, server_root / ".prefect/prefect.db")


def run(place: Place, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`reasrm run` up to the filter, with keys that are canaries and the SDKs at their most talkative."""
    surroundings = environment() | CANARIES | {
        "ANTHROPIC_BASE_URL": url,
        "OPENAI_BASE_URL": f"{url}/v1",
        "ANTHROPIC_LOG": "debug",
        "OPENAI_LOG": "debug",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_SERVER_API_PORT": str(place.port),
        "HOME": str(place.top / "home"),
        "TMPDIR": str(place.top / "tmp"),
        "DVC_SITE_CACHE_DIR": str(place.top / "dvc"),
    }  # fmt: skip
    command = [sys.executable, "-m", "reasrm.cli", "run", "--to", "filter_traces", *words]
    return subprocess.run(
        command, cwd=place.top / "project", env=surroundings, capture_output=True, text=True, check=False
    )


def rows(place: Place, query: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(place.database)) as database:
        return list(database.execute(query))


def dump(place: Place) -> Iterator[str]:
    """Everything in Prefect's database: a value may lie in pieces in its file."""
    with closing(sqlite3.connect(place.database)) as database:
        yield from database.iterdump()


def oracle_artifact(place: Place) -> dict[str, dict[str, str]]:
    """The newest artifact `oracle`: by figure, then by pass."""
    (data, *_), *_ = rows(place, "select data from artifact where key = 'oracle' order by created desc")
    table = json.loads(data)
    return {row["oracle"]: row for row in (json.loads(table) if isinstance(table, str) else table)}


def test_no_key_is_left_anywhere_and_the_artifact_holds_the_spend_also_of_a_run_that_stopped(place: Place) -> None:
    with local_oracle(FakeVendorSettings(credit_usd=0.05)) as url:
        stopped = run(place, url)
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    spend = oracle_artifact(place)
    assert 0 < float(spend["usd"]["first"]) <= 0.1
    assert 0 < int(spend["still_to_ask"]["first"]) < 80

    with local_oracle() as url:
        short = run(place, url, "--budget-usd", "0.06")
        done = run(place, url)
    assert short.returncode == 3
    assert "--budget-usd" in short.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    spend = oracle_artifact(place)
    metrics = {
        which: json.loads((place.top / f"project/data/traces/{which}.metrics.json").read_text())
        for which in ("first", "second")
    }
    for figure in ("usd", "input_tokens", "output_tokens", "cache_read_tokens", "replies"):
        assert {which: spend[figure][which] for which in metrics} == {
            which: str(metrics[which][figure]) for which in metrics
        }
    assert "still_to_ask" not in spend

    files = {file: file.read_bytes() for file in place.top.rglob("*") if file.is_file()}
    said = "\n".join(text for ended in (stopped, short, done) for text in (ended.stdout, ended.stderr))
    database = "\n".join(dump(place))
    for canary in CANARIES.values():
        assert not [str(file) for file, content in files.items() if canary.encode() in content]
        assert canary not in said
        assert canary not in database

    logs = [content for file, content in files.items() if file.parent.name == "logs"]
    assert any(b"Request options" in log or b"HTTP Request" in log for log in logs), "the SDKs did not talk"
    assert "distill_traces@first" in database
    assert rows(place, "select parameters from flow_run order by created desc")[0][0] is not None
    assert rows(place, "select count(*) from log")[0] > (0,)
