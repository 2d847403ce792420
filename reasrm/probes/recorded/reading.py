"""The one entry to recorded replies: a path and a format, to the judges in it.

for judge in read_recorded(Path("rm_r1_32b.jsonl"), RecordedFormat.RM_R1):
    results = run_suite(None, probes, judge.context(resamples=2000, seed=0), None)
"""

from enum import StrEnum
from pathlib import Path

from reasrm.probes.recorded.llmbar import read_llmbar
from reasrm.probes.recorded.own_judgments import read_own
from reasrm.probes.recorded.recorded_judge import RecordedJudge
from reasrm.probes.recorded.rm_r1 import read_rm_r1
from reasrm.runtime.stage_main import StageError


class RecordedFormat(StrEnum):
    """How a log is written."""

    LLMBAR = "llmbar"
    """LLMBar's: a set's .json file, or a judge's folder of them."""
    RM_R1 = "rm_r1"
    """RM-R1's: a .jsonl file, of one judge or several."""
    REASRM = "reasrm"
    """Ours: a model's folder in data/judgments, or a file of `reasrm judge --out`."""


def read_recorded(path: Path, written_as: RecordedFormat, items: Path | None = None) -> list[RecordedJudge]:
    """The judges of a log, one for each name in it.

    Args:
        path: the log.
        written_as: its format.
        items: of our own format, where the judged texts are, if not at their usual place (`own_judgments.read_own`).

    Raises:
        BadRecordError: a row is not of that format; says file, line (or row) and field.
        StageError: there is nothing at `path`, or nothing in it.
    """
    if not path.exists():
        raise StageError(f"{path}: there is no such file or folder")
    match written_as:
        case RecordedFormat.LLMBAR:
            return read_llmbar(path)
        case RecordedFormat.RM_R1:
            found = read_rm_r1(path)
            if not found:
                raise StageError(f"{path}: holds no row, so there is nothing to probe")
            return found
        case RecordedFormat.REASRM:
            return read_own(path, items)
