"""What a real Prefect server has of a run: lines, progress, cost, curves, names, tags, and a link that opens."""

import json
import platform
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.flows.processes import LONG
from tests.flows.server.conftest import Project
from tests.flows.server.failing_artifacts import failing_artifacts

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def asked(port: int, what: str, **filters: Any) -> list[dict[str, Any]]:
    """What the server has."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{what}/filter",
        data=json.dumps({"limit": 200, **filters}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        return list(json.load(reply))


def waited_for(ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What the server has, as soon as it has something."""
    deadline = time.monotonic() + LONG
    while not (found := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found


def created_run(api: str, deployment: str) -> list[dict[str, Any]]:
    """A new flow run of the deployment; none while the server's SQLite is locked, for which Prefect's clients wait."""
    request = urllib.request.Request(
        f"{api}/deployments/{deployment}/create_flow_run",
        data=json.dumps({"parameters": {"force": ["train"]}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return [json.load(reply)]
    except HTTPError as refused:
        if refused.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return []


class Shown:
    """What the server has of a run, by default of the newest one."""

    def __init__(self, port: int, run: dict[str, Any] | None = None) -> None:
        self.port = port
        self.run = run or asked(port, "flow_runs", sort="START_TIME_DESC")[0]
        which = {"flow_runs": {"id": {"any_": [self.run["id"]]}}}
        self.artifacts = {one["key"]: one for one in asked(port, "artifacts", **which)}
        self.tasks = {one["name"].partition(" ")[0]: one for one in asked(port, "task_runs", **which)}

    def log(self, stage: str, last: str) -> list[str]:
        """The lines of a stage's task, once the last one has come."""
        which = {"logs": {"task_run_id": {"any_": [self.tasks[stage]["id"]]}}, "sort": "TIMESTAMP_ASC"}
        deadline = time.monotonic() + LONG
        while True:
            lines = [one["message"] for one in asked(self.port, "logs", **which)]
            if last in lines:
                return lines
            assert time.monotonic() < deadline, lines
            time.sleep(0.2)


Ran = tuple[Shown, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def first_run(shown: Project) -> Ran:
    """The first run of everything, and the progress artifacts as they were on the way."""
    command = [sys.executable, "-m", "reasrm.cli", "run"]
    run = subprocess.Popen(command, cwd=shown.root, env=shown.environment, stdout=subprocess.PIPE, text=True)
    on_the_way = []
    while run.poll() is None:
        on_the_way += asked(shown.port, "artifacts", artifacts={"type": {"any_": ["progress"]}})
        time.sleep(0.3)
    assert run.stdout is not None
    assert run.returncode == 0, run.stdout.read()
    return Shown(shown.port), on_the_way


def test_a_stages_lines_arrive_and_raw_metrics_do_not(first_run: Ran) -> None:
    lines = first_run[0].log("train", "train: 9 steps, loss `0.111` <img src=x>")
    assert [line for line in lines if line.startswith("train: step")] == [
        f"train: step {step}/9, loss {1 / step:.3f}, {9 - step} s left" for step in range(1, 10)
    ]
    assert not [line for line in lines if "grad_norm" in line]
    flood = [line for line in first_run[0].log("flood", "flood: line 4999") if line.startswith(("flood", "("))]
    assert len(flood) < 500
    assert flood[-25:] == [f"flood: line {number}" for number in range(4975, 5000)]
    assert sum("lines left out here; all are in work/logs/flood.log" in line for line in flood) >= 1


def test_progress_grows_and_ends_at_100(first_run: Ran) -> None:
    shown, on_the_way = first_run
    train = [float(one["data"]) for one in on_the_way if one["key"] == "progress-train"]
    assert any(0 < value < 100 for value in train)
    assert train == sorted(train)
    assert float(shown.artifacts["progress-train"]["data"]) == 100
    assert shown.artifacts["progress-train"]["task_run_id"] == shown.tasks["train"]["id"]
    description = shown.artifacts["progress-train"]["description"]
    assert description.startswith("train Completed after")
    assert description.endswith("`` train: 9 steps, loss `0.111` <img src=x> ``")
    assert "progress-report" not in shown.artifacts  # it said nothing of how far it was


def test_the_cost_is_told_while_it_grows_and_at_the_end(first_run: Ran) -> None:
    shown, on_the_way = first_run
    told = [one for one in on_the_way if one["key"] == "progress-distill-traces-first"]
    assert any("$1.25 so far." in one["description"] and float(one["data"]) == 75 for one in told)
    last = shown.artifacts["progress-distill-traces-first"]
    assert "$1.50 so far." in last["description"]
    assert float(last["data"]) == 100


def test_a_training_has_its_curves(first_run: Ran) -> None:
    curves = first_run[0].artifacts["curves-train"]
    assert curves["type"] == "markdown"
    assert "loss: 1 at step 1, 0.111 at step 9" in curves["data"]
    assert "curves-report" not in first_run[0].artifacts


def test_names_tags_and_reasons(first_run: Ran, shown: Project) -> None:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=shown.root, capture_output=True, text=True, check=True).stdout.strip()
    run = first_run[0].run
    assert run["name"].endswith(f" · {commit}")
    assert {f"commit:{commit}", f"host:{platform.node()}"} < set(run["tags"])
    assert any(tag.startswith("profile:") for tag in run["tags"])
    assert all(" · " in task["name"] for task in first_run[0].tasks.values())


def test_a_failed_stage_stays_where_it_was_and_its_last_words_are_no_metrics(shown: Project, first_run: Ran) -> None:
    (shown.root / "fail").touch()
    assert shown.reasrm("run", "--to", "distill_traces", "--force", "distill_traces").returncode == 1
    (shown.root / "fail").unlink()
    failed = Shown(shown.port)
    last = failed.artifacts["progress-distill-traces-first"]
    assert float(last["data"]) == 75
    assert "distill_traces@first Failed after" in last["description"]
    message = failed.tasks["distill_traces@first"]["state"]["message"]
    assert "the key is wrong" in message
    assert "grad_norm" not in message


def test_the_link_to_the_report_opens_and_shows_the_present_report(shown: Project, first_run: Ran) -> None:
    address = f"http://127.0.0.1:{shown.report_port}/index.html"
    assert first_run[0].artifacts["report"]["data"] == f"[the report]({address})"
    with urllib.request.urlopen(address, timeout=10) as reply:
        assert reply.status == 200
        assert reply.read() == (shown.root / "data/report/index.html").read_bytes()


def test_where_nobody_serves_the_report_its_path_stands_in_words(shown: Project, first_run: Ran) -> None:
    assert shown.reasrm("run", "--force", "report", "--to", "report", REASRM_REPORT_PORT="9").returncode == 0
    told = Shown(shown.port).artifacts["report"]["data"]
    assert f"The report is the file ` {shown.root / 'data/report/index.html'} ` on ` {platform.node()} `" in told
    assert "http" not in told


def test_a_server_that_takes_no_artifact_fails_no_run(shown: Project, first_run: Ran) -> None:
    server = failing_artifacts(shown.port)
    Thread(target=server.serve_forever, daemon=True).start()
    api = f"http://127.0.0.1:{server.server_port}/api"
    words = ("run", "--to", "train", "--to", "report", "--force", "train")
    run = shown.reasrm(*words, PREFECT_API_URL=api, PREFECT_HOME=str(shown.root / ".prefect"))
    server.shutdown()
    assert run.returncode == 0, run.stdout + run.stderr
    told = Shown(shown.port)
    assert told.run["state"]["name"] == "Completed"
    assert not told.artifacts
    # No task run is known there, since those travel by a web socket, which does not pass.
    which = {"logs": {"flow_run_id": {"any_": [told.run["id"]]}}}
    lines = waited_for(lambda: [one["message"] for one in asked(shown.port, "logs", **which)])
    assert "train: 9 steps, loss `0.111` <img src=x>" in lines
    assert "Prefect lacks some of this run's tables" in "".join(lines)
    assert sum(line.startswith("Prefect's page of train is not up to date") for line in lines) == 1


def test_a_deployments_run_has_name_tags_lines_and_link_too(shown: Project, first_run: Ran) -> None:
    program = "from flows.pipeline import pipeline; pipeline.serve(name='here', tags=['by-deployment'])"
    api = f"http://127.0.0.1:{shown.port}/api"
    surroundings = shown.environment | {"PREFECT_API_URL": api, "PYTHONPATH": str(shown.root)}
    surroundings["PREFECT_HOME"] = str(shown.root / ".prefect")
    server = subprocess.Popen([sys.executable, "-c", program], cwd=shown.root, env=surroundings)
    try:
        named_here = {"name": {"any_": ["here"]}}
        (deployment,) = waited_for(lambda: asked(shown.port, "deployments", deployments=named_here))
        (made,) = waited_for(lambda: created_run(api, deployment["id"]))
        which = {"id": {"any_": [made["id"]]}, "state": {"name": {"any_": ["Completed"]}}}
        (run,) = waited_for(lambda: asked(shown.port, "flow_runs", flow_runs=which))
    finally:
        server.terminate()
        server.wait(LONG)
    assert run["name"] == first_run[0].run["name"]
    assert {*first_run[0].run["tags"], "by-deployment"} == set(run["tags"])
    told = Shown(shown.port, run)
    assert "train · --force" in {one["name"] for one in told.tasks.values()}
    assert told.log("train", "train: 9 steps, loss `0.111` <img src=x>")
    assert float(told.artifacts["progress-train"]["data"]) == 100
    assert f":{shown.report_port}/index.html" in told.artifacts["report"]["data"]


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: apt-get install chromium")
def test_in_a_browser_the_link_opens_and_the_curve_is_a_picture(shown: Project, first_run: Ran) -> None:
    from playwright.sync_api import sync_playwright

    artifacts = first_run[0].artifacts
    ui = f"http://127.0.0.1:{shown.port}/artifacts/artifact"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{ui}/{artifacts['curves-train']['id']}")
        picture = page.locator("img[src^='data:image/svg']")
        picture.wait_for()
        assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 640
        page.goto(f"{ui}/{artifacts['progress-train']['id']}")
        page.get_by_text("Progress: 100%").wait_for()
        assert page.get_by_text("loss `0.111` <img src=x>").count() == 1
        page.goto(f"{ui}/{artifacts['report']['id']}")
        link = page.get_by_role("link", name="the report")
        link.wait_for()
        link.evaluate("one => one.removeAttribute('target')")
        link.click()
        page.get_by_role("heading", name="The judges").wait_for()
        assert page.url == f"http://127.0.0.1:{shown.report_port}/index.html"
        browser.close()
