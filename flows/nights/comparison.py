"""The candidate against the champion on the same questions, by the paired interval that `reasrm ablate` uses too.

The figure is the mean of the official scores of `score.headline`; a drawn question counts for both judges.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from flows.ablations.ablation_run import score_settings
from flows.ablations.measuring import measure
from flows.nights.champion import Champion
from flows.nights.stored_outputs import StoredOutput, take_out
from flows.running.stage_outcome import FlowError

TAKEN_OUT = Path("work/nights")
OTHER_QUESTIONS = (
    "Judge the champion's checkpoint on the present questions: a variant NAME of `judge_variants` with the checkpoint "
    "of `reasrm promote --checkout FOLDER`, then `reasrm run --to judge@NAME` and `reasrm promote MODEL --against "
    "NAME`. Whether MODEL is promoted or not, the next comparison needs no more"
)
CANDIDATE, OTHER = "candidate", "champion"
AVERAGE, ACCURACY = "average", "accuracy"


class Judged(NamedTuple):
    """Judgments and the items that they are about, as folders."""

    judgments: Path
    benchmarks: Path


def figures(root: Path, params: dict[str, Any], judged: Judged) -> dict[str, Any]:
    """The figures of one judge alone.

    Raises:
        FlowError: it cannot be measured.
    """
    found = measure(root, {"rows": [_row(CANDIDATE, judged)], "steps": [], "covered": None, **score_settings(params)})
    return _figures(found, CANDIDATE) | {"questions": found["n"]["questions"]}


def gain(root: Path, params: dict[str, Any], judged: Judged, other: Judged) -> dict[str, Any]:
    """Both judges' figures, and what the first has more than the other, with its 95 % interval; shares, not points.

    Raises:
        FlowError: they were judged on different questions, or cannot be measured.
    """
    require_same_items(score_settings(params)["headline"], judged.benchmarks, other.benchmarks)
    rows = [_row(CANDIDATE, judged), _row(OTHER, other)]
    request = {"rows": rows, "steps": [(CANDIDATE, OTHER)], "covered": None, **score_settings(params)}
    found = measure(root, request)
    (step,) = found["steps"]
    return {
        "value": step[AVERAGE]["value"],
        "ci95": step[AVERAGE]["ci95"],
        "p": step[AVERAGE]["p"],
        "questions": found["n"]["questions"],
        "headline": found["headline"],
        "candidate": _figures(found, CANDIDATE),
        "other": _figures(found, OTHER),
    }


def gain_over(root: Path, params: dict[str, Any], judged: Judged, items: StoredOutput, old: Champion) -> dict[str, Any]:
    """`gain` over a champion, whose judgments are taken out of DVC's cache or its remote.

    Args:
        root: the project.
        params: the document of params.yaml.
        judged: the candidate's judgments and items, in the workspace.
        items: those items, as DVC knows them.
        old: the champion.

    Raises:
        FlowError: its judgments are to be had nowhere, or it was judged on other questions.
    """
    (root / TAKEN_OUT).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root / TAKEN_OUT) as folder:
        try:
            take_out(root, old.judgments, Path(folder, "judgments"))
            if old.benchmarks.md5 != items.md5:
                take_out(root, old.benchmarks, Path(folder, "benchmarks"))
        except FlowError as error:
            raise FlowError(
                f"the champion {old.model} of {old.promoted} cannot be compared with: {error}. {OTHER_QUESTIONS}"
            ) from error
        benchmarks = judged.benchmarks if old.benchmarks.md5 == items.md5 else Path(folder, "benchmarks")
        return gain(root, params, judged, Judged(Path(folder, "judgments"), benchmarks))


def gain_over_stored(root: Path, params: dict[str, Any], judged: Judged, old: StoredOutput) -> dict[str, Any]:
    """`gain` over judgments of the same items that DVC stored.

    Raises:
        FlowError: they are to be had nowhere, or cannot be measured.
    """
    (root / TAKEN_OUT).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root / TAKEN_OUT) as folder:
        take_out(root, old, Path(folder, "judgments"))
        return gain(root, params, judged, Judged(Path(folder, "judgments"), judged.benchmarks))


def require_same_items(headline: list[str], new: Path, old: Path) -> None:
    """Do nothing if both folders hold the same questions of the benchmarks in `headline`.

    Raises:
        FlowError: they do not; the message names the first that differs.
    """
    from reasrm.records.jsonl import BadRecordError

    if new == old:
        return
    try:
        ours, theirs = _items(headline, new), _items(headline, old)
    except BadRecordError as error:
        raise FlowError(f"judged on questions that cannot be read: {error}. {OTHER_QUESTIONS}") from error
    differing = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    if differing:
        key = differing[0]
        how = "is new" if key not in theirs else "is gone" if key not in ours else "has other words"
        raise FlowError(
            f"judged on different questions: {len(differing)} of {len({**ours, **theirs})} differ, the first is "
            f"{key[0]} {key[1]!r}, which {how}. {OTHER_QUESTIONS}"
        )


def _items(headline: list[str], folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    from reasrm.records.benchmark_folder import item_files
    from reasrm.records.benchmark_item import BenchmarkItem
    from reasrm.records.jsonl import read_records

    return {
        (item.benchmark, item.item_id): (item.group, item.pair.id)
        for name, file in item_files(folder).items()
        if name in headline
        for item in read_records(file, BenchmarkItem)
    }


def _row(name: str, judged: Judged) -> dict[str, Any]:
    return {"name": name, "judgments": [str(judged.judgments)], "benchmarks": [str(judged.benchmarks)]}


def _figures(found: dict[str, Any], row: str) -> dict[str, Any]:
    """The average and the accuracy of one row, each with its interval."""
    return {name: {key: found["rows"][row][name][key] for key in ("value", "ci95")} for name in (AVERAGE, ACCURACY)}
