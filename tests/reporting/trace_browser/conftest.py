"""Fixtures of the trace browser's tests: a run with a probe's rows, and its browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.trace_browser.browser_run import Written, read_back, with_probes, written_browser


@pytest.fixture(scope="session")
def probed_data(made_up_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up run with a probe's rows; do not write into it."""
    return with_probes(made_up_data, tmp_path_factory.mktemp("probed") / "data")


@pytest.fixture(scope="session")
def browser_folder(probed_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report's folder with the trace browser of that run."""
    folder = tmp_path_factory.mktemp("report")
    written_browser(probed_data, folder)
    return folder


@pytest.fixture(scope="session")
def browser_data(browser_folder: Path) -> Written:
    """What its data files hold."""
    return read_back(browser_folder)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A Chromium without network habits of its own, closed with its module: Playwright keeps an event loop running."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield running
        running.close()
