"""Probing one judge on pairs of a file, or on its recorded replies: plain judgments first, then the suite."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from reasrm.evaluation.judge import Judge
from reasrm.inference.vocabulary import UnknownWordsError
from reasrm.probes.items import judged_plainly
from reasrm.probes.measures_file import ProbeMeasures, probe_measures, write_probe_folder
from reasrm.probes.probe import Probe
from reasrm.probes.probe_run import ProbeResult, run_suite, traits_of
from reasrm.probes.query import ProbeContext, ProbeItem
from reasrm.probes.recorded.recorded_judge import RecordedJudge
from reasrm.records.comparison import Side, show
from reasrm.records.judgment import Judgment
from reasrm.records.ledger import Ledger
from reasrm.runtime.stage_main import StageError

JUDGMENTS = "judgments.jsonl"
"""The plain judgments, beside the measures."""


class ProbedJudge(NamedTuple):
    """What a run found out about one judge."""

    name: str
    measures: ProbeMeasures
    results: list[ProbeResult]
    context: ProbeContext

    def write(self, folder: Path) -> None:
        """Write everything to `folder`, anew."""
        write_probe_folder(folder, self.measures, self.results, [(JUDGMENTS, self._judgments())])

    def _judgments(self) -> Iterator[Judgment]:
        for one in self.context.all_plain:
            about = {"benchmark": one.item.benchmark, "item_id": one.item.item_id, "better": one.better}
            yield Judgment.model_validate({**about, **one.judgment.model_dump()})


def probe_pairs(
    judge: Judge, suite: Sequence[Probe], sample: Sequence[ProbeItem], ledger: Ledger | None, resamples: int, seed: int
) -> ProbedJudge:
    """Judge all of `sample` in both orders and probe the judge with each probe of `suite`, with one open model.

    Raises:
        StageError: a pair holds words that the judge's vocabulary lacks; says which row. Or the judge cannot be used.
        StoppedResumable: a service stopped answering.
    """
    try:
        judge.require_known_words([show(item.pair, Side.A) for item in sample])
    except UnknownWordsError as error:
        odd = sample[error.place]
        raise StageError(f"{odd.benchmark} row {odd.item_id}: {error}") from error
    plain = judged_plainly(judge, sample, ledger)
    context = ProbeContext(sample, plain, traits_of(judge), resamples, seed)
    return _probed("", judge, suite, context, ledger)


def probe_recorded(recorded: RecordedJudge, suite: Sequence[Probe], resamples: int, seed: int) -> ProbedJudge:
    """Run the probes that ask nothing on what a judge has replied before."""
    return _probed(recorded.name, None, suite, recorded.context(resamples, seed), None)


def _probed(
    name: str, judge: Judge | None, suite: Sequence[Probe], context: ProbeContext, ledger: Ledger | None
) -> ProbedJudge:
    results = list(run_suite(judge, suite, context, ledger))
    if all(result.refused for result in results):
        whys = "; ".join(f"{result.probe.name}: {result.refused}" for result in results)
        raise StageError(f"no probe of the suite can be run on this judge ({whys})")
    identity = {"recorded": name} if judge is None else judge.identity()
    return ProbedJudge(name, probe_measures(results, context, identity), results, context)
