"""The page in a real Chromium: hostile texts run nothing and ask for nothing, and the page fits a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: apt-get install chromium"),
]


TIMEOUT_MS = 120_000
"""Generous: other work may keep the machine busy."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium without network habits of its own."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield running
        running.close()


@pytest.fixture
def hostile_file(hostile_page: str, tmp_path: Path) -> Path:
    """The hostile page as a file."""
    file = tmp_path / "index.html"
    file.write_text(hostile_page, encoding="utf-8")
    return file


@pytest.fixture
def made_up_file(made_up_page: str, tmp_path: Path) -> Path:
    """The made-up page as a file."""
    file = tmp_path / "made_up.html"
    file.write_text(made_up_page, encoding="utf-8")
    return file


def test_hostile_texts_run_nothing_and_ask_for_nothing(browser: Any, hostile_file: Path) -> None:
    page = browser.new_page()
    requests: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(hostile_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.wait_for_timeout(300)
    assert requests == [hostile_file.as_uri()]
    assert dialogs == []
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.url == hostile_file.as_uri()
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("img, iframe, object, embed, link, form, base").count() == 0


def test_our_own_script_runs_under_the_policy(browser: Any, made_up_file: Path) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(made_up_file.as_uri())
    page.get_by_role("button", name="neither is right").click()
    shown = page.locator("details.example:visible")
    assert 0 < shown.count() < page.locator("details.example").count()
    assert set(shown.evaluate_all("all => all.map(one => one.dataset.kind)")) == {"neither is right"}
    assert complaints == []


def test_everything_can_be_read_without_scripts(browser: Any, made_up_file: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(made_up_file.as_uri())
    assert page.locator("details.example").count() == 12
    assert page.locator("svg.plot").first.is_visible()
    assert page.locator("button").count() == 0


@pytest.mark.parametrize("width", [400, 768, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_sideways(browser: Any, made_up_file: Path, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(made_up_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [400, 1400])
def test_text_in_plots_is_large_enough(browser: Any, made_up_file: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(made_up_file.as_uri())
    heights = page.evaluate(
        "[...document.querySelectorAll('svg.plot text')].filter(t => t.textContent.trim())"
        ".map(t => t.getBoundingClientRect().height)"
    )
    assert min(heights) >= 8
