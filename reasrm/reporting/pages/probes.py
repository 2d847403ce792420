"""The page of the probes: what each found about every model, what it cost, and the questions that it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reasrm.probes.measures_file import ProbeMeasures
from reasrm.probes.measuring.families import ModelDifference
from reasrm.reporting.charts import ModelView
from reasrm.reporting.probe_figures.faithfulness import faithfulness_changes, faithfulness_sentence
from reasrm.reporting.probe_figures.measure_tables import ProbeSection, probe_sections
from reasrm.reporting.probe_figures.reviewer_questions import ReviewerQuestion, reviewer_questions
from reasrm.reporting.probe_figures.tested_family import FALSE_DISCOVERIES, MeasureKey, adjusted_p
from reasrm.reporting.source import ReportSource
from reasrm.scoring.judged_items import read_items, read_judged_items
from reasrm.scoring.reply_lengths import LengthGap, length_gaps


@dataclass(frozen=True)
class CostRow:
    """What probing one model cost beside plain judging."""

    model: ModelView
    found: ProbeMeasures

    @property
    def ratio(self) -> float:
        """Judgments and margins of all probes to plain judgments."""
        cost = self.found.cost
        return (cost.judgments + cost.margins) / self.found.plain_judgments


@dataclass(frozen=True)
class ProbesPage:
    """What the page shows."""

    probes: tuple[ProbeSection, ...]
    questions: tuple[ReviewerQuestion, ...]
    faithfulness: str
    """What the training between the two models of `side_by_side` did; empty where they are not probed."""
    costs: tuple[CostRow, ...]
    tests: int
    """In the family of which each p is adjusted."""
    effects: int
    """Of them, those that are shown."""
    level: float = FALSE_DISCOVERIES

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """Anchors and names."""
        found = [("questions", "Reviewers' questions")]
        if self.probes:
            found.append(("reading", "How to read the tables"))
        found += [(probe.anchor, probe.title) for probe in self.probes]
        return (*found, ("probe-cost", "Cost")) if self.costs else tuple(found)


def probes_page(source: ReportSource) -> ProbesPage:
    """Gather it."""
    changes = _changes(source)
    adjusted = adjusted_p(source.measures, changes or ())
    suite = source.parameters["probe"]["suite"]
    return ProbesPage(
        probes=probe_sections(source.probed, source.measures, adjusted, suite),
        questions=reviewer_questions(source, _lengths(source), adjusted),
        faithfulness="" if changes is None else _faithfulness(source, changes, adjusted),
        costs=tuple(CostRow(model, source.measures[model.name]) for model in source.probed),
        tests=len(adjusted),
        effects=sum(p < FALSE_DISCOVERIES for p in adjusted.values()),
    )


def _changes(source: ReportSource) -> list[ModelDifference] | None:
    """What changed from the earlier to the later model of `side_by_side`; None where they are not both probed."""
    earlier, later = source.settings.side_by_side
    if earlier == later or not {earlier, later} <= source.measures.keys():
        return None
    seed = source.parameters["probe"]["seed"]
    return faithfulness_changes(source.question_values(earlier), source.question_values(later), seed)


def _faithfulness(
    source: ReportSource, changes: Sequence[ModelDifference], adjusted: Mapping[MeasureKey, float]
) -> str:
    earlier, later = (source.settings.label(model) for model in source.settings.side_by_side)
    return faithfulness_sentence((earlier, later), changes, adjusted)


def _lengths(source: ReportSource) -> dict[str, list[LengthGap]]:
    """How reply length and accuracy go together, for the two models of `side_by_side`."""
    items, drawn = read_items(source.folders.benchmarks), source.parameters["score"]
    return {
        model: length_gaps(
            read_judged_items(source.folders.judgments / model, items), drawn["resamples"], drawn["seed"]
        )
        for model in dict.fromkeys(source.settings.side_by_side)
    }
