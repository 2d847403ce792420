"""Write the trace browser of a run and measure it: seconds, bytes on disk, and how long a reader waits in Chromium.

Run:  python -m benchmarks.trace_browser [--data data] [--rounds 5]

A reader waits for the first view (from the call to the page with its list and overview), for a search through every
text, and for one trace. Each round opens the page in a context of its own, from the disk, without a server; medians.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from reasrm.reporting.trace_browser.browser_files import PAGE, write_trace_browser
from reasrm.reporting.trace_browser.traced_items import TraceFolders
from stages.report import ReportParams

NOWHERE = "zzz-nobody-says-this"
"""A word that no text holds, so that a search reads them all."""
TIMEOUT_MS = 120_000


def seconds(act: Callable[[], Any]) -> float:
    """How long `act` takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def waits(chromium: Any, page_file: Path) -> dict[str, float]:
    """One reader's waits in seconds."""
    page = chromium.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    found: dict[str, float] = {}

    def view() -> None:
        page.goto(page_file.as_uri())
        page.wait_for_selector("body[data-ready] .row")
        page.wait_for_selector(".overview")

    def trace() -> None:
        page.locator(".row").nth(2).click()
        page.wait_for_selector(".trace")

    def search() -> None:
        page.fill("#words", NOWHERE)
        page.wait_for_function(
            "() => document.getElementById('progress').hidden && !document.getElementById('nothing').hidden"
        )

    for name, act in (("first view", view), ("one trace", trace), ("search all texts", search)):
        found[name] = seconds(act)
    page.context.close()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of a run's outputs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    folders = TraceFolders(*(given.data / name for name in TraceFolders._fields))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        out = Path(folder)
        start = time.perf_counter()
        size = write_trace_browser(folders, ReportParams.load(), out)
        print(f"{size.judgments:,} judgments: written in {time.perf_counter() - start:.1f} s")
        page_size = (out / PAGE).stat().st_size
        print(f"{size.bytes / 1e6:.2f} MB of data in {size.chunks + 1} files, page {page_size / 1e3:.0f} kB")
        chromium = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"])
        rounds = [waits(chromium, out / PAGE) for _ in range(given.rounds)]
        for name in rounds[0]:
            taken = sorted(one[name] for one in rounds)
            print(f"{name}: {statistics.median(taken):.2f} s ({taken[0]:.2f} to {taken[-1]:.2f}, n = {len(taken)})")
        chromium.close()


if __name__ == "__main__":
    main()
