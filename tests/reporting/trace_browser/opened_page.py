"""The trace browser opened in a real Chromium, from a disk."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

TIMEOUT_MS = 120_000
"""Generous: other work may keep the machine busy."""


def opened(chromium: Any, report: Path, address: str = "", *, width: int = 1400, scheme: str = "light") -> Any:
    """The page in a window of this width, when its index is there; it keeps what went wrong in `page.complaints`."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
    page.set_default_timeout(TIMEOUT_MS)
    page.goto((report / "pages/traces.html").as_uri() + address)
    page.wait_for_selector("body[data-ready]")
    return page


def count(page: Any) -> int:
    """How many judgments are listed, as the page says."""
    return int(re.match(r"[\d,]+", page.locator("#count").inner_text())[0].replace(",", ""))


def waits_for_count(page: Any, wanted: int) -> None:
    """Wait until a search or filter has left so many."""
    page.wait_for_function(
        "wanted => document.getElementById('progress').hidden && "
        "Number(document.getElementById('count').textContent.split(' ')[0].replaceAll(',', '')) === wanted",
        arg=wanted,
    )


def address_of(model: str, benchmark: str, item_id: str, order: str) -> str:
    """The link to a trace."""
    return f"#m={model}&b={benchmark}&i={quote(item_id, safe='')}&o={order}"


def title(page: Any) -> str:
    """The heading of the open trace, when there is one."""
    return page.locator(".trace h2").inner_text()
