"""Where pairs to learn from come from: the paper's data sets on the hub, files of a folder, or questions of our own."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from reasrm.data_quality.pair_selection import PairCandidate, Purpose
from reasrm.datasets.hub import HubData, download
from reasrm.datasets.preference_schemas import preference_pair
from reasrm.datasets.row_fields import RowRefusedError
from reasrm.datasets.row_files import RowInFile, rows_of
from reasrm.records.jsonl import explain
from reasrm.records.pair import PreferencePair
from reasrm.runtime.stage_main import StageError

FILES = {"rmb": "rmb/RMB_dataset/Pairwise_set/**/*.json", "pairs": "pairs/**/*.jsonl"}
"""Source name to where its rows stand below the folder."""
HUB = (
    HubData("Skywork/Skywork-Reward-Preference-80K-v0.2", ("data/*.parquet",)),
    HubData("Vezora/Code-Preference-Pairs", ("*.jsonl",)),
    HubData("xinlai/Math-Step-DPO-10K", ("data/*.parquet",)),
)
"""The paper's three sources (section 3.1)."""


def candidates_from_hub(revisions: Path) -> Iterator[PairCandidate]:
    """The rows of the paper's three data sets, at the revisions that the file `revisions` holds.

    Raises:
        StageError: a data set cannot be had.
    """
    for source in HUB:
        for row in download(source, revisions):
            yield _candidate(row, source.repo)


def candidates_from_files(folder: Path) -> Iterator[PairCandidate]:
    """The rows of all files of preference pairs below `folder`, in a fixed order.

    Raises:
        StageError: there are none.
    """
    found = {name: sorted(folder.glob(pattern)) for name, pattern in FILES.items()}
    if not any(found.values()):
        raise StageError(
            f"{folder} has neither {' nor '.join(FILES.values())}: put pairs there (data/raw/README.md shows the "
            f"layout) or choose another `source` in section `collect_pairs` of params.yaml"
        )
    for name, paths in found.items():
        for path in paths:
            for row in rows_of(path, path.relative_to(folder).as_posix()):
                yield _candidate(row, name)


def candidates_from_miniature(
    train: Iterable[PreferencePair], dev: Iterable[PreferencePair], counts: Mapping[Purpose, int]
) -> Iterator[PairCandidate]:
    """The miniature's pairs: `train` cut in two, so that none is both distilled and reinforced; `dev` for tries."""
    for place, pair in enumerate(train):
        purpose = Purpose.DISTILL if place < counts[Purpose.DISTILL] else Purpose.REINFORCE
        yield PairCandidate("miniature/train", place, pair.source, pair, purpose=purpose)
    for place, pair in enumerate(dev):
        yield PairCandidate("miniature/dev", place, pair.source, pair, purpose=Purpose.DEV)


def _candidate(row: RowInFile, source: str) -> PairCandidate:
    try:
        return PairCandidate(row.file, row.place, source, preference_pair(row.row, source))
    except RowRefusedError as error:
        return PairCandidate(row.file, row.place, source, None, str(error))
    except ValidationError as error:
        return PairCandidate(row.file, row.place, source, None, explain(error))
