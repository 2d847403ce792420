"""Probing one judge: all probes of a suite with one open model, each probe's queries in calls of their own.

That is what makes an edit of a probe cheap: the ledger keeps whole batches (`inference.prompt_run`), and no batch holds
queries of two probes, so only the edited probe's are asked again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.evaluation.text_judge import TextJudge
from reasrm.probes.measure import Measure
from reasrm.probes.probe import Probe
from reasrm.probes.query import PLAIN, Condition, JudgeTraits, ProbeAnswer, ProbeContext, ProbeQuery
from reasrm.records.comparison import show
from reasrm.records.ledger import Ledger
from reasrm.records.probe_row import ProbeRow, ShownTexts

ONLY_RECORDED = "it asks the judge, and there are only recorded replies"
"""Why a probe is not run."""


class ProbeResult(NamedTuple):
    """What one probe found out about one judge."""

    probe: Probe
    refused: str
    """Why the judge could not be probed; empty if it was."""
    answers: list[ProbeAnswer]
    measures: list[Measure]
    readings: Sequence[BaseModel] = ()
    """What was read out of each plain judgment (`records.judgment_reading`)."""


class ProbeCost(BaseModel):
    """What the queries of a suite cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judgments: int
    """Comparisons that the judge replied to or scored; the same query of two probes counts twice."""
    margins: int
    """Log-odds that were read off a reply that was given before: one forward pass each, nothing is written."""
    prompt_tokens: int
    completion_tokens: int


def most_queries(suite: Sequence[Probe], items: int, traits: JudgeTraits) -> dict[str, int]:
    """How many queries each probe has at most; 0 where the judge cannot be probed so."""
    return {probe.name: 0 if probe.refuses(traits) else probe.most_queries(items, traits) for probe in suite}


def run_suite(
    judge: Judge | None, suite: Sequence[Probe], context: ProbeContext, ledger: Ledger | None
) -> Iterator[ProbeResult]:
    """Probe `judge` with each probe of `suite`, in order; None stands for a judge of which there are only records."""
    for probe in suite:
        if why := probe.refuses(context.traits):
            yield ProbeResult(probe, why, [], [])
            continue
        most = probe.most_queries(len(context.items), context.traits)
        if judge is None and most:
            yield ProbeResult(probe, ONLY_RECORDED, [], [])
            continue
        queries = list(probe.queries(context))
        if len(queries) > most:
            raise RuntimeError(f"the probe {probe.name} asks {len(queries)} queries and announced {most} at most")
        answers = [] if judge is None else answer_all(judge, queries, ledger)
        measures = list(probe.measures(context, answers))
        _require_defined(probe, measures)
        yield ProbeResult(probe, "", answers, measures, list(probe.readings(context)))


def traits_of(judge: Judge) -> JudgeTraits:
    """What can be asked of an open judge."""
    if not isinstance(judge, TextJudge):
        return JudgeTraits(writes=False, continues=False, margins=False, draws=False, own_prompt=False)
    own = isinstance(judge.template, RubricsTemplate)
    return JudgeTraits(
        writes=True,
        continues=judge.runs_here,
        margins=judge.gives_margins and own,
        draws="temperature" not in judge.unsent,
        own_prompt=own,
    )


def answer_all(judge: Judge, queries: Sequence[ProbeQuery], ledger: Ledger | None) -> list[ProbeAnswer]:
    """The answer to each query, in order; those of the same condition are asked together."""
    answers: dict[int, ProbeAnswer] = {}
    places: dict[Condition, list[int]] = defaultdict(list)
    of_comparison = cache(judge.unknown_words)
    for place, query in enumerate(queries):
        otherwise = query.condition.template is not None or not query.condition.defused
        unknown_words = _under(judge, query.condition).unknown_words if otherwise else of_comparison
        if unknown_words(query.comparison) or _unknown_beginning(judge, query.condition.begun):
            answers[place] = ProbeAnswer(query, unknown_words=True)
        else:
            places[_together(query.condition)].append(place)
    for condition, some in places.items():
        asked = [queries[place] for place in some]
        found = _margins(judge, asked, ledger) if condition.margin else _judgments(judge, condition, asked, ledger)
        answers |= zip(some, found, strict=True)
    return [answers[place] for place in range(len(queries))]


def cost(results: Iterable[ProbeResult]) -> ProbeCost:
    """What the answers of some probes cost."""
    asked = [one for result in results for one in result.answers if not one.unknown_words]
    replies = [paid for one in asked if one.judgment and (paid := one.judgment.samples or one.judgment.reply)]
    return ProbeCost(
        judgments=sum(not one.query.condition.margin for one in asked),
        margins=sum(one.query.condition.margin for one in asked),
        prompt_tokens=sum(one.prompt_tokens for one in replies),
        completion_tokens=sum(one.completion_tokens for one in replies),
    )


def row_of(probe: Probe, answer: ProbeAnswer) -> ProbeRow:
    """The answer as it is kept."""
    query = answer.query
    pair, comparison, condition = query.item.pair, query.comparison, query.condition
    plain = show(pair, comparison.better)
    return ProbeRow(
        probe=probe.name,
        variant=query.variant,
        benchmark=query.item.benchmark,
        item_id=query.item.item_id,
        better=comparison.better,
        step=query.step,
        shown=ShownTexts(
            prompt=None if comparison.prompt == plain.prompt else comparison.prompt,
            response_a=None if comparison.response_a == plain.response_a else comparison.response_a,
            response_b=None if comparison.response_b == plain.response_b else comparison.response_b,
        ),
        begun=condition.begun,
        defused=condition.defused,
        draw=condition.draw,
        judgment=answer.judgment,
        margin=answer.margin,
        unknown_words=answer.unknown_words,
    )


def _require_defined(probe: Probe, measures: Sequence[Measure]) -> None:
    """Readers find what a measure is by its name, and one measure by its name and variant."""
    if undefined := {one.name for one in measures} - probe.definitions.keys():
        raise RuntimeError(f"the probe {probe.name} measures {', '.join(sorted(undefined))} and does not define it")
    seen = Counter((one.name, one.variant) for one in measures)
    if twice := [" ".join(filter(None, key)) for key, count in seen.items() if count > 1]:
        raise RuntimeError(f"the probe {probe.name} measures {', '.join(twice)} more than once")


def _unknown_beginning(judge: Judge, begun: str) -> list[str]:
    """Words of what a reply is made to begin with that the judge's vocabulary lacks."""
    return judge.unknown_words_of(begun) if isinstance(judge, TextJudge) else []


def _together(condition: Condition) -> Condition:
    """Margins are asked together whatever their replies begin with; judgments only under the same condition."""
    return replace(condition, begun="") if condition.margin else condition


def _margins(judge: Judge, queries: Sequence[ProbeQuery], ledger: Ledger | None) -> list[ProbeAnswer]:
    if not isinstance(judge, TextJudge):
        raise TypeError("only a judge that writes has margins")
    begun = [(query.comparison, query.condition.begun) for query in queries]
    margins = judge.verdict_margins(begun, ledger)
    return [ProbeAnswer(query, margin=margin) for query, margin in zip(queries, margins, strict=True)]


def _judgments(
    judge: Judge, condition: Condition, queries: Sequence[ProbeQuery], ledger: Ledger | None
) -> list[ProbeAnswer]:
    asked = _under(judge, condition).judge([query.comparison for query in queries], ledger)
    return [ProbeAnswer(query, judgment) for query, judgment in zip(queries, asked, strict=True)]


def _under(judge: Judge, condition: Condition) -> Judge:
    """The judge as it is under `condition`; a scoring judge has none but the plain one."""
    if condition == PLAIN:
        return judge
    if not isinstance(judge, TextJudge):
        raise TypeError(f"a judge that scores cannot be asked under {condition}")
    template, samplings = condition.template or judge.template, judge.samplings
    if isinstance(template, RubricsTemplate):
        template = replace(template, defused=condition.defused, begins=condition.begun)
    if condition.draw is not None:
        drawn = {"seed": condition.draw, "temperature": condition.temperature}
        samplings = [samplings[0].model_copy(update=drawn)]
    return judge.asked_otherwise(template, samplings)
