"""The next version of the pairs to reinforce: a round's labelled hard cases, earlier ones, and a replay of old pairs.

Reads:   data/relabelled/<round>-train, data/pairs/reinforce.jsonl, the version that the present judge learnt from
Writes:  data/pair_versions/<round>/reinforce.jsonl
Run:     python -m stages.improving.extend_pairs <round>      (or: dvc repro extend_pairs@<round>)
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from reasrm.policy.hard_cases.pair_version import labelled_pairs, next_version
from reasrm.records.hard_case import HARD_CASE, RelabelledCandidate
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.pair import PreferencePair, Purpose
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage

POOL = Path("data/pairs/reinforce.jsonl")
VERSIONS = Path("data/pair_versions")


class ExtendPairsParams(StageParams):
    """Section `extend_pairs` of params.yaml, with the round's own keys laid over it."""

    section: ClassVar[str] = "extend_pairs"

    reads: Path
    """The folder of the round's relabelled candidates."""
    extends: Path
    """The folder of the version before: data/pairs, or that of a kept round, whose hard cases stay."""
    replay: float = Field(ge=0)
    """Old pairs drawn for each hard case, so that the judge does not forget them."""
    seed: int


def main(round_name: str) -> str:
    """Write the next version; return the summary line."""
    params = ExtendPairsParams.load(round_name)
    new = labelled_pairs(read_records(params.reads / "relabelled.jsonl", RelabelledCandidate), round_name)
    file = f"{Purpose.REINFORCE.value}.jsonl"
    before = list(read_records(params.extends / file, PreferencePair))
    pairs = next_version(new, before, list(read_records(POOL, PreferencePair)), params.replay, params.seed)
    with new_folder(VERSIONS / round_name) as folder:
        write_records(folder / file, pairs)
    rounds = Counter(pair.labels["round"] for pair in pairs if pair.source == HARD_CASE)
    hard = ", ".join(f"{count} hard cases of {name}" for name, count in sorted(rounds.items()))
    return f"{round_name}: {len(pairs)} pairs: {hard}, {len(pairs) - rounds.total()} drawn from {POOL}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the next version of the pairs to reinforce.")
    parser.add_argument("round", help="a key of `extend_pairs_variants` in params.yaml")
    chosen = parser.parse_args().round
    run_stage(f"extend_pairs-{chosen}", lambda: main(chosen))
