"""The night and the weekly evaluation as Prefect flows at a real server: names of states, artifacts, a notification."""

import inspect
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.nights.night import NIGHT_LOCK
from reasrm.runtime.process_lock import hold
from tests.flows.processes import LONG
from tests.flows.toy_nights import BETTER, JUDGE, make_nights_project, set_skill
from tests.flows.toy_project import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AUTOMATIONS = Path(__file__).parents[3] / "flows/automations"

RUN = """
import sys
sys.path.insert(0, ".")
from flows.nights.{module} import {flow}
state = {flow}("{model}", return_state=True)
print("STATE", state.name, "|", state.message)
"""
BLOCK = """
import sys
from prefect.blocks.notifications import CustomWebhookNotificationBlock
block = CustomWebhookNotificationBlock(
    name="night", url=sys.argv[1], method="POST", json_data={"subject": "{{subject}}", "body": "{{body}}"}
)
print(block.save(sys.argv[2], overwrite=True))
"""


def test_the_deployment_has_the_settings_of_the_command() -> None:
    from flows.nights.cli import night as command
    from flows.nights.nightly import night as flow

    of_command, of_flow = (set(inspect.signature(one).parameters) for one in (command, flow.fn))
    assert of_command - {"verbose"} == of_flow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_nights_project(tmp_path)


def prefect(project: Path, port: int, *words: str) -> str:
    """Run Python with the server of these tests; returns what it prints."""
    surroundings = environment() | {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_HOME": str(project / ".prefect"),
    }
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=project, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_flow(project: Path, port: int, module: str, flow: str) -> str:
    """Run a flow; returns its final state's name and message."""
    printed = prefect(project, port, "-c", RUN.format(module=module, flow=flow, model=JUDGE))
    return next(line.removeprefix("STATE ") for line in printed.splitlines() if line.startswith("STATE "))


@pytest.fixture
def told() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """A service that notifications go to: its port, and what came."""
    came: list[dict[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, came
        server.shutdown()


def test_a_night_ends_in_a_state_that_says_what_came_of_it_and_is_notified(
    project: Path, server_port: int, told: tuple[int, list[dict[str, str]]]
) -> None:
    port, came = told
    block = prefect(project, server_port, "-c", BLOCK, f"http://127.0.0.1:{port}/", f"b{uuid.uuid4().hex}").strip()
    for name in ("night-promoted", "night-failed"):
        text = (AUTOMATIONS / f"{name}.yaml").read_text().replace("BLOCK_ID", block)
        (project / f"work-{name}.yaml").write_text(text)
        prefect(project, server_port, "-m", "prefect", "automation", "create", "--from-file", f"work-{name}.yaml")
        (project / f"work-{name}.yaml").unlink()

    (project / "exit").write_text("3")
    assert run_flow(project, server_port, "nightly", "night").startswith("Stopped | the run stopped (exit status 3)")
    (project / "exit").unlink()
    assert run_flow(project, server_port, "nightly", "night").startswith("Promoted | night-")
    assert run_flow(project, server_port, "nightly", "night").startswith("Kept | night-")
    set_skill(project, BETTER)
    assert "Promoted | night-" in run_flow(project, server_port, "nightly", "night")

    deadline = time.monotonic() + LONG
    while len(came) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    subjects = [one["subject"] for one in came]
    assert sorted(subjects) == ["Promoted", "Promoted", "reasrm-night: Stopped"]
    assert any("gain over grpo-full" in one["body"] for one in came)


def test_a_fixed_checkpoint_is_judged_anew_and_what_moved_is_told(
    project: Path, server_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REASRM_LEDGERS", str(project / "ledgers"))

    def evaluate() -> str:
        return run_flow(project, server_port, "evaluation", "evaluation")

    def kept() -> dict[str, bytes]:
        """What an evaluation must leave: all that the project tracks, made and noted, and the run cache."""
        return {
            str(path): path.read_bytes()
            for place in ("dvc.lock", "champion.json", "stages.run", "data", "ledgers", ".dvc/cache/runs")
            for path in [project / place, *(project / place).rglob("*")]
            if path.is_file()
        }

    assert evaluate().startswith("Failed | dvc.lock has no judgments")
    run_flow(project, server_port, "nightly", "night")
    before = kept()
    assert evaluate().startswith("Same | the same bytes")
    space = project / "work/evaluation" / JUDGE
    ran = (space / "stages.run").read_text()
    assert ran.startswith(f"judge {JUDGE}"), ran
    assert ran.count("\n") == 1, "the judge alone runs"
    (project / "driver").write_text("other")
    found = evaluate()
    assert found.startswith(("WithinChance | other judgments", "Moved | other judgments"))
    assert "on 60 questions" in found
    assert found == evaluate(), "each is compared with the project's judgments, not with the last evaluation's"
    assert kept() == before

    (project / "judge-exit").write_text("3")
    assert evaluate().startswith("Stopped | judge@grpo-full did not come to its end (exit status 3)")
    (project / "judge-exit").unlink()
    with hold(project / NIGHT_LOCK):
        assert "another night or evaluation is alive" in evaluate()
    set_skill(project, BETTER)
    assert "is not up to date" in evaluate()
    assert kept() == before
