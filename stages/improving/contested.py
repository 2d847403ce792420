"""Let the old and the retrained judge compare the held-out pairs; where they differ, the oracle is to be asked.

Reads:   data/hard_cases/<round>/held_out.jsonl, both judges' checkpoints, data/judgments/<judge> (settings of each)
Writes:  data/contested/<round>/candidates.jsonl (in an order of chance), counts.json
Resumes: ledgers/contested-<round>.jsonl
Run:     python -m stages.improving.contested <round>      (or: dvc repro contested@<round>)
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import orjson

from reasrm.evaluation.judge_params import JudgeParams, RunningParams
from reasrm.evaluation.pairwise_judgment import Pair, judge_pairs
from reasrm.policy.hard_cases.contested_pairs import contested, contested_counts
from reasrm.records.hard_case import AnswerPair, Verdicts
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.ledger import Ledger
from reasrm.records.unasked_prompts import IDENTITY
from reasrm.runtime.kept_folders import ledger_file
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage

JUDGMENTS = Path("data/judgments")
CONTESTED = Path("data/contested")


class ContestedParams(StageParams):
    """Section `contested` of params.yaml, with the round's own keys laid over it."""

    section: ClassVar[str] = "contested"

    reads: Path
    """The file of held-out pairs."""
    old: str
    """The current judge, a key of `judge_variants`."""
    old_checkpoint: Path
    new: str
    """The retrained one."""
    new_checkpoint: Path
    seed: int
    """Of the order of chance in which the oracle is asked."""


def judge_of(name: str, checkpoint: Path) -> JudgeParams:
    """A judge as it made its judgments of the benchmarks."""
    identity: Mapping[str, Any] = orjson.loads((JUDGMENTS / name / IDENTITY).read_bytes())
    return JudgeParams.recorded_in(identity, checkpoint)


def verdicts_of(judge: JudgeParams, pairs: Sequence[AnswerPair], ledger: Ledger) -> list[Verdicts]:
    """What a judge names in both orders of each pair."""
    asked = [Pair(pair.prompt, pair.a, pair.b) for pair in pairs]
    with judge.open_judge(RunningParams.load()) as opened:
        return [(one.orders[0].verdict, one.orders[1].verdict) for one in judge_pairs(opened, asked, ledger)]


def main(round_name: str) -> str:
    """Find the contested pairs of a round; return the summary line."""
    params = ContestedParams.load(round_name)
    pairs = list(read_records(params.reads, AnswerPair))
    places = {params.old: params.old_checkpoint, params.new: params.new_checkpoint}
    judges = {name: judge_of(name, checkpoint) for name, checkpoint in places.items()}
    paid = any(judge.is_paid for judge in judges.values())
    with Ledger(ledger_file(f"contested-{round_name}", paid=paid)) as ledger:
        named = {name: verdicts_of(judge, pairs, ledger) for name, judge in judges.items()}
    found = contested(pairs, named, params.seed)
    counts = contested_counts(pairs, named, found)
    with new_folder(CONTESTED / round_name) as folder:
        write_records(folder / "candidates.jsonl", found)
        write_json(folder / "counts.json", counts)
    return f"{round_name}: {params.old} and {params.new} differ on {len(found)} of {len(pairs)} held-out pairs"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Find the held-out pairs on which two judges differ.")
    parser.add_argument("round", help="a key of `contested_variants` in params.yaml")
    chosen = parser.parse_args().round
    run_stage(f"contested-{chosen}", lambda: main(chosen))
