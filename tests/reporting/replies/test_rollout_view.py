"""Sampled groups on the page: figures of all kept steps, groups from first to last, equal replies together."""

from pathlib import Path

import pytest

from reasrm.miniature.world import Split, training_pairs
from reasrm.records.comparison import Side, show
from reasrm.records.jsonl import BadRecordError, write_records
from reasrm.reporting.page_settings import ShownRollouts
from reasrm.reporting.replies.rollout_view import RolloutRun, rollout_runs, spread
from reasrm.reporting.replies.trace_view import SegmentKind
from tests.reporting.made_up_run import rollout_group

COMPARISON = show(training_pairs(Split.TRAIN, 1, seed=0)[0], Side.A)
LIMIT = 4000


def shown(folder: Path, *right: list[bool], steps: int = 3, groups: int = 2) -> RolloutRun:
    """One training with a group for each of `right`, ten steps apart."""
    kept = [rollout_group(10 * at, COMPARISON, one, ("verdict",)) for at, one in enumerate(right)]
    write_records(folder / "grpo-full" / "rollout_samples.jsonl", kept)
    (run,) = rollout_runs(folder, ShownRollouts(steps=steps, groups=groups), {"grpo-full": "Ours"}, LIMIT)
    return run


def test_groups_are_from_the_first_to_the_last_step() -> None:
    steps = (0, 10, 20, 30, 40, 49)
    assert spread(steps, 3) == (0, 20, 49)
    assert spread(steps, 2) == (0, 49)
    assert (spread(steps, 1), spread(steps, 0), spread((), 0)) == ((49,), (), ())
    assert spread(steps, 9) == steps


def test_each_kept_step_has_its_figures_and_equal_replies_stand_together(tmp_path: Path) -> None:
    run = shown(tmp_path, [True, False, True, False], [True] * 4, [True] * 4, [False] * 4, steps=2)
    assert (run.label, run.has_signal) == ("Ours", True)
    assert [(row.step, row.mean_reward, row.states["right"], row.says_a, row.with_signal) for row in run.steps] == [
        (0, 0.5, 2, 2, 1), (10, 1.0, 4, 4, 0), (20, 1.0, 4, 4, 0), (30, 0.0, 0, 0, 0),
    ]  # fmt: skip
    first, last = run.groups
    assert (first.step, first.outcomes, first.has_signal) == (0, (("right", 2), ("wrong", 2)), True)
    assert [(one.times, one.verdict, one.reward, one.advantage) for one in first.rollouts] == [
        (2, "says A: right", 1.0, 0.5), (2, "says B: wrong", 0.0, -0.5),
    ]  # fmt: skip
    assert (last.step, [one.times for one in last.rollouts]) == (30, [4])


def test_a_reply_is_marked_against_the_answers_in_the_order_that_it_saw(tmp_path: Path) -> None:
    group = rollout_group(0, COMPARISON.swapped(), [True, True], ("verdict",))
    other = group.rollouts[1].model_copy(update={"better": Side.A})
    both = group.model_copy(update={"rollouts": (group.rollouts[0], other)})
    write_records(tmp_path / "grpo/rollout_samples.jsonl", [both])
    (run,) = rollout_runs(tmp_path, ShownRollouts(steps=1, groups=1), {}, LIMIT)
    (view,) = run.groups
    assert (view.better, view.worse) == (COMPARISON.response_a, COMPARISON.response_b)
    kinds = [{piece.kind for piece in one.segments if piece.label} for one in view.rollouts]
    assert [one.shown for one in view.rollouts] == ["Better answer shown as B", "Better answer shown as A"]
    assert kinds[0] == {SegmentKind.FOUND}
    assert SegmentKind.OTHER_ANSWER in kinds[1]


def test_without_such_a_file_there_is_nothing_and_a_spoilt_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "sft").mkdir()
    nothing = ShownRollouts(steps=1, groups=1)
    assert rollout_runs(tmp_path, nothing, {}, LIMIT) == ()
    (tmp_path / "sft/rollout_samples.jsonl").write_text('{"step": -1}\n')
    with pytest.raises(BadRecordError, match=r"rollout_samples.jsonl line 1: not a RolloutGroup: step"):
        rollout_runs(tmp_path, nothing, {}, LIMIT)
