"""What `reasrm probe` prints for readers: its plan, and the measures of a judge."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reasrm.probes.from_files.cost_plan import CostPlan
    from reasrm.probes.measure import Measure
    from reasrm.probes.measures_file import ProbedBy, ProbeMeasures

FOOT = (
    "n: questions. p: chance of such a figure without an effect; q: the same with all tests of this table as one "
    "family (Benjamini-Hochberg). Found would be: the smallest effect that four of five such samples would have shown."
)


def plan_text(plan: "CostPlan", budget: int | None) -> str:
    """What is asked at most, by probe, beside plain judging."""
    lines = [
        f"{plan.questions:,} questions of {plan.pairs:,} pairs",
        f"  {'plain, in both orders':<28}{plan.plain:>8,}",
        *(f"  {name:<28}{queries:>8,}" for name, queries in plan.probes.items()),
        f"  {'at most':<28}{plan.total:>8,}" + ("" if budget is None else f"  of a budget of {budget:,}"),
        f"Probes ask {plan.ratio:.2f} times what plain judging of these questions asks, {plan.ratio_of_all:.2f} times "
        f"what plain judging of all {plan.pairs:,} pairs would.",
    ]
    return "\n".join(lines)


def measures_text(found: "ProbeMeasures", q_values: Mapping[tuple[str, str, str], float]) -> str:
    """The measures of one judge as lines; `q_values` by probe, name and variant."""
    cost = found.cost
    lines = [
        f"{found.questions:,} questions, {found.plain_judgments:,} plain judgments; probes asked {cost.judgments:,} "
        f"judgments and {cost.margins:,} log-odds ({cost.completion_tokens:,} tokens written)"
    ]
    width = max((len(_named(one)) for probe in found.probes.values() for one in probe.measures), default=0)
    for name, probe in found.probes.items():
        lines += ["", f"{probe.title} ({name}; {probe.source})", *_probe_lines(name, probe, q_values, width)]
    return "\n".join([*lines, "", FOOT])


def _probe_lines(
    name: str, probe: "ProbedBy", q_values: Mapping[tuple[str, str, str], float], width: int
) -> Iterator[str]:
    if probe.refused:
        yield f"  not run: {probe.refused}"
        return
    if not probe.measures:
        yield "  nothing could be measured"
    for one in probe.measures:
        yield _line(one, q_values.get((name, one.name, one.variant)), width)
    if probe.unknown_words:
        yield f"  {probe.unknown_words:,} of {probe.queries:,} queries not asked: words that this judge cannot read"


def _named(measure: "Measure") -> str:
    return " ".join(filter(None, (measure.name.replace("_", " "), measure.variant.replace("_", " "))))


def _line(measure: "Measure", q: float | None, width: int) -> str:
    interval = f"[{measure.low:z.3f}, {measure.high:z.3f}]"
    line = f"  {_named(measure):<{width}} {measure.value:>z7.3f}  {interval:<17} n {measure.questions:<5}"
    if measure.null is not None:
        tested = f"p {measure.p:.2g}, q {q:.2g}" if measure.p is not None and q is not None else "not tested"
        line += f" against {measure.null:g}: {tested}; "
        none = "too few questions to find any effect"
        line += none if measure.detectable is None else f"found would be {measure.detectable:.3f}"
    return line + (f" ({measure.left_out:,} left out)" if measure.left_out else "")
