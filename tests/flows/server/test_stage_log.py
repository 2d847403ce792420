"""A task's log: a stage's lines, no flood, its last ones always."""

from flows.running.stage_process import TAIL_LINES
from flows.server.stage_log import AT_ONCE, LONGEST_LINE, StageLog


def test_lines_pass_at_once_and_raw_metrics_never() -> None:
    sent: list[str] = []
    log = StageLog(sent.append, "work/logs/sft.log")
    for line in ("sft: step 1/9", "{'loss': '0.4', 'epoch': '1'}", "", "   ", "  Traceback"):
        log.wrote(line)
    assert sent == ["sft: step 1/9", "  Traceback"]


def test_of_a_flood_the_first_and_the_last_lines_arrive_with_the_number_of_the_others() -> None:
    sent: list[str] = []
    log = StageLog(sent.append, "work/logs/sft.log")
    for number in range(10_000):
        log.wrote(f"line {number}")
    log.catch_up()
    assert sent[:AT_ONCE] == [f"line {number}" for number in range(AT_ONCE)]
    assert sent[-TAIL_LINES:] == [f"line {number}" for number in range(10_000 - TAIL_LINES, 10_000)]
    left_out = 10_000 - AT_ONCE - TAIL_LINES
    assert sent[AT_ONCE:-TAIL_LINES] == [f"({left_out:,} lines left out here; all are in work/logs/sft.log)"]


def test_after_a_flood_lines_pass_again_in_order() -> None:
    sent: list[str] = []
    log = StageLog(sent.append, "x.log")
    for number in range(AT_ONCE + 2):
        log.wrote(f"line {number}")
    log.catch_up()
    log.wrote("the last")
    log.catch_up()
    assert sent == [*(f"line {number}" for number in range(AT_ONCE + 2)), "the last"]


def test_a_long_line_is_cut_and_says_so() -> None:
    sent: list[str] = []
    StageLog(sent.append, "x.log").wrote("x" * 2_000_000)
    assert sent == ["x" * LONGEST_LINE + "… (2,000,000 characters)"]
