"""The measurement of benchmarks/grpo_trl_defaults.py: each arm trains, samples as many replies, is checked alike."""

from pathlib import Path

import pytest

from benchmarks.grpo_runs import Demo
from benchmarks.grpo_trl_defaults import ARMS, print_times, run_arm, unwatched
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair

REPLIES = 32
"""Two steps of the small project, four of TRL's eight replies."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_arm_is_checked_at_its_start_and_after_as_many_replies(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    pairs = {
        name: list(read_records(Path(f"data/pairs/{name}.jsonl"), PreferencePair)) for name in ("reinforce", "dev")
    }
    demo = Demo(Path("data/checkpoints/base").resolve(), pairs["reinforce"], pairs["dev"][:4])
    lines = [run_arm(arm, demo, unwatched(0, steps=2), every=REPLIES // 2) for arm in ARMS]
    for line in lines:
        assert [check["step"] * line["batch"] for check in line["checks"]] == [0, REPLIES // 2, REPLIES], line["name"]
        assert line["checks"][0]["accuracy"] == lines[0]["checks"][0]["accuracy"], "they start from the same weights"
        seconds = [check["seconds"] for check in line["checks"]]
        assert 0.0 <= seconds[0] <= seconds[1] <= seconds[2]
        assert seconds[0] < 0.1, "judging is not counted"
    capsys.readouterr()
    print_times(lines, aim=2.0)
    assert capsys.readouterr().out.count("not reached") == len(ARMS)
