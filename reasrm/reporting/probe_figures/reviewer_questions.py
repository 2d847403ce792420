"""What the reviewers of RM-R1 asked, answered with this run's figures: each answer is made from them by a rule.

Where a figure is missing, the answer says that it was not measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reasrm.probes.measure import Measure
from reasrm.reporting.charts import ModelView
from reasrm.reporting.display_text import NO_FIGURE, interval, p_value, percent, points
from reasrm.reporting.model_scores import Figure
from reasrm.reporting.probe_figures.measure_names import variant_title
from reasrm.reporting.probe_figures.measure_text import interval_of, value_text
from reasrm.reporting.probe_figures.named_measures import (
    ATTACKER_GAIN,
    LOST_VERDICTS,
    STEPS,
    MeasureName,
    badness,
    find,
    variants,
)
from reasrm.reporting.probe_figures.tested_family import FALSE_DISCOVERIES, MeasureKey
from reasrm.reporting.source import ReportSource
from reasrm.scoring.reply_lengths import LengthGap

NOT_MEASURED = "Not measured in this run"
SOME_ATTACKS = (
    "The worst of several is chosen by its figure, which so lies a little high. A text that only confuses a judge "
    "turns right verdicts too: what the attacker gains, and success in both positions, tell the two apart."
)


@dataclass(frozen=True)
class FigureTable:
    """A table whose cells are text."""

    caption: str
    columns: tuple[str, ...]
    """The first is that of the rows' names."""
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ReviewerQuestion:
    """A question with its answer."""

    anchor: str
    question: str
    answers: tuple[str, ...]
    """Sentences."""
    tables: tuple[FigureTable, ...]


def reviewer_questions(
    source: ReportSource, lengths: Mapping[str, Sequence[LengthGap]], adjusted: Mapping[MeasureKey, float]
) -> tuple[ReviewerQuestion, ...]:
    """All four.

    Args:
        source: scores and measures.
        lengths: `length_gaps` by model, of some that write.
        adjusted: the p values of the page's family.
    """
    return _cheating(source, adjusted), _cost(source), _steps(source), _longer(source, lengths)


def _cheating(source: ReportSource, adjusted: Mapping[MeasureKey, float]) -> ReviewerQuestion:
    """Which attacks pay, beyond what their texts do for whoever carries them; apart, what only throws a judge off."""
    attacked = [model for model in source.probed if variants(source.measures[model.name], LOST_VERDICTS)]
    said = [f"{one.label}: {_bribed(one, source, adjusted)}; {_thrown_off(one, source)}." for one in attacked]
    answers = (*said, SOME_ATTACKS) if said else (f"{NOT_MEASURED}: no model was attacked.",)
    tables = (
        *_attack_table(source, attacked, ATTACKER_GAIN, "What an attack gains for its own answer, points"),
        *_attack_table(source, attacked, LOST_VERDICTS, "Right verdicts that a text turned or denied, percent"),
    )
    return ReviewerQuestion("cheating", "Is it easy to cheat?", answers, tables)


def _bribed(model: ModelView, source: ReportSource, adjusted: Mapping[MeasureKey, float]) -> str:
    """Whether an attack is shown to pay, by adjusted p, of all that were tried both ways."""
    tried = variants(source.measures[model.name], ATTACKER_GAIN)
    if not tried:
        return "whether an attack pays was not measured, because none was also tried by the better answer"
    p = {one.variant: adjusted[MeasureKey(model.name, ATTACKER_GAIN.probe, one.name, one.variant)] for one in tried}
    pay = [one for one in tried if one.value > 0 and p[one.variant] < FALSE_DISCOVERIES]
    worst = max(pay or tried, key=badness)
    gain = f"{value_text(worst)} {interval_of(worst)} points, adjusted p {p_value(p[worst.variant])}"
    many = f"{len(tried)} attack{'s' if len(tried) > 1 else ''} tried both ways"
    if pay:
        return f"of {many} {len(pay)} shown to pay (most {variant_title(worst.variant)}, {gain})"
    return f"of {many} none is shown to pay (at most {variant_title(worst.variant)}, {gain})"


def _thrown_off(model: ModelView, source: ReportSource) -> str:
    worst = max(variants(source.measures[model.name], LOST_VERDICTS), key=badness)
    return (
        f"whoever would gain, a text in the losing answer turns or denies at most {value_text(worst)} "
        f"{interval_of(worst)} percent of the verdicts that were right ({variant_title(worst.variant)})"
    )


def _attack_table(
    source: ReportSource, models: Sequence[ModelView], name: MeasureName, caption: str
) -> tuple[FigureTable, ...]:
    by_variant: dict[str, dict[str, Measure]] = {}
    for model in models:
        for one in source.measures[model.name].probes[name.probe].measures:
            if one.name == name.measure:
                by_variant.setdefault(one.variant, {})[model.name] = one
    rows = tuple(
        (variant_title(variant) or "all attacks, defusing on", *(_text(of.get(one.name)) for one in models))
        for variant, of in by_variant.items()
    )
    columns = ("attack", *(model.label for model in models))
    return (FigureTable(caption, columns, rows),) if rows else ()


def _cost(source: ReportSource) -> ReviewerQuestion:
    question = "What does it cost against a reward model that scores?"
    writes = [model for model in source.models if model.scores.per_1000 is not None]
    scorers = [model for model in source.models if model.scores.per_1000 is None]
    lead = next((model for model in writes if model.name == source.settings.lead), None)
    if lead is None or lead.scores.per_1000 is None or not scorers:
        answer = f"{NOT_MEASURED}: a judge that writes and one that scores are not both here."
        return ReviewerQuestion("cost", question, (answer,), ())
    cost = lead.scores.per_1000
    money = "dollars are not known, because no price is set" if cost.dollars is None else f"${cost.dollars:.2f}"
    said = (
        f"{lead.label} writes {cost.completion_tokens / 1000:.1f} tokens a judgment, {scorers[0].label} writes none; "
        f"1,000 judgments read {cost.prompt_tokens:,.0f} tokens and write {cost.completion_tokens:,.0f} ({money})."
    )
    gain = source.difference(lead.name, scorers[0].name)
    if gain is not None:
        said += f" Its accuracy differs by {points(gain.value)} points {interval(gain.ci95)} on the same questions."
    said += " Seconds are not recorded with judgments, so they are not compared."
    rows = tuple((model.label, *_cost_cells(model)) for model in source.models)
    columns = ("model", "tokens read per 1,000", "written per 1,000", "dollars", "accuracy, percent")
    return ReviewerQuestion("cost", question, (said,), (FigureTable("Cost of 1,000 judgments", columns, rows),))


def _cost_cells(model: ModelView) -> tuple[str, ...]:
    cost, accuracy = model.scores.per_1000, _figure_text(model.scores.figure)
    if cost is None:
        return "not recorded", "0", NO_FIGURE, accuracy
    dollars = NO_FIGURE if cost.dollars is None else f"{cost.dollars:.2f}"
    return f"{cost.prompt_tokens:,.0f}", f"{cost.completion_tokens:,.0f}", dollars, accuracy


def _steps(source: ReportSource) -> ReviewerQuestion:
    measured = [
        (
            what,
            [(model, one) for model in source.probed if (one := find(source.measures[model.name], name)) is not None],
        )
        for name, what in STEPS.items()
    ]
    measured = [(what, of) for what, of in measured if of]
    said = [
        f"{what.capitalize()}, percent: "
        f"{', '.join(f'{model.label} {value_text(one)} {interval_of(one)}' for model, one in of)}."
        for what, of in measured
    ]
    answers = tuple(said) or (f"{NOT_MEASURED}: no probe read the steps of the replies.",)
    models = [model for model in source.probed if any(model in [its for its, _ in of] for _, of in measured)]
    rows = tuple((what, *(_text(_by_model(of).get(model.name)) for model in models)) for what, of in measured)
    columns = ("measure", *(model.label for model in models))
    tables = (FigureTable("Measures of the written steps", columns, rows),) if rows else ()
    return ReviewerQuestion("steps", "Are the intermediate steps right?", answers, tables)


def _by_model(measured: Sequence[tuple[ModelView, Measure]]) -> dict[str, Measure]:
    return {model.name: one for model, one in measured}


def _longer(source: ReportSource, lengths: Mapping[str, Sequence[LengthGap]]) -> ReviewerQuestion:
    labels = {model.name: model.label for model in source.models}
    said = [_budget_answer(model) for model in source.models if model.scores.token_budgets]
    gaps = {model: found for model, found in lengths.items() if found}
    said += [
        f"On the same part of the questions the longer replies of {labels[model]} differ from its shorter ones by "
        f"{_gap_text(found[0])} points of accuracy{_shown(found[0])}."
        for model, found in gaps.items()
    ]
    answers = tuple(said) or (f"{NOT_MEASURED}: no token budget was asked for, and no reply was read.",)
    parts = dict.fromkeys(gap.part for found in gaps.values() for gap in found)
    by_part = {model: {gap.part: _gap_text(gap) for gap in found} for model, found in gaps.items()}
    rows = tuple((part or "all parts", *(of.get(part, NO_FIGURE) for of in by_part.values())) for part in parts)
    columns = ("part", *(labels[model] for model in gaps))
    caption = "Accuracy of longer replies minus that of shorter ones within each part, points"
    tables = (FigureTable(caption, columns, rows),) if rows else ()
    return ReviewerQuestion("longer", "Do longer traces help?", answers, tables)


def _budget_answer(model: ModelView) -> str:
    tokens, least = min(model.scores.token_budgets.items())
    whole = model.scores.figure
    return (
        f"{model.label}, stopped after {tokens} tokens, is right in {_figure_text(least)} percent; writing to the end, "
        f"in {_figure_text(whole)}."
    )


def _gap_text(gap: LengthGap) -> str:
    return f"{points(gap.value)} {interval((gap.low, gap.high))}"


def _shown(gap: LengthGap) -> str:
    return ", so a difference is not shown" if gap.low <= 0 <= gap.high else ""


def _figure_text(figure: Figure) -> str:
    return percent(figure.value) + (
        "" if figure.ci95 is None else f" [{percent(figure.ci95[0])}, {percent(figure.ci95[1])}]"
    )


def _text(measure: Measure | None) -> str:
    if measure is None:
        return NO_FIGURE
    return f"{value_text(measure)} {interval_of(measure)}, n {measure.questions:,}"
