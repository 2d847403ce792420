"""Kept groups say what was judged and earned, of the generations that are due, and once each whatever was killed."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.records.comparison import Side
from reasrm.records.jsonl import read_records
from reasrm.records.reply import Finish
from reasrm.records.rollout import RolloutGroup
from reasrm.training.grpo.rollout_samples import FILE, RolloutSamples, ScoredReply, rollout_samples
from reasrm.training.grpo.settings import GrpoSettings
from tests.fixtures.chat_families import FAMILIES, family_tokenizer
from tests.training.grpo.group_trainers import comparisons, settings, trainer

PAIRS = comparisons(6)
TOKENIZER = family_tokenizer(FAMILIES["qwen3"])
TERMS = {"answer": 1.0, "format": 0.5}


def kept_by(folder: Path, opened: str = "", **changes: Any) -> RolloutSamples:
    asked = {"replies_per_prompt": 2, "batch_size": 8, "rollout_samples": {"every": 10, "groups": 2}, "rewards": TERMS}
    made = rollout_samples(folder, settings(**(asked | changes)), PAIRS, TOKENIZER, opened)
    assert made is not None
    return made


def reply(pair: int, text: str, *, ended: bool = True, better: Side = Side.A, earned: float = 1.0) -> ScoredReply:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    end = [TOKENIZER.eos_token_id] if ended else []
    return ScoredReply(PAIRS[pair].pair_id, better.value, [*ids, *end], (earned, 1.0), earned - 0.5)


def groups(*pairs: int) -> list[ScoredReply]:
    return [reply(pair, "<answer>[[A]]</answer>", earned=earned) for pair in pairs for earned in (1.0, 0.0)]


def read(folder: Path) -> list[RolloutGroup]:
    return list(read_records(folder / FILE, RolloutGroup))


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, [0, 10, 20, 30, 40, 49]),
        ({"steps": 8}, [0, 7]),
        ({"steps_per_generation": 4, "save_every": 4}, [0, 12, 20, 32, 40, 48]),
        ({"num_iterations": 2, "steps_per_generation": 2, "save_every": 4, "steps": 20}, [0, 12, 16]),
        ({"steps_per_generation": 16, "save_every": 16}, [0, 16, 32, 48]),
    ],
)
def test_the_first_the_last_and_the_first_after_every_so_many_steps(
    changes: dict[str, Any], due: list[int], tmp_path: Path
) -> None:
    changed = {"steps": 50} | changes
    chosen = settings(**changed)
    samples = kept_by(tmp_path, **changed)
    generations = range(0, chosen.steps, chosen.steps_per_generation * chosen.num_iterations)
    assert [step for step in generations if samples.are_due(step)] == due


def test_a_reply_is_kept_as_it_is_judged(tmp_path: Path) -> None:
    """With the thought that the template opened, which is never cut; with the reason where it holds no verdict."""
    thought = "<answer>[[B]]</answer></think> so <answer>[[A]]</answer> and more"
    kept_by(tmp_path, "<think>").keep(0, [reply(0, thought, ended=False), reply(0, "so", earned=0.0)], [True])
    ((first, second),) = (group.rollouts for group in read(tmp_path))
    assert (first.reply.text, first.after_verdict) == ("<think>" + thought, "")
    assert (first.finish, first.verdict, first.unreadable, first.correct) == (Finish.LENGTH, Side.A, None, True)
    assert (first.terms, first.reward, first.advantage) == ({"answer": 1.0, "format": 1.0}, 1.5, 0.5)
    assert (second.verdict, second.unreadable, second.correct) == (None, "unclosed", None)
    assert (second.terms, second.reward, second.advantage) == ({"answer": 0.0, "format": 1.0}, 0.5, -0.5)


def test_what_stands_behind_a_verdict_is_kept_apart(tmp_path: Path) -> None:
    texts = [f"<answer>[[A]]</answer>{more}" for more in (" and <answer>[[B]]</answer>", "")]
    kept_by(tmp_path).keep(0, [reply(0, text, ended=False) for text in texts], [False])
    ((first, second),) = (group.rollouts for group in read(tmp_path))
    assert first.reply.text == second.reply.text == texts[1]
    assert (first.after_verdict, second.after_verdict) == (" and <answer>[[B]]</answer>", "")
    assert (first.finish, first.reply.finish, first.verdict) == (Finish.LENGTH, Finish.STOP, Side.A)
    assert first.reply.completion_tokens > second.reply.completion_tokens


def test_the_order_that_was_shown_is_kept_with_it(tmp_path: Path) -> None:
    both = [reply(0, "<answer>[[B]]</answer>", better=side) for side in (Side.B, Side.A)]
    kept_by(tmp_path).keep(0, both, [False])
    (group,) = read(tmp_path)
    assert group.comparison == PAIRS[0].swapped()
    assert [(one.better, one.correct) for one in group.rollouts] == [(Side.B, True), (Side.A, False)]
    assert not group.has_signal


def test_which_pairs_are_kept_depends_on_no_reply_and_comes_again(tmp_path: Path) -> None:
    samples = kept_by(tmp_path)
    samples.keep(0, groups(0, 1, 2, 3), [True] * 4)
    samples.keep(10, groups(3, 2, 1, 0), [True, True, True, False])
    pairs = [group.comparison.pair_id for group in read(tmp_path)]
    assert pairs[:2] == pairs[2:]
    few = kept_by(tmp_path / "few", rollout_samples={"every": 1, "groups": 9})
    few.keep(0, groups(0, 1), [True, False])
    assert {group.comparison.pair_id: group.has_signal for group in read(tmp_path / "few")} == {
        PAIRS[0].pair_id: True, PAIRS[1].pair_id: False,
    }  # fmt: skip


def test_what_is_sampled_again_after_a_kill_stands_there_once(tmp_path: Path) -> None:
    through, killed = kept_by(tmp_path / "through"), kept_by(tmp_path / "killed")
    for step in (0, 10, 20, 30):
        through.keep(step, groups(step // 10, 4), [True, True])
    for step in (0, 10, 20):
        killed.keep(step, groups(step // 10, 4), [True, True])
    for step in (10, 20, 30):
        kept_by(tmp_path / "killed").keep(step, groups(step // 10, 4), [True, True])
    assert (tmp_path / "killed" / FILE).read_bytes() == (tmp_path / "through" / FILE).read_bytes()


def test_null_keeps_none(tmp_path: Path) -> None:
    assert rollout_samples(tmp_path, settings(rollout_samples=None), PAIRS, TOKENIZER, "") is None


def trained(folder: Path, chosen: GrpoSettings) -> dict[str, Any]:
    made = trainer(folder, chosen)
    made.train()
    return dict(made.model.state_dict())


@pytest.mark.slow
def test_the_weights_do_not_depend_on_what_is_kept(tmp_path: Path) -> None:
    chosen = {"steps": 3, "zero_signal_groups": "replace", "most_extra_generations": 1}
    kept = trained(tmp_path / "kept", settings(**chosen, rollout_samples={"every": 1, "groups": 3}))
    none = trained(tmp_path / "none", settings(**chosen, rollout_samples=None))
    assert [group.step for group in read(tmp_path / "kept")] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert not list((tmp_path / "none").rglob(FILE))
    assert all(kept[name].equal(none[name]) for name in none)
