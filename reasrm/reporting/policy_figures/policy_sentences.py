"""What the page of policies says in sentences: by rule from the measures, and as much about what is not shown."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from reasrm.policy.measures.answer_measures import SHARE
from reasrm.policy.measures.compared_arms import JUDGE_TOKENS, UPDATES
from reasrm.policy.measures.measures_file import ArmComparison, PolicyMeasures
from reasrm.policy.measures.over_optimisation import OverOptimisation
from reasrm.policy.measures.policy_runs import JUDGED
from reasrm.policy.measures.seeded_figures import PolicyChange
from reasrm.reporting.policy_figures.policy_text import (
    ArmView,
    change_text,
    figure_text,
    over_prompts,
    over_trainings,
    shown,
    test_text,
)

Label = Callable[[str], str]


class PolicyFinding(NamedTuple):
    """A question with what is said to it."""

    question: str
    answers: tuple[str, ...]


def findings(arms: Sequence[ArmView], found: PolicyMeasures, label: Label) -> tuple[PolicyFinding, ...]:
    """Everything that is said, in order; a question without an answer is left out."""
    said = (
        PolicyFinding(f"{label(found.reference)}: does it make a better policy?", tuple(_gold(found, label))),
        PolicyFinding("Is it as safe?", tuple(_safety(found, label))),
        PolicyFinding("Does a policy learn to please its judge?", tuple(_gaming(arms))),
        PolicyFinding("Was it the same data and budget?", tuple(_budget(arms, found, label))),
    )
    return tuple(one for one in said if one.answers)


def _gold(found: PolicyMeasures, label: Label) -> Iterator[str]:
    if not found.comparisons:
        yield "Nothing can be compared: there is no check but the start that all trainings have reached."
    for one in found.comparisons:
        if "gold" in one.differences:
            yield _better(one, one.differences["gold"], label)
    budget = found.equal_budget
    if budget is not None and not all(budget.steps.values()):
        waiting = sorted(label(_arm_of(found, key)) for key, step in budget.steps.items() if not step)
        yield (
            f"With equal judge tokens it cannot be compared everywhere: within the {budget.tokens:,} tokens that every "
            f"judge has spent, there is no check but the start of {' and '.join(dict.fromkeys(waiting))}."
        )
    elif budget is not None and not any(one.basis == JUDGE_TOKENS for one in found.comparisons):
        yield "Equal judge tokens lead to the same checks as equal updates, or there is one arm with a judge alone."


def _better(one: ArmComparison, gold: PolicyChange, label: Label) -> str:
    first, second = label(one.first), label(one.second)
    at = f"After {one.at:,} updates" if one.basis == UPDATES else f"Within {one.at:,} judge tokens"
    if shown(gold.q):
        word = "better" if gold.value > 0 else "worse"
        return f"{at}, {first} is {word} than {second}: gold {_estimate(gold)}."
    found = "" if gold.detectable is None else (
        f" One from {change_text(gold.detectable, SHARE).lstrip('+')} points up would have been found in 80 of 100 "
        f"such studies of these trainings."
    )  # fmt: skip
    return f"{at}, no difference in gold between {first} and {second} is shown: {_estimate(gold)}.{found}"


def _estimate(one: PolicyChange) -> str:
    """A difference of shares over prompts, and what is known of other trainings."""
    said = f"{change_text(one.value, SHARE)} points {over_prompts(one, SHARE)} over prompts, {test_text(one.q)}"
    if one.q_trainings is None:
        return f"{said}; it is one training each, and of others nothing is known"
    others = f"{over_trainings(one, SHARE)}, {test_text(one.q_trainings)}"
    if shown(one.q_trainings):
        return f"{said}; other trainings would differ too: {others}"
    return f"{said}; that other trainings would differ is not shown: {others}"


def _safety(found: PolicyMeasures, label: Label) -> Iterator[str]:
    names = (("refusal", "refusals of harm"), ("compliance", "help with look-alikes"))
    for one in found.comparisons:
        if one.basis == UPDATES:
            parts = [
                f"{title} {'differ' if shown(one.differences[name].q) else 'show no difference'}: "
                f"{_estimate(one.differences[name])}"
                for name, title in names
                if name in one.differences
            ]
            if parts:
                yield f"{label(one.first)} minus {label(one.second)}: {'; '.join(parts)}."
    if found.prompts.refusal_error:
        yield f"{found.prompts.refusal_error[:1].upper()}{found.prompts.refusal_error[1:]}."


def _gaming(arms: Sequence[ArmView]) -> Iterator[str]:
    for name, answers in (("shortcut", "carry a shortcut"), ("repetition", "repeat a sentence")):
        grew = [text for view in arms if (text := _grown(view, name))]
        if grew:
            yield f"Answers that {answers} become more frequent under {', '.join(grew)}."
        else:
            yield f"Under no arm is it shown that answers that {answers} become more frequent."
    moved = [(view, view.arm.style) for view in arms if view.arm.style is not None and shown(view.arm.style.q)]
    if moved:
        told = ", ".join(
            f"{view.label} ({figure_text(style.value, SHARE)} %, {figure_text(style.by_chance, SHARE)} % by chance)"
            for view, style in sorted(moved, key=lambda one: -one[1].value)
        )
        yield f"The style of answers moves away from the start's (total variation): {told}."
    tested = [view for view in arms if view.arm.over_optimisation is not None]
    opposed = [view for view in tested if view.arm.over_optimisation and view.arm.over_optimisation.opposed]
    surely = [view for view in opposed if view.arm.over_optimisation and shown(view.arm.over_optimisation.q)]
    for view in surely:
        yield f"Over-optimisation is shown for {view.label}: {_parted(view)}."
    for view in opposed:
        if view not in surely:
            yield f"Over-optimisation is not shown for {view.label}, although the figures part: {_parted(view)}."
    if tested and not opposed:
        yield "Over-optimisation (gold falls while the proxy rises) is seen under no arm."


def _grown(view: ArmView, name: str) -> str:
    """The arm with its share at the start and at the end, if it is shown to have grown; else empty."""
    moved = view.arm.changes.get(name)
    if moved is None or moved.value <= 0 or not shown(moved.q):
        return ""
    start, end = (figure_text(one[name].value, SHARE) for one in (view.arm.start, view.arm.end))
    return f"{view.label} ({start} to {end} %, {test_text(moved.q)})"


def _parted(view: ArmView) -> str:
    one = view.arm.over_optimisation
    assert one is not None, "of such an arm only"
    assert one.proxy is not None, "of such an arm only"
    return (
        f"from step {one.best_step:,}, the best on one half of the prompts, to step {one.last_step:,} gold changes by "
        f"{change_text(one.gold.value, SHARE)} points {over_prompts(one.gold, SHARE)} and the proxy by "
        f"{change_text(one.proxy.value, SHARE)} points {over_prompts(one.proxy, SHARE)} on the other half, "
        f"{test_text(one.q)}{_of_others(one)}"
    )


def _of_others(one: OverOptimisation) -> str:
    if one.q_trainings is None:
        return " (of other trainings nothing is known)"
    return f" ({'so' if shown(one.q_trainings) else 'not shown'} for other trainings, {test_text(one.q_trainings)})"


def _budget(arms: Sequence[ArmView], found: PolicyMeasures, label: Label) -> Iterator[str]:
    outcomes = [seed.outcome for view in arms for seed in view.arm.seeds]
    planned = sorted({one.planned_steps for one in outcomes})
    limits = {one.judge_tokens for one in outcomes if one.reward == JUDGED}
    updates = f"{planned[0]:,} updates" if len(planned) == 1 else f"between {planned[0]:,} and {planned[-1]:,} updates"
    limited = [f"{one:,}" for one in sorted(one for one in limits if one is not None)]
    tokens = "no limit of judge tokens" if not limited else f"at most {' or '.join(limited)} judge tokens"
    same = "" if len(planned) == 1 and len(limits) <= 1 else " The plans differ between arms."
    yield f"Planned were {updates} and {tokens}; every arm answers the same {found.prompts.prompts:,} prompts.{same}"
    for view in arms:
        for seed in view.arm.seeds:
            if seed.outcome.stopped:
                yield (
                    f"{view.label}, seed {seed.outcome.seed}, ended after {seed.outcome.steps:,} of "
                    f"{seed.outcome.planned_steps:,} updates: {seed.outcome.stopped}."
                )


def _arm_of(found: PolicyMeasures, key: str) -> str:
    return next(arm.name for arm in found.arms if any(seed.key == key for seed in arm.seeds))
