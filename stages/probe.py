"""Probe one model: whether its verdicts can be trusted, with its checkpoint loaded once.

Reads:   data/benchmarks/*.jsonl, data/judgments/<model> (with the settings in its identity.json), the checkpoint
Writes:  below data/probes/<model>: <probe>.jsonl (each query and what the judge made of it), <probe>.judgments.jsonl
         (what was read out of each plain judgment), measures.json and question_values.json (what each question came to,
         by which models are compared)
Resumes: ledgers/probe-<model>.jsonl; an edit of a probe asks that probe's queries again and no others
Run:     python -m stages.probe <model>      (or: dvc repro probe@<model>)
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import orjson
from pydantic import Field, field_validator

from reasrm.evaluation.judge_params import BENCHMARKS, JudgeParams, RunningParams
from reasrm.probes.items import items_of_folder, judged_plainly, read_judgments, sample_of
from reasrm.probes.measures_file import probe_measures, write_probe_folder
from reasrm.probes.probe_run import run_suite, traits_of
from reasrm.probes.query import ProbeContext
from reasrm.probes.registry import suite
from reasrm.records.ledger import Ledger
from reasrm.records.unasked_prompts import IDENTITY
from reasrm.runtime.kept_folders import ledger_file
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.runtime.terminal import say_error

JUDGMENTS = Path("data/judgments")
PROBES = Path("data/probes")


class ProbeParams(StageParams):
    """Section `probe` of params.yaml, with the keys of one model (`probe_variants.<model>`)."""

    section: ClassVar[str] = "probe"

    checkpoint: Path
    """The model's, as in `judge_variants.<model>`: how it is run and prompted is what made its judgments."""
    questions: int = Field(gt=0)
    """Most questions of the sample that probes ask about, drawn by hash over all benchmarks."""
    seed: int
    """Of the sample, of draws and of each bootstrap."""
    resamples: int = Field(ge=100)
    """Of each bootstrap; fewer show no interval of 95 %."""
    suite: dict[str, dict[str, Any]]
    """The probes that are run, each with its settings."""

    @field_validator("suite")
    @classmethod
    def _known_probes(cls, settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        try:
            suite(settings)
        except StageError as error:
            raise ValueError(str(error)) from error
        return settings


def require_same_model(opened: Mapping[str, Any], judged: Mapping[str, Any], model: str, checkpoint: Path) -> None:
    """Refuse to set answers of one model beside the plain judgments of another.

    Raises:
        StageError: the weights are not those that judged.
    """
    here, there = (str(identity.get("engine", {}).get("checkpoint")) for identity in (opened, judged))
    if here != there:
        raise StageError(
            f"{checkpoint} (weights {here[:12]}) is not what made {JUDGMENTS / model} (weights {there[:12]}): name the "
            f"checkpoint of `judge_variants.{model}` in `probe_variants.{model}` of params.yaml, or judge again: "
            f"`dvc repro judge@{model}`"
        )


def main() -> str:
    """Probe the model named on the command line."""
    if len(sys.argv) != 2:
        raise StageError("which model? `python -m stages.probe MODEL`, one of `probe_variants` in params.yaml")
    model = sys.argv[1]
    params, running = ProbeParams.load(model), RunningParams.load()
    probes = suite(params.suite)
    identity: Mapping[str, Any] = orjson.loads((JUDGMENTS / model / IDENTITY).read_bytes())
    items = items_of_folder(BENCHMARKS)
    plain = read_judgments(JUDGMENTS / model, items)
    judge_params = JudgeParams.recorded_in(identity, params.checkpoint)
    ledger_of_probe = ledger_file(f"probe-{model}", paid=judge_params.is_paid)
    with judge_params.open_judge(running) as judge, Ledger(ledger_of_probe) as ledger:
        require_same_model(judge.identity(), identity, model, params.checkpoint)
        sample = sample_of(items, params.questions, params.seed)
        plain = judged_plainly(judge, sample, ledger, plain)
        context = ProbeContext(sample, plain, traits_of(judge), params.resamples, params.seed)
        results = list(run_suite(judge, probes, context, ledger))
        asked_by = judge.identity()
    found = probe_measures(results, context, asked_by)
    write_probe_folder(PROBES / model, found, results)
    for result in results:
        if result.refused:
            say_error(f"probe-{model}", f"{result.probe.name} was not run: {result.refused}")
    return f"{model}: {len(results)} probes, {found.cost.judgments:,} judgments of {len(sample)} questions"


if __name__ == "__main__":
    run_stage(f"probe-{sys.argv[1]}" if len(sys.argv) > 1 else "probe", main)
