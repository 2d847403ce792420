"""The stage that measures policies: files in, files out, and settings that would measure nothing are refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from reasrm.policy.measures.measures_file import read_policy_measures
from reasrm.records.harmless_text import json_text
from reasrm.runtime.stage_main import StageError
from stages import policy_scores
from stages.policy_scores import OUTPUT, POLICIES, PolicyScoresParams
from tests.policy.made_up_policies import Behaviour, MadeUpArm, made_up_prompts, write_arm

PARAMS = PolicyScoresParams.load().model_dump(mode="json") | {"resamples": 100}


def run(folder: Path, **changed: object) -> str:
    """The stage's summary line in `folder`, with some settings changed."""
    (folder / "params.yaml").write_text(json_text({"policy_scores": PARAMS | changed}), encoding="utf-8")
    return policy_scores.main()


def test_named_policies_are_measured_others_are_left_alone_and_none_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arm = MadeUpArm("reasrm", {0: Behaviour(0.5), 5: Behaviour(1.0)}, seeds=(0, 1), exact=True)
    first, second = write_arm(tmp_path / POLICIES, arm, made_up_prompts(2))
    assert run(tmp_path) == "no policy: `policy_scores.arms` in params.yaml names none"
    assert read_policy_measures(tmp_path / OUTPUT)[0].arms == []
    assert run(tmp_path, arms=[second]) == "arms 1, trainings 1; gold at the end: reasrm 1.000"
    measures, curves = read_policy_measures(tmp_path / OUTPUT)
    assert [seed.key for seed in measures.arms[0].seeds] == [second]
    assert [point.figures["gold"].value for point in curves.arms["reasrm"]] == [0.5, 1.0]
    written = {file.name: file.read_bytes() for file in (tmp_path / OUTPUT).iterdir()}
    run(tmp_path, arms=[second])
    assert {file.name: file.read_bytes() for file in (tmp_path / OUTPUT).iterdir()} == written
    with pytest.raises(StageError, match=r"absent.answers: no prompts\.jsonl; run `dvc repro policy@absent`"):
        run(tmp_path, arms=[first, "absent"])
    assert {file.name: file.read_bytes() for file in (tmp_path / OUTPUT).iterdir()} == written


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"phrases": {"nothing": " \n"}}, "the phrase 'nothing' is empty, so every answer would carry it"),
        ({"styles": {"open": "("}}, "the style 'open' is no regular expression: missing \\)"),
        ({"resamples": 10}, "resamples"),
    ],
)
def test_settings_that_measure_nothing_are_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PolicyScoresParams.model_validate(PARAMS | changed)
