"""How far a running stage is, read from the lines that it writes."""

import re

from flows.running.stage_process import RAW_METRICS

MOST_WHILE_RUNNING = 99.0
"""Percent: after its last step a stage still saves and checks; 100 says that it is done."""
COUNT = re.compile(
    r"(?:^|: )(?:"
    r"(?P<step>step )?(?P<done>\d[\d,]*)/(?P<total>\d[\d,]*)(?=,|$| )"  # of a training, or of the oracle's questions
    r"|(?:sample )(?P<sample>\d[\d,]*) of (?P<samples>\d[\d,]*)"
    r"|(?P<asked>\d[\d,]*) of (?P<prompts>\d[\d,]*) prompts\b"
    r"|(?P<percent>\d{1,3})(?:\.\d+)? ?%(?!\w))"
)
DOLLARS = re.compile(r"\$(\d[\d,]*\.\d\d)(?!\d)")


class StageProgress:
    """The percentage of a stage's work, its newest line and what it has cost so far.

    The steps of a training count for the whole stage, once there are any; its checks in between do not. Without steps
    the part of the work that the newest line names counts, so a second part begins anew.
    """

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.percent: float | None = None
        """None until a line says how far the stage is."""
        self.line = ""
        self.usd: float | None = None
        self._has_steps = False

    def read(self, line: str) -> None:
        """Take the next line."""
        text = line.strip()
        if not text or RAW_METRICS.match(text):
            return
        self.line = text
        if dollars := DOLLARS.search(text):
            self.usd = float(dollars[1].replace(",", ""))
        if (found := COUNT.search(text)) is None or (self._has_steps and found["step"] is None):
            return
        self._has_steps = found["step"] is not None
        percent = _percent(found)
        self.percent = self.percent if percent is None else min(percent, MOST_WHILE_RUNNING)


def _percent(found: re.Match[str]) -> float | None:
    if found["percent"] is not None:
        return float(found["percent"])
    pairs = (("done", "total"), ("sample", "samples"), ("asked", "prompts"))
    done, total = next((found[one], found[all_]) for one, all_ in pairs if found[one] is not None)
    whole = int(total.replace(",", ""))
    return 100 * int(done.replace(",", "")) / whole if whole else None
