"""The trace browser in a real Chromium: found, read, linked, without a mouse, on a phone, on paper."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from reasrm.records.comparison import Side
from tests.reporting.trace_browser.browser_run import (
    PROBED,
    REWRITTEN,
    Written,
    probed_judgment,
    with_reasons,
    written_browser,
)
from tests.reporting.trace_browser.opened_page import address_of, count, opened, title, waits_for_count

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no /usr/bin/chromium: apt-get install chromium"),
]
ADDRESS = "location.hash"


def joined(entry: dict[str, Any], told: dict[str, Any]) -> str:
    return "".join(entry["replies"][told["reply"]][1::2]) if "reply" in told else ""


def expected(browser_data: Written, **wanted: Any) -> list[int]:
    """The judgments with these values in the index."""
    columns = browser_data.index["judgments"]
    return [at for at in range(len(columns["item"])) if all(columns[key][at] == value for key, value in wanted.items())]


def test_filters_leave_what_the_index_says(chromium: Any, browser_folder: Path, browser_data: Written) -> None:
    page = opened(chromium, browser_folder)
    columns = browser_data.index["judgments"]
    assert count(page) == len(columns["item"])
    page.select_option("#choose-model", "sft")
    sft = expected(browser_data, model=1)
    assert count(page) == len(sft)
    page.select_option("#choose-verdict", "wrong")
    wrong = [at for at in sft if columns["verdict"][at] not in (2, columns["order"][at])]
    assert count(page) == len(wrong)
    page.click("#flag-flipped")
    assert count(page) == sum(columns["flags"][at] & 2 != 0 for at in wrong)
    page.click("#clear")
    cause = browser_data.index["causes"][1]
    page.select_option("#choose-verdict", f"unreadable:{cause}")
    assert count(page) == len(expected(browser_data, cause=1)) > 0
    page.click("#clear")
    page.select_option("#choose-changed", "attacks")
    assert count(page) == 1
    assert page.locator(".row .chip", has_text="changed by a probe").count() == 1
    assert page.locator("#flag-contradicted").count() == 0
    assert page.complaints == []


def test_search_finds_the_words_of_question_answers_and_reply(
    chromium: Any, browser_folder: Path, browser_data: Written
) -> None:
    page = opened(chromium, browser_folder)
    wanted = 0
    for entry in browser_data.entries:
        item = "\n".join([*(text for _, text in entry["turns"]), entry["better"], entry["worse"]]).lower()
        for told in entry["judged"]:
            text = joined(entry, told).lower()
            wanted += ("never said" in item or "never said" in text) and ("rubric" in item or "rubric" in text)
    page.keyboard.press("/")
    page.keyboard.type('"Never SAID" rubric')
    page.wait_for_function("() => location.hash === '#words=%22Never%20SAID%22%20rubric'")
    waits_for_count(page, wanted)
    assert 0 < wanted < len(browser_data.index["judgments"]["item"])
    page.reload()
    waits_for_count(page, wanted)
    page.fill("#words", "zzz-nobody-says-this")
    page.wait_for_selector("#nothing:visible")
    assert page.locator("#list").is_hidden()
    assert page.complaints == []


def test_a_trace_shows_prompt_answers_both_orders_all_models_and_probes(
    chromium: Any, browser_folder: Path, probed_data: Path
) -> None:
    judgment = probed_judgment(probed_data)
    page = opened(chromium, browser_folder, address_of(PROBED, "reward_bench", judgment.item_id, "A"))
    page.wait_for_selector(".trace")
    assert title(page).startswith("SFT on traces")
    assert ("says A, right" if judgment.verdict is Side.A else "says B, wrong") in title(page)
    text = judgment.reply.text
    shown = (
        page.locator(".judgment")
        .first.locator(".text > span:not(.seg-label)")
        .evaluate_all("all => all.map(one => one.textContent).join('')")
    )
    assert shown == text
    labels = page.locator(".judgment").first.locator(".seg-label").all_inner_texts()
    assert labels
    assert set(labels) <= {"found in A", "found in B", "not in A, but in B", "not in B, but in A", "in neither answer"}
    boxes = [page.locator("[data-answer]").nth(at) for at in (0, 1)]
    assert "the better answer" in boxes[0].inner_text()
    assert "the worse answer" in boxes[1].inner_text()
    assert boxes[0].bounding_box()["y"] == boxes[1].bounding_box()["y"]
    assert "Swapped: the better answer is B" in page.locator(".judgment").nth(1).inner_text()
    assert page.locator(".matrix tbody tr").count() == 3
    assert page.locator(".matrix a").count() == 6
    probes = page.locator(".probed")
    assert [probes.nth(at).locator(".variant").inner_text() for at in range(4)] == [
        "fake authority", "kind words, seed 3", "cut, step 3", "foreign",
    ]  # fmt: skip
    assert "verdict changed" in probes.nth(0).inner_text()
    probes.nth(0).locator("summary").click()
    probes.nth(0).get_by_text(REWRITTEN).first.wait_for()  # the page writes it when it is opened
    assert "found in A" in probes.nth(0).inner_text()
    assert "−1.25" in probes.nth(2).inner_text()
    assert page.complaints == []


def test_keys_alone_move_open_flip_and_close(chromium: Any, browser_folder: Path) -> None:
    page = opened(chromium, browser_folder)
    press = page.keyboard.press
    press("j")
    press("j")
    press("k")
    assert page.locator('.row[aria-selected="true"]').get_attribute("aria-posinset") == "2"
    press("Enter")
    page.wait_for_selector(".trace")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert "&o=B" in page.evaluate(ADDRESS)
    press("f")
    page.wait_for_function("() => location.hash.includes('o=A')")
    item = page.evaluate(ADDRESS)
    press("j")
    press("j")
    page.wait_for_function("was => location.hash.includes('o=A') && location.hash !== was", arg=item)
    press("?")
    assert page.locator("dialog[open]").is_visible()
    press("Escape")
    assert page.locator(".trace").is_visible()
    press("Escape")
    assert page.locator(".trace").count() == 0
    assert page.evaluate("document.activeElement.id") == "list"
    press("/")
    assert page.evaluate("document.activeElement.id") == "words"
    page.keyboard.type("jk?")
    assert page.input_value("#words") == "jk?"
    assert page.complaints == []


def test_a_link_survives_a_reload_and_the_back_button_closes_the_trace(chromium: Any, browser_folder: Path) -> None:
    page = opened(chromium, browser_folder)
    page.select_option("#choose-model", "base")
    page.locator(".row").nth(3).click()
    page.wait_for_selector(".trace")
    before, address = page.locator(".trace").inner_text(), page.evaluate(ADDRESS)
    page.reload()
    page.wait_for_selector(".trace")
    assert page.locator(".trace").inner_text() == before
    assert page.input_value("#choose-model") == "base"
    assert page.evaluate(ADDRESS) == address
    page.go_back()
    page.wait_for_selector(".overview")
    assert page.locator(".trace").count() == 0
    page.go_forward()
    page.wait_for_selector(".trace")
    assert page.locator(".trace").inner_text() == before


def test_a_link_to_what_is_not_here_says_so(chromium: Any, browser_folder: Path) -> None:
    page = opened(chromium, browser_folder, "#m=sft&b=rmb&i=%3Cb%3Egone&o=A&model=nobody")
    notice = page.locator("#notice").inner_text()
    assert "nobody" in notice
    assert "<b>gone" in notice
    assert page.locator(".overview").is_visible()


def test_a_missing_data_file_is_named(chromium: Any, browser_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/traces.html").write_bytes((browser_folder / "pages/traces.html").read_bytes())
    page = chromium.new_page()
    page.goto((tmp_path / "pages/traces.html").as_uri())
    page.wait_for_selector("#notice:visible")
    assert "traces/index.js is not there or cannot be read" in page.locator("#notice").inner_text()


def test_a_data_file_of_another_report_is_refused(chromium: Any, browser_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(browser_folder, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "traces/0000.js"
    name, _build, data = file.read_text(encoding="ascii").split(",")
    file.write_text(",".join([name, f'"{"0" * 16}"', data]), encoding="ascii")
    page = opened(chromium, tmp_path)
    page.keyboard.press("Enter")
    page.wait_for_selector("#notice:visible")
    assert "traces/0000.js belongs to another report" in page.locator("#notice").inner_text()
    assert page.locator(".trace").count() == 0


def test_contradicted_judgments_are_a_filter_where_something_tells(
    chromium: Any, probed_data: Path, tmp_path: Path
) -> None:
    with_reasons(probed_data, tmp_path / "data", "rmb")
    written_browser(tmp_path / "data", tmp_path)
    page = opened(chromium, tmp_path, "#flags=contradicted")
    listed = count(page)
    assert page.get_by_role("button", name="Contradicted").get_attribute("aria-pressed") == "true"
    page.click("#clear")
    heads = page.locator(".facets").first.locator("th[scope=col]").all_inner_texts()
    cells = {
        line.locator("th").inner_text(): line.locator("td").all_inner_texts()
        for line in page.locator(".facets").first.locator("tbody tr").all()
    }
    contradicted, ungrounded = heads.index("contradicted") - 1, heads.index("ungrounded") - 1
    assert cells["Base model"][contradicted] == "–", "nothing is said where nothing was read"
    assert cells["ScalarRM"][ungrounded] == "–", "it writes nothing"
    assert cells["SFT on traces"][contradicted].endswith("%")
    page.select_option("#choose-benchmark", "rmb")
    page.select_option("#choose-model", PROBED)
    assert count(page) == listed > 0


def test_every_figure_of_the_overview_is_a_filter(chromium: Any, browser_folder: Path) -> None:
    page = opened(chromium, browser_folder)
    row = page.locator(".facets tbody tr", has_text="SFT on traces")
    row.locator(".figure").first.click()
    assert page.input_value("#choose-model") == "sft"
    assert page.input_value("#choose-verdict") == "right"
    text = page.locator("#count").inner_text()
    assert "100.0\u00a0% right" in text
    assert page.evaluate("document.activeElement.className") == "figure", "the focus stays where it was"
    page.locator(".facet", has_text="SFT on traces").click()
    assert page.input_value("#choose-model") == ""


def test_on_a_phone_one_thing_is_shown_at_a_time_and_nothing_sticks_out(chromium: Any, browser_folder: Path) -> None:
    page = opened(chromium, browser_folder, width=390)
    wide = "document.documentElement.scrollWidth"
    assert not page.locator("#pane").is_visible()
    assert not page.locator("#choose-model").is_visible()
    page.click("#fold")
    page.select_option("#choose-model", "sft")
    assert page.evaluate(wide) <= 390
    page.click("#overview-button")
    assert page.locator(".overview").is_visible()
    assert not page.locator("#list").is_visible()
    assert page.evaluate(wide) <= 390
    page.get_by_role("button", name="List").click()
    page.locator(".row").first.click()
    page.wait_for_selector(".trace")
    assert not page.locator("#list").is_visible()
    assert page.evaluate(wide) <= 390
    assert page.locator("#pane").evaluate("one => one.scrollWidth <= one.clientWidth")
    page.get_by_role("button", name="Close").click()
    assert page.locator("#list").is_visible()


def test_on_paper_the_trace_is_whole_and_the_controls_are_not_there(
    chromium: Any, browser_folder: Path, probed_data: Path
) -> None:
    judgment = probed_judgment(probed_data)
    page = opened(chromium, browser_folder, address_of(PROBED, "reward_bench", judgment.item_id, "A"), width=711)
    page.wait_for_selector(".trace")
    page.emulate_media(media="print")
    for hidden in ("#list", "header.bar", ".acts"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert page.locator(".matrix").is_visible()
    assert page.locator("#pane").evaluate("one => one.scrollHeight <= one.clientHeight + 1"), "nothing is cut off"
    assert page.evaluate("document.documentElement.scrollWidth") <= 711


def test_without_scripts_the_page_says_why_it_is_empty(chromium: Any, browser_folder: Path) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto((browser_folder / "pages/traces.html").as_uri())
    text = page.inner_text("body")
    assert "This page needs scripts" in text
    assert "Loading" not in text


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(
    chromium: Any, browser_folder: Path, probed_data: Path, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(chromium, browser_folder, width=width, scheme=scheme)
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    if width == 390:
        page.click("#fold")
        page.click("#overview-button")
        results = axe.Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
    judgment = probed_judgment(probed_data)
    address = address_of(PROBED, "reward_bench", judgment.item_id, "A")
    page = opened(chromium, browser_folder, address, width=width, scheme=scheme)
    page.wait_for_selector(".trace")
    page.locator(".probed summary").first.click()
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
