"""Prefect's own UI in a real Chromium: "Cancel" on the page of a `reasrm run` ends it."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.flows.processes import LONG, is_alive, survivors
from tests.flows.running.test_flow_run import flow_runs, outcomes, start_hanging

CHROMIUM = Path("/usr/bin/chromium")
GONE_WITHIN = 5.0
"""Seconds from the click to the end of the last process."""
LOADING_MS = 120_000
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: apt-get install chromium")
def test_cancel_in_the_ui_ends_a_run_with_all_its_processes(toy: Path, server_port: int) -> None:
    from playwright.sync_api import expect, sync_playwright

    flow, stage = start_hanging(toy, {"PREFECT_SERVER_API_PORT": str(server_port)})
    try:
        started = processes_below(flow.pid) | set(stage)
        run = flow_runs(server_port)[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(LOADING_MS)
            page.goto(f"http://127.0.0.1:{server_port}/runs/flow-run/{run['id']}")
            page.get_by_role("button", name="Cancel", exact=True).click()
            confirm = page.get_by_role("dialog").get_by_role("button", name="Confirm", exact=True)
            confirm.wait_for()
            assert all(map(is_alive, stage)), "the stage ended before it was cancelled"
            clicked = time.monotonic()
            confirm.click()
            left = survivors(started, LONG)
            took = time.monotonic() - clicked
            expect(page.locator(".state-badge").first).to_have_text("Cancelled", timeout=LOADING_MS)
            browser.close()
        assert not left
        assert took <= GONE_WITHIN, f"the processes of the stage were gone {took:.1f} s after the click"
        assert flow.wait(LONG) == 130
    finally:
        flow.kill()
    assert flow_runs(server_port)[0]["state"]["name"] == "Cancelled"
    assert outcomes(toy)["b@slow"] == "Stopped"


def processes_below(parent: int) -> set[int]:
    """The supervisors, DVC's and the stages' processes that a run has started."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(above) for pid, above in (line.split() for line in listed.splitlines())}
    found = {parent}
    while more := {pid for pid, above in parents.items() if above in found} - found:
        found |= more
    return found - {parent}
