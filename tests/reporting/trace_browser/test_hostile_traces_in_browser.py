"""Traces that try to be more than text, and very long ones, in a real Chromium."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from reasrm.records.harmless_text import harmless
from tests.reporting.hostile_run import HOSTILE
from tests.reporting.trace_browser.browser_run import part_of, with_question, written_browser
from tests.reporting.trace_browser.opened_page import TIMEOUT_MS, address_of, count, opened, waits_for_count

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no /usr/bin/chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def hostile_folder(hostile_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trace browser of a part of the hostile run."""
    folder = tmp_path_factory.mktemp("hostile")
    written_browser(part_of(hostile_data, folder / "data", ["base", "sft"], "rm_bench"), folder / "report")
    return folder / "report"


def test_hostile_texts_are_shown_and_run_nothing(chromium: Any, hostile_folder: Path) -> None:
    page = chromium.new_page()
    requests: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.set_default_timeout(TIMEOUT_MS)
    page.goto((hostile_folder / "pages/traces.html").as_uri())
    page.wait_for_selector("body[data-ready]")
    page.locator(".row").first.click()
    page.wait_for_selector(".trace")
    assert "<script>window.pwned=1" in page.locator(".asked").inner_text()
    assert harmless(HOSTILE)[:1200] in page.locator(".judgment").first.inner_text().replace("\n", "") + harmless(
        HOSTILE
    )
    assert "⟦U+202E" in page.locator("[data-answer=A]").inner_text()
    shown = page.locator("body").inner_text()
    assert not any(sign in shown for sign in "\u202e\u200b\u2066\x1b\u2028")
    page.fill("#words", "<script>window.pwned=1")
    waits_for_count(page, count(page))
    page.reload()
    page.wait_for_selector(".trace")
    files = {(hostile_folder / "pages/traces.html").as_uri()}
    files |= {file.as_uri() for file in (hostile_folder / "traces").iterdir()}
    assert {request.split("#")[0] for request in requests} <= files
    assert dialogs == []
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.locator("img, iframe, object, embed, link, base, svg, math").count() == 0
    assert page.locator("form").count() == 1, "the dialog's own"
    assert page.evaluate("document.title").startswith("Traces")


def test_the_browser_itself_refuses_markup_and_foreign_files(chromium: Any, hostile_folder: Path) -> None:
    page = opened(chromium, hostile_folder)
    assert (
        page.evaluate("() => { try { document.body.innerHTML = '<b>x</b>'; } catch { return 'refused'; } }")
        == "refused"
    )
    added = """() => {
      const script = document.createElement('script');
      try { script.src = '../traces/0000.js'; } catch { return 'refused'; }
    }"""
    assert page.evaluate(added) == "refused"


def test_a_text_of_a_hundred_thousand_characters_is_folded_until_it_is_asked_for(
    chromium: Any, made_up_data: Path, tmp_path: Path
) -> None:
    data = part_of(made_up_data, tmp_path / "data", ["sft"], "rm_bench")
    long = "".join(f"{number} mice. " for number in range(10_000))[:100_000]
    item_id = with_question(data, "rm_bench", long)
    written_browser(data, tmp_path / "report")
    page = opened(chromium, tmp_path / "report", address_of("sft", "rm_bench", item_id, "A"))
    page.wait_for_selector(".trace")
    box = page.locator(".asked")
    assert len(box.locator(".text").inner_text()) < 5_000
    box.get_by_role("button", name="Show all 100,000 characters").click()
    assert box.locator(".text").evaluate("one => one.textContent") == long
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("button.more").count() == 0
    shutil.rmtree(data)
    assert page.complaints == []
