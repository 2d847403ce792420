"""Folders of answers are read whole or refused in a line that says what is wrong where."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reasrm.policy.measures.policy_runs import arms_of, read_runs
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.policy import PolicyAnswer
from reasrm.runtime.stage_main import StageError
from tests.policy.made_up_policies import Behaviour, MadeUpArm, made_up_prompts, write_arm

ARM = MadeUpArm("reasrm", {0: Behaviour(0.5), 10: Behaviour(0.5)}, seeds=(0, 1))
PROMPTS = made_up_prompts(2)


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _rewritten(change: Callable[[list[PolicyAnswer]], list[PolicyAnswer]]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        file = folder / "00010.jsonl"
        write_records(file, change(list(read_records(file, PolicyAnswer))))

    return rewrite


def _outcome(**update: object) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        file = folder / "outcome.json"
        file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | update), encoding="utf-8")

    return rewrite


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without("steps.jsonl"), r"reasrm-s1.answers: no steps\.jsonl; run `dvc repro policy@reasrm-s1`"),
        (_without("00010.jsonl"), r"00010\.jsonl: not there, although steps\.jsonl beside it names its step"),
        (_rewritten(lambda some: [*some, some[0]]), "has an answer to the same prompt with the same number 2 times"),
        (_rewritten(lambda some: some[2:]), "1 of 6 prompts have no answer"),
        (_rewritten(lambda some: [some[0].model_copy(update={"prompt_id": "f" * 32}), *some]), "the prompt fff"),
        (_outcome(seed=0), r"has the seed 0 twice: reasrm-s0, reasrm-s1"),
        (_outcome(scheme="ring"), r"reasrm-s1: `scheme` is 'ring', and '' of reasrm-s0, which is the same arm"),
        (lambda folder: write_records(folder / "prompts.jsonl", PROMPTS[:-1]), r"jsonl beside it lacks"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_run_is_said(tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    keys = write_arm(tmp_path, ARM, PROMPTS)
    assert [run.outcome.seed for run in arms_of(read_runs(tmp_path, keys[::-1]))["reasrm"]] == [0, 1]
    spoil(tmp_path / "reasrm-s1" / "answers")
    with pytest.raises(StageError, match=said):
        arms_of(read_runs(tmp_path, keys))


def test_policies_on_other_prompts_are_not_compared(tmp_path: Path) -> None:
    keys = write_arm(tmp_path, ARM, PROMPTS)
    keys += write_arm(tmp_path, MadeUpArm("scalar", ARM.course, seeds=(0,)), made_up_prompts(3))
    with pytest.raises(StageError, match=r"scalar-s0.answers: its prompts are not those of reasrm-s0 \(4 shared of 9"):
        read_runs(tmp_path, keys)
