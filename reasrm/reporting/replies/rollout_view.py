"""What GRPO's policy wrote while it trained, as the page shows it: a row per kept step, some groups with all replies.

The files are those that `reasrm.training.grpo.rollout_samples` leaves beside the curves.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean

from reasrm.records.comparison import Comparison, Side
from reasrm.records.harmless_text import one_line
from reasrm.records.jsonl import read_records
from reasrm.records.reply import Finish
from reasrm.records.rollout import Rollout, RolloutGroup
from reasrm.reporting.display_text import shortened
from reasrm.reporting.page_settings import ShownRollouts
from reasrm.reporting.replies.example_view import HEADLINE_CHARACTERS, Turn, cut_segments, verdict_in_words
from reasrm.reporting.replies.trace_view import Segment, segments

FILE = "rollout_samples.jsonl"


@dataclass(frozen=True)
class RolloutView:
    """One reply, or several of a group that are the same."""

    times: int
    """How many replies of the group are this one."""
    shown: str
    """Which answer stood where."""
    verdict: str
    state: str
    """`right`, `wrong` or `unreadable`; also the CSS class."""
    reward: float
    advantage: float
    terms: tuple[tuple[str, float], ...]
    """What each reward term gave, where there are several."""
    tokens: int
    cut_off: bool
    """Whether the token limit ended it."""
    segments: tuple[Segment, ...]
    after_verdict: str
    """What no judge reads; empty as a rule."""


@dataclass(frozen=True)
class RolloutGroupView:
    """One question with all that was sampled for it."""

    step: int
    headline: str
    mean_reward: float
    outcomes: tuple[tuple[str, int], ...]
    """State and how many replies have it."""
    has_signal: bool
    turns: tuple[Turn, ...]
    better: str
    worse: str
    rollouts: tuple[RolloutView, ...]


@dataclass(frozen=True)
class RolloutStep:
    """All kept groups of one generation, in figures."""

    step: int
    replies: int
    mean_reward: float
    states: Mapping[str, int]
    says_a: int
    """Replies whose verdict is A."""
    mean_tokens: float
    cut_off: int
    groups: int
    with_signal: int


@dataclass(frozen=True)
class RolloutRun:
    """One GRPO training."""

    label: str
    steps: tuple[RolloutStep, ...]
    groups: tuple[RolloutGroupView, ...]

    @property
    def has_signal(self) -> bool:
        """Whether any of the kept groups had signal."""
        return any(step.with_signal for step in self.steps)


def rollout_runs(
    curves: Path, settings: ShownRollouts, labels: Mapping[str, str], limit: int
) -> tuple[RolloutRun, ...]:
    """What each training below `curves` kept; those without such a file are left out.

    Args:
        curves: folder with one subfolder per training.
        settings: how many steps and groups are shown.
        labels: names of the trainings for readers.
        limit: longer texts are cut in the middle and say so; characters.

    Raises:
        BadRecordError: a file is not what GRPO writes.
    """
    return tuple(
        _run(labels.get(file.parent.name, file.parent.name), tuple(read_records(file, RolloutGroup)), settings, limit)
        for file in sorted(curves.glob(f"*/{FILE}"))
    )


def spread(steps: Sequence[int], count: int) -> tuple[int, ...]:
    """`count` of `steps` at most, at equal distances, from the first to the last."""
    if len(steps) <= count:
        return tuple(steps)
    if count < 2:
        return tuple(steps[len(steps) - count :])
    return tuple(steps[round(at * (len(steps) - 1) / (count - 1))] for at in range(count))


def _run(label: str, groups: Sequence[RolloutGroup], settings: ShownRollouts, limit: int) -> RolloutRun:
    by_step = {step: tuple(found) for step, found in groupby(groups, key=lambda group: group.step)}
    shown = (group for step in spread(tuple(by_step), settings.steps) for group in by_step[step][: settings.groups])
    return RolloutRun(
        label=label,
        steps=tuple(_step(step, found) for step, found in by_step.items()),
        groups=tuple(_group(group, limit) for group in shown),
    )


def _step(step: int, groups: Sequence[RolloutGroup]) -> RolloutStep:
    rollouts = [rollout for group in groups for rollout in group.rollouts]
    return RolloutStep(
        step=step,
        replies=len(rollouts),
        mean_reward=fmean(rollout.reward for rollout in rollouts),
        states=Counter(map(_state, rollouts)),
        says_a=sum(rollout.verdict is Side.A for rollout in rollouts),
        mean_tokens=fmean(rollout.reply.completion_tokens for rollout in rollouts),
        cut_off=sum(rollout.finish is Finish.LENGTH for rollout in rollouts),
        groups=len(groups),
        with_signal=sum(group.has_signal for group in groups),
    )


def _group(group: RolloutGroup, limit: int) -> RolloutGroupView:
    comparison, states = group.comparison, Counter(map(_state, group.rollouts))
    answers = {Side.A: comparison.response_a, Side.B: comparison.response_b}
    return RolloutGroupView(
        step=group.step,
        headline=one_line(comparison.prompt[-1].content, HEADLINE_CHARACTERS),
        mean_reward=fmean(rollout.reward for rollout in group.rollouts),
        outcomes=tuple((state, states[state]) for state in ("right", "wrong", "unreadable") if states[state]),
        has_signal=group.has_signal,
        turns=tuple(Turn(turn.role.value, shortened(turn.content, limit)) for turn in comparison.prompt),
        better=shortened(answers[comparison.better], limit),
        worse=shortened(answers[comparison.better.other], limit),
        rollouts=tuple(_distinct(group, limit)),
    )


def _distinct(group: RolloutGroup, limit: int) -> Iterator[RolloutView]:
    """The replies in their order, those that are the same in every respect together."""
    same: dict[str, list[Rollout]] = {}
    for rollout in group.rollouts:
        same.setdefault(rollout.model_dump_json(), []).append(rollout)
    for replies in same.values():
        yield _rollout(replies[0], len(replies), group.comparison, limit)


def _rollout(rollout: Rollout, times: int, comparison: Comparison, limit: int) -> RolloutView:
    shown = comparison if comparison.better is rollout.better else comparison.swapped()
    pieces = segments(rollout.reply, shown.response_a, shown.response_b)
    return RolloutView(
        times=times,
        shown=f"Better answer shown as {rollout.better}",
        verdict=verdict_in_words(rollout),
        state=_state(rollout),
        reward=rollout.reward,
        advantage=rollout.advantage,
        terms=tuple(rollout.terms.items()) if len(rollout.terms) > 1 else (),
        tokens=rollout.reply.completion_tokens,
        cut_off=rollout.finish is Finish.LENGTH,
        segments=cut_segments(pieces, limit),
        after_verdict=shortened(rollout.after_verdict, limit),
    )


def _state(rollout: Rollout) -> str:
    return {True: "right", False: "wrong", None: "unreadable"}[rollout.correct]
