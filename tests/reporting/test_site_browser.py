"""The pages in a real Chromium: hostile texts run nothing, they fit phone and paper, and axe finds no violation."""

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

BENCHMARKS = "pages/benchmarks.html"

A4_WIDTH = 711
"""Pixels between the margins of a printed page."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium without network habits of its own."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield running
        running.close()


PATHS = ("index.html", *(f"pages/{name}.html" for name in ("benchmarks", "probes", "policy", "training", "data")))


@pytest.mark.parametrize("path", PATHS)
def test_hostile_texts_run_nothing_and_ask_for_nothing(browser: Any, hostile_folder: Path, path: str) -> None:
    page, hostile_file = browser.new_page(), hostile_folder / path
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
    for width in (390, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        beyond = page.evaluate(
            "() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]"
            ".filter(one => !one.closest('svg') && one.getBoundingClientRect().right > innerWidth + 1)"
            ".map(one => `${one.parentElement.className} ${one.tagName} ${one.className}`)"
        )
        assert beyond == [], "a text pushes the page out"


def test_our_own_script_runs_under_the_policy(browser: Any, made_up_folder: Path) -> None:
    page, made_up_file = browser.new_page(), made_up_folder / BENCHMARKS
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


def test_everything_can_be_read_without_scripts(browser: Any, made_up_folder: Path) -> None:
    made_up_file = made_up_folder / BENCHMARKS
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(made_up_file.as_uri())
    assert page.locator("details.example").count() >= 12
    assert page.locator("svg.plot").first.is_visible()
    assert page.locator("button").count() == 0


@pytest.mark.parametrize("width", [390, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_sideways(browser: Any, made_up_folder: Path, width: int, scheme: str) -> None:
    for path in PATHS:
        page = opened(browser, made_up_folder / path, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_no_violation(browser: Any, made_up_folder: Path, path: str, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    results = axe.Axe().run(opened(browser, made_up_folder / path, width, scheme))
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [390, 800, 1400])
def test_no_text_is_smaller_than_eleven_pixels(browser: Any, made_up_folder: Path, path: str, width: int) -> None:
    small = opened(browser, made_up_folder / path, width).evaluate(
        """() => {
          const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const parent = texts.currentNode.parentElement;
            if (!texts.currentNode.textContent.trim() || parent.closest("script, style")) continue;
            const scale = parent.closest("svg") ? parent.getScreenCTM().a : 1;
            const size = scale * parseFloat(getComputedStyle(parent).fontSize);
            if (size < 11) found.push(size + ": " + texts.currentNode.textContent);
          }
          return found;
        }"""
    )
    assert small == []


PAIR = (".versus .badge.wrong", ".versus .badge.right")


@pytest.mark.parametrize(("width", "height", "shown"), [(390, 844, PAIR), (1400, 900, (".ladder .dot-table", *PAIR))])
def test_the_first_screen_shows_both_verdicts_and_where_it_is_wide_the_ladder(
    browser: Any, made_up_folder: Path, width: int, height: int, shown: tuple[str, ...]
) -> None:
    made_up_file = made_up_folder / "index.html"
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(made_up_file.as_uri())
    for wanted in shown:
        box = page.locator(wanted).bounding_box()
        assert box["y"] + box["height"] <= height, wanted


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [390, 1000, 1280, 1400])
def test_labels_stay_inside_their_plots_and_cells(browser: Any, made_up_folder: Path, path: str, width: int) -> None:
    outside = opened(browser, made_up_folder / path, width).evaluate(
        """() => {
          const found = [];
          for (const plot of document.querySelectorAll("svg.plot")) {
            const edge = plot.getBoundingClientRect();
            for (const text of plot.querySelectorAll("text")) {
              const box = text.getBoundingClientRect();
              if (box.left < edge.left - 1 || box.right > edge.right + 1) found.push(text.textContent);
            }
          }
          for (const mark of document.querySelectorAll("td.dots path, td.dots .ring")) {
            const edge = mark.closest("td").getBoundingClientRect(), box = mark.getBoundingClientRect();
            if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1
                || box.bottom > edge.bottom + 1) found.push(mark.outerHTML);
          }
          for (const mark of document.querySelectorAll(".slices td.dots path"))
            if (mark.getBoundingClientRect().right > innerWidth) found.push("beyond the screen: " + mark.outerHTML);
          for (const sheet of document.querySelectorAll(".ladder, .trust-card"))
            for (const cell of sheet.querySelectorAll("th, td, .badge"))
              if (cell.getBoundingClientRect().right > sheet.getBoundingClientRect().right + 1)
                found.push(cell.textContent);
          for (const cell of document.querySelectorAll("table.heat th, table.heat td"))
            if (cell.scrollWidth > cell.clientWidth + 1) found.push(cell.textContent);
          return found;
        }"""
    )
    assert outside == []


def test_a_link_to_an_example_opens_it(browser: Any, made_up_folder: Path) -> None:
    page, made_up_file = browser.new_page(), made_up_folder / BENCHMARKS
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(made_up_file.as_uri())
    link = page.locator("#transitions ~ .grounds a").first
    example = page.locator(link.get_attribute("href"))
    assert not example.evaluate("one => one.open")
    link.click()
    page.wait_for_function("id => document.querySelector(id).open", arg=link.get_attribute("href"))
    assert page.locator(".toc").count() == 1


def test_an_address_of_the_one_page_of_old_leads_to_where_its_section_went(browser: Any, made_up_folder: Path) -> None:
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto((made_up_folder / "index.html").as_uri() + "#rollouts")
    page.wait_for_url("**/pages/training.html#rollouts")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Overview").click()
    page.wait_for_url("**/index.html")
    assert page.locator(".opening").count() == 1


def test_a_card_leads_to_the_probe_and_the_probe_to_its_traces(browser: Any, made_up_folder: Path) -> None:
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto((made_up_folder / "index.html").as_uri())
    page.locator(".trust-card", has_text="SFT on traces").get_by_role("link", name="order").click()
    page.wait_for_url("**/pages/probes.html#probe-order")
    section = page.locator("#probe-order")
    assert section.locator("ul.answer").is_visible()
    assert not section.locator("table").is_visible(), "figures are folded behind the answer"
    links = section.locator("a[href*='traces.html']")
    assert links.evaluate_all("all => all.map(one => one.getAttribute('href'))") == [
        f"traces.html#model={model}&flags=flipped" for model in ("base", "sft", "grpo-full", "scalar_rm")
    ]


def test_replies_of_an_example_stand_side_by_side(browser: Any, made_up_folder: Path) -> None:
    replies = (
        opened(browser, made_up_folder / BENCHMARKS, 1400)
        .locator("details.example")
        .first.locator(".pair-columns")
        .last
    )
    first, second = (replies.locator("> div").nth(at).bounding_box() for at in (0, 1))
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] <= second["x"]


@pytest.mark.parametrize("path", PATHS)
def test_print_cuts_nothing_off(browser: Any, made_up_folder: Path, path: str) -> None:
    page = printed(browser, made_up_folder / path)
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH
    assert not page.locator("nav.toc").is_visible()
    assert not page.locator("nav.site").is_visible()


def test_print_keeps_colours_and_columns(browser: Any, made_up_folder: Path) -> None:
    columns = "one => getComputedStyle(one).gridTemplateColumns.split(' ').length"
    page = printed(browser, made_up_folder / BENCHMARKS)
    cell = page.locator("table.styles td").first
    assert cell.evaluate("cell => getComputedStyle(cell).printColorAdjust") == "exact"
    sheet = page.locator(".two > .sheet:only-child").first.bounding_box()
    assert sheet["width"] > 0.8 * A4_WIDTH, "a sheet alone takes the whole width"
    page = printed(browser, made_up_folder / "pages/training.html")
    assert page.locator(".plots").first.evaluate(columns) == 3
    page = printed(browser, made_up_folder / "index.html")
    assert page.locator(".versus").evaluate(columns) == 2
    names = page.locator(".ladder tbody th")
    assert {names.nth(at).evaluate("one => getComputedStyle(one).whiteSpace") for at in range(names.count())} == {
        "nowrap"
    }


def printed(browser: Any, file: Path) -> Any:
    """The page as on paper."""
    page = opened(browser, file, A4_WIDTH)
    page.emulate_media(media="print")
    return page


def opened(browser: Any, file: Path, width: int, scheme: str = "light") -> Any:
    """The page in a window of this width, every collapsible part open."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    return page
