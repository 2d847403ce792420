"""Which pairs a training learns from: the files of data/pairs, or of a later version, that the key `pairs` names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair, Purpose
from reasrm.runtime.stage_main import StageError

PAIRS = Path("data/pairs")


def _to_train_on(purposes: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
    if not purposes:
        raise ValueError("no purpose is named: distill, reinforce or both")
    if Purpose.DEV in purposes:
        raise ValueError(
            "nothing is trained on dev pairs, which trainings are judged on: name distill, reinforce or both"
        )
    if len(set(purposes)) < len(purposes):
        raise ValueError("a purpose is named twice")
    return purposes


TrainingPairs = Annotated[tuple[Purpose, ...], AfterValidator(_to_train_on)]
"""Whose pairs are trained on; each purpose once, dev never."""


def pair_files(purposes: Sequence[Purpose], folder: Path = PAIRS) -> tuple[Path, ...]:
    """The files of these purposes in `folder`, in their order."""
    return tuple(folder / f"{purpose.value}.jsonl" for purpose in purposes)


def read_pairs(purposes: Sequence[Purpose], folder: Path = PAIRS) -> list[PreferencePair]:
    """The pairs of these purposes in `folder`, one file after the other.

    Raises:
        StageError: a file is missing, or they hold no pair.
    """
    files = pair_files(purposes, folder)
    pairs = [pair for file in files for pair in read_records(file, PreferencePair)]
    if not pairs:
        raise StageError(
            f"no pair to train on: {', '.join(map(str, files))} hold none, since section `collect_pairs` gives "
            f"{' and '.join(purposes)} none; name another purpose in `pairs`"
        )
    return pairs
