"""What a training did to the faithfulness of a judge's reasons, as one sentence made from two judges' measures."""

from collections.abc import Mapping, Sequence

from reasrm.probes.measuring.families import ModelDifference, model_differences
from reasrm.probes.measuring.question_values import QuestionValues
from reasrm.reporting.display_text import interval, p_value, points
from reasrm.reporting.probe_figures.named_measures import FAITHFULNESS, MeasureName
from reasrm.reporting.probe_figures.tested_family import CHANGE, FALSE_DISCOVERIES, MeasureKey

OUTCOMES = ("More", "Less", "No difference shown")


def faithfulness_changes(earlier: QuestionValues, later: QuestionValues, seed: int) -> list[ModelDifference]:
    """The later judge minus the earlier one in each measure of faithfulness, on the questions that both have."""
    found = model_differences(later, earlier, {}, seed)
    return [one for one in found if MeasureName(one.probe, one.measure.name, one.measure.variant) in FAITHFULNESS]


def faithfulness_sentence(
    names: tuple[str, str], changes: Sequence[ModelDifference], adjusted: Mapping[MeasureKey, float]
) -> str:
    """What the training from the first to the second of `names` did; says so where nothing was measured.

    Args:
        names: of the two judges for readers, the earlier one first.
        changes: `faithfulness_changes`.
        adjusted: the p values of the page's family.
    """
    if not changes:
        return f"From {names[0]} to {names[1]}, nothing about the faithfulness of reasons was measured for both."
    said: dict[str, list[str]] = {}
    for one in changes:
        measure = one.measure
        p = adjusted[MeasureKey(CHANGE, one.probe, measure.name, measure.variant)]
        what = FAITHFULNESS[MeasureName(one.probe, measure.name, measure.variant)]
        text = f"{what}, {points(measure.value)} points {interval((measure.low, measure.high))}, p {p_value(p)}"
        said.setdefault(_outcome(measure.value, p), []).append(text)
    parts = [f"{outcome}: {'; '.join(said[outcome])}" for outcome in OUTCOMES if outcome in said]
    return f"From {names[0]} to {names[1]}, on the same questions, with adjusted p. {'. '.join(parts)}."


def _outcome(value: float, p: float) -> str:
    """One of `OUTCOMES`."""
    if p >= FALSE_DISCOVERIES:
        return OUTCOMES[2]
    return OUTCOMES[0] if value > 0 else OUTCOMES[1]
