"""The page: self-contained, the same bytes each time, and nothing from data or models is more than text."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from reasrm.reporting.page import TEMPLATES, points, script_hash
from reasrm.reporting.visible_text import visible

VOID = {"meta", "br", "link", "img", "input", "hr", "base", "col"}


class Page(HTMLParser):
    """What a browser would build: tags, attributes, and the text of each kind of element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes what was opened last."""
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text.append(data)


def test_every_tag_is_closed(made_up_page: str) -> None:
    assert Page(made_up_page).open == []


def test_no_address_outside_the_page(made_up_page: str) -> None:
    page = Page(made_up_page)
    targets = [value for _, name, value in page.attributes if name in {"href", "src", "xlink:href", "action", "data"}]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert not re.search(r"url\((?!#)|@import", made_up_page)


def test_each_link_has_its_target(made_up_page: str) -> None:
    page = Page(made_up_page)
    ids = [value for _, name, value in page.attributes if name == "id"]
    linked = {value[1:] for tag, name, value in page.attributes if tag == "a" and name == "href"}
    assert linked <= set(ids)
    own = [name for name in ids if not re.fullmatch(r"[mp][0-9a-f]{10}", name)]
    assert len(own) == len(set(own))


def test_the_policy_allows_the_one_script_and_no_connection(made_up_page: str) -> None:
    (policy,) = (
        value for tag, name, value in Page(made_up_page).attributes if name == "content" and "default-src" in value
    )
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    assert f"<script>{script}</script>" in made_up_page
    assert policy.startswith("default-src 'none';")
    assert f"script-src '{script_hash(script)}'" in policy


def test_the_page_is_small_enough_for_a_mail(made_up_page: str) -> None:
    assert len(made_up_page.encode()) < 3_000_000


def test_headings_go_down_one_step_at_a_time(made_up_page: str) -> None:
    levels = [int(tag[1]) for tag in Page(made_up_page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_plot_says_what_it_shows(made_up_page: str) -> None:
    plots = re.findall(r'<svg class="plot"[^>]*>', made_up_page)
    assert len(plots) > 10
    assert all('aria-label="' in plot and 'role="img"' in plot for plot in plots)


def test_what_a_reader_needs_is_there(made_up_page: str) -> None:
    text = " ".join("".join(Page(made_up_page).text).split())
    for expected in (
        "RewardBench", "RM-Bench", "RMB", "flips when swapped", "unreadable", "Cold-start RL", "published",
        "What was left out, and why", "wrong verdict", "hard", "KL to the starting checkpoint", "in neither answer",
        "Better answer shown as B", "ScalarRM", "Chain of Rubrics", "dvc repro", "arXiv 2505.02387v3", "91.4",
    ):  # fmt: skip
        assert expected in text, expected


def test_hostile_text_adds_no_element_and_no_handler(made_up_page: str, hostile_page: str) -> None:
    page = Page(hostile_page)
    assert set(page.tags) <= set(Page(made_up_page).tags)
    assert page.tags.count("script") == page.tags.count("style") == page.tags.count("title") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not [value for _, name, value in page.attributes if name in {"href", "src"} and not value.startswith("#")]


def test_hostile_text_is_shown_as_it_is(hostile_page: str) -> None:
    text = "".join(Page(hostile_page).text)
    assert text.count("<script>window.pwned=1;alert(1)</script>") > 20
    assert "{{ 7*7 }}{% raw %}" in text
    assert "49{%" not in text


def test_what_cannot_be_seen_is_spelled_out(hostile_page: str) -> None:
    assert "⟦U+202E RIGHT-TO-LEFT OVERRIDE⟧" in hostile_page
    assert visible(hostile_page) == hostile_page


def test_blank_lines_and_spaces_of_an_answer_survive(made_up_page: str) -> None:
    assert "seg-text" in made_up_page
    assert "  " not in re.sub(r">\s+<", "><", "".join(re.findall(r'<p class="text">(.*?)</p>', made_up_page)))


@pytest.mark.parametrize(("share", "shown"), [(0.1, "+10.0"), (-0.0001, "+0.0"), (-0.05, "-5.0"), (0, "+0.0")])
def test_differences_have_a_sign_and_no_negative_zero(share: float, shown: str) -> None:
    assert points(share) == shown
