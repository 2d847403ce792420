"""Where pairs to learn from come from: known data sets on the hub, files of a folder, or questions of our own."""

from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from reasrm.data_quality.pair_selection import PairCandidate, PairRejection
from reasrm.datasets.folder_files import files_below
from reasrm.datasets.hub import HubData, download, origin
from reasrm.datasets.origins import DataOrigin
from reasrm.datasets.preference_rows import preference_pair
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.datasets.row_files import ENDINGS, RowInFile, rows_of_found
from reasrm.records.jsonl import explain
from reasrm.records.pair import PreferencePair, Purpose
from reasrm.runtime.stage_main import StageError

FOLDERS = {"rmb": "rmb/RMB_dataset/Pairwise_set", "pairs": "pairs"}
"""Source name to the folder of its files, below the one that is given."""
REJECTIONS = {
    Refusal.TIE: PairRejection.TIE,
    Refusal.IDENTICAL: PairRejection.IDENTICAL_ANSWERS,
    Refusal.FILE_NOT_READ: PairRejection.FILE_NOT_READ,
}
"""What a refused row is in the account; any other is unusable."""

_PARQUET = ("data/*.parquet",)
HUB = {
    source.repo: source
    for source in (
        HubData("Skywork/Skywork-Reward-Preference-80K-v0.2", _PARQUET),
        HubData("Vezora/Code-Preference-Pairs", ("*.jsonl",)),
        HubData("xinlai/Math-Step-DPO-10K", _PARQUET),
        HubData("gaotang/RM-R1-after-Distill-RLVR", _PARQUET),
        HubData("gaotang/RM-R1-Entire-RLVR-Train", _PARQUET),
    )
}
"""The paper's three sources (section 3.1), and RM-R1's own mixtures of them: what is left beside its published traces,
and all."""


def candidates_from_hub(names: Sequence[str], revisions: Path) -> Iterator[PairCandidate]:
    """The rows of data sets of `HUB`, at the revisions that the file `revisions` holds.

    Raises:
        StageError: a data set cannot be had.
    """
    for name in names:
        for row in download(HUB[name], revisions):
            yield _candidate(row, name)


def hub_origins(names: Sequence[str], revisions: Path) -> tuple[DataOrigin, ...]:
    """Revision and licence of each of these data sets, once they have been read."""
    return tuple(origin(HUB[name], revisions) for name in names)


def candidates_from_files(folder: Path) -> Iterator[PairCandidate]:
    """The rows of all files of preference pairs below `folder`, in a fixed order.

    Raises:
        StageError: there are none.
    """
    found = {name: files_below(folder, part) for name, part in FOLDERS.items()}
    if not any(found.values()):
        raise StageError(
            f"{folder} has neither {' nor '.join(f'{part}/**' for part in FOLDERS.values())} with files of preference "
            f"pairs ({', '.join(ENDINGS)}): put them there (data/raw/README.md shows the layout) or choose another "
            f"`source` in section `collect_pairs` of params.yaml"
        )
    for name, files in found.items():
        for file in files:
            for row in rows_of_found(file):
                yield _candidate(row, name)


def candidates_from_miniature(
    train: Iterable[PreferencePair],
    dev: Iterable[PreferencePair],
    distilled: int,
    slices: Container[str] | None,
) -> Iterator[PairCandidate]:
    """The miniature's pairs: the first `distilled` of `train` that are of `slices` to distill, the rest to reinforce.

    Args:
        train: pairs on training questions.
        dev: pairs on the questions for development.
        distilled: how many are for the oracle's traces.
        slices: the slices of the world that they are from; None for all.
    """
    left = distilled
    for place, pair in enumerate(train):
        taken = left > 0 and (slices is None or pair.labels["slice"] in slices)
        left -= taken
        purpose = Purpose.DISTILL if taken else Purpose.REINFORCE
        yield PairCandidate("miniature/train", place, pair.source, pair, purpose=purpose)
    for place, pair in enumerate(dev):
        yield PairCandidate("miniature/dev", place, pair.source, pair, purpose=Purpose.DEV)


def _candidate(row: RowInFile, source: str) -> PairCandidate:
    try:
        if row.fault is not None:
            raise row.fault
        return PairCandidate(row.file, row.place, source, preference_pair(row.row, source))
    except RowRefusedError as error:
        reason = REJECTIONS.get(error.reason)
        detail = str(error) if reason is None else error.detail
        return PairCandidate(row.file, row.place, source, None, detail, reason or PairRejection.UNUSABLE_ROW)
    except ValidationError as error:
        return PairCandidate(row.file, row.place, source, None, explain(error))
