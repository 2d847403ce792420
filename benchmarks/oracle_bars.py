"""What asking an oracle costs, loses and buys twice, against the bars that it has to meet.

The oracle command runs against a local server with planted faults (`oracle_scenarios.py`). The server's limits are real
token buckets, so that shares of a limit are ratios within one run; a busy machine can only lower them and raise CPU.
Figures are kept in the folder, so that the bars can be measured one after the other and printed as one table.
`oracle_curator.py` runs bespokelabs-curator against the same server.

Run:     python benchmarks/oracle_bars.py [SCENARIO ...] [--vendor VENDOR] [--folder /tmp/oracle-bench]
         python benchmarks/oracle_bars.py --table             what has been measured so far
"""

import argparse
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oracle_scenarios import SCENARIOS, VENDORS, Row

Rows = dict[str, dict[str, Row]]
"""Figures by scenario and vendor."""


@dataclass(frozen=True)
class Bar:
    """One figure of one scenario and what it must be."""

    scenario: str
    figure: str
    says: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        """Whether `value` is within the bar."""
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)

    @property
    def must(self) -> str:
        """The bar as text."""
        if self.at_least == self.at_most:
            return f"{self.at_most:g}"
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"


BARS = (
    Bar("steady", "share_of_limit", "share of the request limit, steady", at_least=0.97),
    Bar("steady", "429_per_reply", "429 per completion", at_most=0.005),
    Bar("output_limit", "share_of_output_limit", "share of the output-token limit, steady", at_least=0.95),
    Bar("output_limit", "429_per_reply", "429 per completion", at_most=0.005),
    Bar("no_headers", "429_per_reply", "429 per completion; no headers, declared limit twice too high", at_most=0.03),
    Bar("faults", "unaccounted", "all faults: pairs unaccounted for", 0, 0),
    Bar("faults", "billed_twice_over_undelivered", "billed twice over billed but undelivered", 1, 1),
    Bar("faults", "rejected_sent_again", "rejected requests sent again", 0, 0),
    Bar("kill", "billed_twice_over_in_flight", "kill -9: billed twice over in flight at the kill", at_most=1),
    Bar("kill", "unaccounted", "pairs unaccounted for after the second run", 0, 0),
    Bar("lost_batch", "billed_twice", "batch whose creation gave no reply: billed twice", 0, 0),
    Bar("lost_batch", "unaccounted", "pairs unaccounted for", 0, 0),
    Bar("outage", "over_rate_times_length", "outage of 8 s: requests over rate times length", at_most=0.1),
    Bar("outage", "not_ok", "pairs without a whole reply afterwards", 0, 0),
    Bar("credit", "after_stop_over_in_flight", "credit gone: requests afterwards over in flight", at_most=1),
    Bar("credit", "status", "exit code", 3, 3),
    Bar("budget", "overshoot", "budget overshoot, share", at_most=0.02),
    Bar("budget", "status", "exit code", 3, 3),
    Bar("large", "cpu_seconds_per_1000", "CPU seconds per 1,000 requests, of 10,000", at_most=4.5),
    Bar("large", "peak_mb", "peak memory at 10,000, MB", at_most=150),
    Bar("larger", "peak_over_10000", "peak memory at 100,000 over that at 10,000", at_most=1.5),
)


def measure_all(names: list[str], only: str | None, folder: Path, rows: Rows) -> None:
    """Run the scenarios `names`; each result goes to `rows`, to the folder and, as one JSON line, to the screen."""
    for name in names:
        scenario, vendors = SCENARIOS[name]
        for vendor in vendors if only is None else (only,):
            began, load = time.monotonic(), os.getloadavg()[0]
            row = scenario(folder, vendor)
            loads = [round(load, 1), round(os.getloadavg()[0], 1)]
            on = datetime.now(UTC).date().isoformat()
            row |= {"seconds": round(time.monotonic() - began, 1), "load_before_after": loads, "measured_on": on}
            rows.setdefault(name, {})[vendor] = row
            print(json.dumps({"scenario": name, "vendor": vendor, **row}), flush=True)
            (folder / "rows.json").write_text(json.dumps(rows, indent=1))


def value_of(bar: Bar, vendor: str, rows: Rows) -> float | None:
    """The figure of a bar, None if it has not been measured; growth is relative to the smaller run's."""
    row: dict[str, Any] = rows.get(bar.scenario, {}).get(vendor, {})
    if bar.figure == "peak_over_10000":
        base = rows.get("large", {}).get(vendor)
        return round(row["peak_mb"] / base["peak_mb"], 2) if row and base else None
    return row.get(bar.figure)


def table(rows: Rows) -> str:
    """All bars, one line each, in Markdown."""
    names = ["scenario", "figure", "must be", *VENDORS, "n", "load"]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for bar in BARS:
        measured = rows.get(bar.scenario, {})
        cells = []
        for vendor in VENDORS:
            value = value_of(bar, vendor, rows)
            cells.append("" if value is None else f"{value:g}" + ("" if bar.is_met(value) else " **missed**"))
        n = next((str(row["n"]) for row in measured.values() if "n" in row), "")
        loads = [load for row in measured.values() for load in row["load_before_after"]]
        load = f"{min(loads)} to {max(loads)}" if loads else ""
        lines.append("| " + " | ".join([bar.scenario, bar.says, bar.must, *cells, n, load]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the scenarios named on the command line, or all; print figures, then the table of all bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--vendor", choices=VENDORS, help="default: all")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/oracle-bench"), help="for pairs, outputs, ledgers")
    parser.add_argument("--table", action="store_true", help="run nothing, print the table of what was measured")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kept = arguments.folder / "rows.json"
    rows: Rows = json.loads(kept.read_text()) if kept.exists() else {}
    if not arguments.table:
        measure_all(arguments.scenarios or list(SCENARIOS), arguments.vendor, arguments.folder, rows)
    print(table(rows))


if __name__ == "__main__":
    main()
