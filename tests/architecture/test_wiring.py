"""dvc.yaml, the stage files and params.yaml say the same."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from flows.settings.profile import HEADER
from reasrm.runtime.params import StageParams
from reasrm.runtime.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
WIRED: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]
MINIATURE = (ROOT / "params.yaml").read_text(encoding="utf-8")
MODULES = {
    path.stem: ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "stages").rglob("*.py")
    if path.stem != "__init__"
}
STAGES = sorted(MODULES)
WITH_PARAMS = [stage for stage in STAGES if stage != "fingerprint"]
BESIDE_STAGES = {
    "files",
    "distill_traces_asking",
    "judge_running",
    "training_housekeeping",
    "improve",
    "policy_running",
}
"""Top-level keys of params.yaml that belong to no single stage: the user's folder, what changes no output, and what the
loop lays over the stages' own sections."""


def inner(stage: str) -> dict[str, Any]:
    return dict(WIRED[stage].get("do", WIRED[stage]))


def params_class(stage: str) -> type[StageParams]:
    module = importlib.import_module(MODULES[stage])
    (found,) = {
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, StageParams) and getattr(one, "section", None) == stage
    }
    return found


def test_a_file_under_stages_is_a_stage_and_a_stage_is_a_file() -> None:
    assert sorted(WIRED) == STAGES, "the stages of dvc.yaml on the left, the files under stages/ on the right"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_its_own_file(stage: str) -> None:
    assert re.match(rf"python -m {re.escape(MODULES[stage])}($| )", inner(stage)["cmd"])
    assert ("${key}" in inner(stage)["cmd"]) == ("foreach" in WIRED[stage])


@pytest.mark.parametrize("stage", WITH_PARAMS)
def test_a_stage_depends_on_its_fingerprint_and_its_own_section_alone(stage: str) -> None:
    sections = [stage] + ([f"{stage}_variants.${{key}}"] if "foreach" in WIRED[stage] else [])
    if stage == "report":  # the page shows the settings of all stages, so it has to follow them
        others = [one for one in WITH_PARAMS if one != stage]
        sections += others + [f"{one}_variants" for one in others if "foreach" in WIRED[one]]
    if stage == "policy":  # its judge is run as it is judged (docs/decisions/017)
        sections += ["judge", "judge_variants.${item.judge}"]
    named = inner(stage)["params"]
    wrong = sorted(set(named) ^ set(sections))
    assert sorted(named) == sorted(sections), f"`params` of {stage} in dvc.yaml: missing, or too much: {wrong}"
    fingerprints = [dep for dep in inner(stage)["deps"] if str(dep).startswith("data/fingerprints")]
    assert fingerprints == [f"data/fingerprints/{stage}.json"]
    assert not [dep for dep in inner(stage)["deps"] if str(dep).startswith(("stages", "locks"))]


def test_params_hold_what_each_stage_takes_and_nothing_else() -> None:
    """Of the profiles `tests/flows/settings/test_project_profiles.py` says the same."""
    document = read_yaml(ROOT / "params.yaml")
    known = BESIDE_STAGES | set(WITH_PARAMS) | {f"{stage}_variants" for stage in STAGES if "foreach" in WIRED[stage]}
    assert set(document) <= known
    for stage in WITH_PARAMS:
        variants = document[f"{stage}_variants"] if "foreach" in WIRED[stage] else [None]
        for variant in variants:
            params_class(stage).load(variant, ROOT / "params.yaml")


def test_the_params_in_the_checkout_are_the_miniature() -> None:
    assert not MINIATURE.startswith(HEADER), "params.yaml was made by a profile: `reasrm profile use miniature`"
