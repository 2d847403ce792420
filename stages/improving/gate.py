"""Decide whether a round's judge takes the old one's place.

Reads:   data/relabelled/<round>-held_out and <round>-train, data/contested/<round>, both judges' judgments,
         data/benchmarks
Writes:  data/gates/<round>.json: the decision, both figures with intervals, dollars per point
Run:     python -m stages.improving.gate <round>      (or: dvc repro gate@<round>)
"""

import argparse
from pathlib import Path
from typing import Any, ClassVar

import orjson

from reasrm.policy.hard_cases.gate import GateRules, decision_document, figures
from reasrm.records.hard_case import RelabelledCandidate
from reasrm.records.jsonl import read_records
from reasrm.runtime.outputs import write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage
from reasrm.scoring.judge_behaviour import question_values
from reasrm.scoring.judged_items import read_items, read_judged_items

BENCHMARKS = Path("data/benchmarks")
JUDGMENTS = Path("data/judgments")
GATES = Path("data/gates")


class GateParams(StageParams, GateRules):
    """Section `gate` of params.yaml, with the round's own keys laid over it."""

    section: ClassVar[str] = "gate"

    trained_on: Path
    """The folder of the relabelled candidates that the new judge learnt from: what they cost counts."""
    held_out: Path
    """The folder of the relabelled contested ones."""
    counts: Path
    """What the contested ones are a part of."""
    old: str
    """The current judge, a key of `judge_variants`."""
    new: str
    """The retrained one."""


def read_json(file: Path) -> dict[str, Any]:
    """A file of JSON."""
    return dict(orjson.loads(file.read_bytes()))


def main(round_name: str) -> str:
    """Decide about a round; return the summary line."""
    params = GateParams.load(round_name)
    items = read_items(BENCHMARKS)
    old, new = (question_values(read_judged_items(JUDGMENTS / judge, items)) for judge in (params.old, params.new))
    rules = GateRules(**params.model_dump(include=set(GateRules.model_fields)))
    judges = (params.old, params.new)
    found = list(read_records(params.held_out / "relabelled.jsonl", RelabelledCandidate))
    made = figures(found, read_json(params.counts / "counts.json")["prompts"], (old, new), judges, rules)
    spent = {name: read_json(folder / "metrics.json") for name, folder in _folders(params).items()}
    decision = decision_document(made, rules, judges, spent)
    write_json(GATES / f"{round_name}.json", decision)
    return f"{round_name}: {'kept' if decision['kept'] else 'dropped'}: {decision['why']}"


def _folders(params: GateParams) -> dict[str, Path]:
    return {"train": params.trained_on, "held_out": params.held_out}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Decide whether a round's judge is kept.")
    parser.add_argument("round", help="a key of `gate_variants` in params.yaml")
    chosen = parser.parse_args().round
    run_stage(f"gate-{chosen}", lambda: main(chosen))
