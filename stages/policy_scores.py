"""Measure the trained policies from their answers: right, safe, how styled, how far from the start, what they planted.

Reads:   data/policies/<arm>/answers of every arm in `policy_scores.arms`
Writes:  data/policy_scores/measures.json, data/policy_scores/curves.json
Run:     python -m stages.policy_scores      (or: dvc repro policy_scores)
"""

import re
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from reasrm.policy.measures.answer_measures import AnswerReader
from reasrm.policy.measures.measures_file import POLICY_CURVES, POLICY_MEASURES
from reasrm.policy.measures.policy_runs import read_runs
from reasrm.policy.measures.score_policies import score_policies
from reasrm.policy.measures.seeded_figures import Bootstrap
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage

POLICIES = Path("data/policies")
OUTPUT = Path("data/policy_scores")


class PolicyScoresParams(StageParams):
    """Section `policy_scores` of params.yaml."""

    section: ClassVar[str] = "policy_scores"

    arms: tuple[str, ...]
    """Folders below data/policies; none where no policy is trained."""
    reference: str
    """The arm that each other is compared with, by its name without a seed."""
    seed: int = Field(ge=0)
    """Of the bootstrap, of sign flips, and of the half of the prompts that chooses a check."""
    resamples: int = Field(ge=100)
    phrases: dict[str, str]
    """What counts as a planted shortcut or an attack on the judge, by name."""
    styles: dict[str, str]
    """What counts as style, by name: regular expressions, of which `^` and `$` are about lines."""

    @field_validator("phrases")
    @classmethod
    def _say_something(cls, phrases: dict[str, str]) -> dict[str, str]:
        for name, phrase in phrases.items():
            if not phrase.strip():
                raise ValueError(f"the phrase {name!r} is empty, so every answer would carry it")
        return phrases

    @field_validator("styles")
    @classmethod
    def _are_expressions(cls, styles: dict[str, str]) -> dict[str, str]:
        for name, pattern in styles.items():
            try:
                re.compile(pattern, re.MULTILINE)
            except re.error as error:
                raise ValueError(f"the style {name!r} is no regular expression: {error}") from error
        return styles

    def reader(self) -> AnswerReader:
        """What reads phrases and style out of answers."""
        return AnswerReader(
            self.phrases, {name: re.compile(pattern, re.MULTILINE) for name, pattern in self.styles.items()}
        )


def main() -> str:
    """Run the stage; returns its summary line."""
    params = PolicyScoresParams.load()
    runs = read_runs(POLICIES, params.arms)
    drawn = Bootstrap(resamples=params.resamples, seed=params.seed)
    measures, curves = score_policies(runs, params.reader(), params.reference, drawn)
    with new_folder(OUTPUT) as folder:
        write_json(folder / POLICY_MEASURES, measures.model_dump(mode="json"))
        write_json(folder / POLICY_CURVES, curves.model_dump(mode="json"))
    if not runs:
        return "no policy: `policy_scores.arms` in params.yaml names none"
    gold = ", ".join(f"{arm.name} {arm.end['gold'].value:.3f}" for arm in measures.arms if "gold" in arm.end)
    return f"arms {len(measures.arms)}, trainings {len(runs)}; gold at the end: {gold or 'no prompt has a verifier'}"


if __name__ == "__main__":
    run_stage("policy_scores", main)
